"""The promise as it stands now: how fast its budget burns, who waits in vain, and what the hall warns of."""
