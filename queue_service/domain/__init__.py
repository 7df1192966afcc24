"""Pure: no I/O, no clock, no await, no third-party import. Time comes as an argument, in ms since 1970 UTC."""
