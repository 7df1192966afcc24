"""A hall, simulated: visitors come, counters call them by the hall's own order rules, time jumps from event to event.

- `scene`: what is fixed (`Scene`: order rule, lanes, shifts of the counters, the span of time), and `Visitor`.
- `running`: `Simulator(scene).run(visitors, busy, idle_since) -> Course`, one deterministic run.
- `drawing`: `draw(...) -> Drawn`, random visitors from rates and service times; the seed and the number of the run
  decide all of it, whatever the scene: scenes that are compared get the same visitors (common random numbers).
- `live`: the beginning of a run, from the hall as it stands now.
- `judging`: `Tally`, who was called within the promise, by quarter of an hour and service.

A what-if is two runs over the same visitors with two scenes (`dataclasses.replace(scene, order=..., shifts=...)`).
Recorded visitors are `Visitor`s made from records; nothing is drawn then.

The order is `queue_service.domain.heads`, the same code that the live hall runs. What is approximated: visitors of one
party are served independently of each other; a reservation for a clerk is one for the counter where the clerk sits
now; parked and expected tickets do not come back; nobody fails to come when called (what a no-show costs a counter
should be among the service times); clerks call without delay whenever somebody waits; waits run outside opening
hours, too.
"""
