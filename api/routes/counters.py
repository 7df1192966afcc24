"""Counters: signing on and off, the one button, calling, pausing, undoing."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import answers
from api.asking import COMMANDING, READING, CounterPath, HallPath, Key, ask, json_response, service_of
from models import requests as bodies
from models.answers import CounterAnswer, TicketAnswer
from queue_service.domain import commands as c
from queue_service.errors import UnknownCounter

ROUTER = APIRouter(prefix="/v1/halls/{hall}/counters/{counter}", tags=["counters"])

NOBODY: dict[int | str, dict[str, Any]] = {
    204: {"description": "Nobody is waiting. `Queue-Finished` names the ticket that was finished, if any."}
}


async def _ask(request: Request, hall: str, command: c.CounterCommand, key: str | None) -> Response:
    return await ask(request, hall, command, answers.about_counter(command.counter), key)


@ROUTER.get("", response_model=CounterAnswer, responses=READING)
async def read_counter(request: Request, hall: HallPath, counter: CounterPath) -> Response:
    """A counter as it stands."""
    view = await service_of(request).current_view(hall)
    if counter not in view.hall.counters:
        raise UnknownCounter(f"This hall has no counter {counter!r}.", counter=counter)
    return json_response(orjson.dumps(answers.counter_document(view.hall, counter)))


@ROUTER.post("/open", response_model=CounterAnswer, responses=COMMANDING)
async def open_counter(
    request: Request, hall: HallPath, counter: CounterPath, body: bodies.OpenBody, key: Key = None
) -> Response:
    """A clerk signs on. One clerk per counter, one counter per clerk."""
    services = None if body.services is None else tuple(body.services)
    return await _ask(request, hall, c.OpenCounter(counter, body.clerk, services), key)


@ROUTER.post("/pause", response_model=CounterAnswer, responses=COMMANDING)
async def pause_counter(
    request: Request, hall: HallPath, counter: CounterPath, body: bodies.PauseBody, key: Key = None
) -> Response:
    """Pause now, or after the ticket held (`after_current`)."""
    return await _ask(request, hall, c.PauseCounter(counter, body.reason, body.after_current), key)


@ROUTER.post("/resume", response_model=CounterAnswer, responses=COMMANDING)
async def resume_counter(
    request: Request, hall: HallPath, counter: CounterPath, body: bodies.Nothing | None = None, key: Key = None
) -> Response:
    """End the pause."""
    return await _ask(request, hall, c.ResumeCounter(counter), key)


@ROUTER.post("/close", response_model=CounterAnswer, responses=COMMANDING)
async def close_counter(
    request: Request,
    hall: HallPath,
    counter: CounterPath,
    body: bodies.CloseBody | None = None,
    key: Key = None,
) -> Response:
    """Sign off. With a ticket held: 409, unless a supervisor gives `force` a reason."""
    return await _ask(request, hall, c.CloseCounter(counter, body.force if body else None), key)


@ROUTER.post("/relieve", response_model=CounterAnswer, responses=COMMANDING)
async def relieve_counter(
    request: Request, hall: HallPath, counter: CounterPath, body: bodies.RelieveBody, key: Key = None
) -> Response:
    """Another clerk takes over in one step, with the ticket held."""
    return await _ask(request, hall, c.RelieveCounter(counter, body.clerk), key)


@ROUTER.post("/help", response_model=CounterAnswer, responses=COMMANDING)
async def call_help(
    request: Request, hall: HallPath, counter: CounterPath, body: bodies.Nothing | None = None, key: Key = None
) -> Response:
    """Ring the supervisor. There is nothing of it to take back: an undo afterwards takes back the command before."""
    return await _ask(request, hall, c.CallHelp(counter), key)


@ROUTER.post("/announced", response_model=CounterAnswer, responses=COMMANDING)
async def announced(
    request: Request, hall: HallPath, counter: CounterPath, body: bodies.AnnouncedBody, key: Key = None
) -> Response:
    """A display has told the lobby of the counter's call: the seconds until a no-show count from the first that did."""
    command = c.AnnounceCall(counter, body.number, body.display, body.voice, round(body.lag_s * 1000))
    return await _ask(request, hall, command, key)


@ROUTER.post("/undo", response_model=CounterAnswer, responses=COMMANDING)
async def undo(
    request: Request, hall: HallPath, counter: CounterPath, body: bodies.Nothing | None = None, key: Key = None
) -> Response:
    """Take back the counter's last command, within 15 s, while nobody has acted on its ticket since: call-next, call,
    recall, start, finish, no-show, requeue, park, hand-over, pause, resume, a transfer from the counter, a return
    straight to it. After any other of its commands there is nothing to take back; but help, which changes nothing, is
    passed over: then the command before it is taken back."""
    return await _ask(request, hall, c.Undo(counter), key)


@ROUTER.post("/call-next", response_model=TicketAnswer, responses={**COMMANDING, **NOBODY})
async def call_next(
    request: Request,
    hall: HallPath,
    counter: CounterPath,
    body: bodies.CallNextBody | None = None,
    key: Key = None,
) -> Response:
    """The one button: finish the ticket held (`finish_current`) and call whoever is next."""
    command = c.CallNext(counter, body is not None and body.finish_current)
    return await ask(request, hall, command, answers.called, key)


@ROUTER.post("/call", response_model=TicketAnswer, responses=COMMANDING)
async def call_chosen(
    request: Request, hall: HallPath, counter: CounterPath, body: bodies.CallBody, key: Key = None
) -> Response:
    """Call a certain ticket, by id or number, for a reason. Capped per day by the plan, and reported."""
    command = c.CallChosen(counter, body.reason, body.ticket, body.number, body.finish_current)
    return await ask(request, hall, command, answers.called, key)
