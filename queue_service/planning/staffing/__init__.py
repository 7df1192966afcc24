"""How many counters, for what, by when: closed forms to start from, then the simulated hall."""
