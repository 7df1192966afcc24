"""A recorded day once more, with something changed: `record` reads it, `changes` says what is different, `replay` runs
it through the rules of the live hall (`domain`), not through a model of them.

- `reading`: `read_day(connection, hall, day) -> list[Logged]`, a business day of a hall's log.
- `recorded`: `record(log) -> Recorded`, what the day brought from outside, what became of each ticket after its calls,
  and how long each counter took to call whenever it could.
- `stage`: `Stage`, a hall at an instant and which counters could call; recording and replaying both look through it.
- `changes`: `Changes`, other counters, another order, pooled and moved counters.
- `replay`: `replay(recorded, changes, seed) -> Replayed`. Without changes nothing is drawn and each call comes at its
  recorded counter and instant.

Instants are *ticks*: milliseconds since 1970 times `TICKS`, plus the place among what was logged in the same
millisecond. So the order of the log is kept to the letter, and differences of ticks add up exactly.
"""
