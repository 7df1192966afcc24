"""Answers as documented: every route's shape, every error's problem document."""

import inspect
import re
from collections.abc import Iterator

import httpx
import pytest

from api import problems
from api.answers import ticket_document
from models.answers import TicketAnswer
from models.vocabulary import TicketState
from queue_service import errors
from queue_service.domain.hall import Ticket
from tests.http import test_story_of_a_hall, test_story_of_the_promise, test_story_of_tickets
from tests.http.desk import Desks
from tests.http.shapes import AT_A_CENTRE, OPERATIONS, ROUTES

STORIES = [
    story
    for module in (test_story_of_tickets, test_story_of_a_hall, test_story_of_the_promise)
    for name, story in inspect.getmembers(module, inspect.iscoroutinefunction)
    if name.startswith("test_")
]


def _all_errors(
    kind: type[errors.QueueServiceError] = errors.QueueServiceError,
) -> Iterator[type[errors.QueueServiceError]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _all_errors(sub)


async def test_every_operation_is_asked_and_answers_in_its_shape(desks: Desks) -> None:
    """The stories together ask every operation there is with success, and each answer has its declared members."""
    for story in STORIES:
        await story(desks)
    assert OPERATIONS - AT_A_CENTRE - desks.shapes.asked == set()


def test_every_error_has_a_problem_of_its_own() -> None:
    """The table names every error that can be answered with, each with a unique type."""
    abstract = {errors.Refusal}
    assert set(_all_errors()) - abstract == set(problems.TABLE)
    names = [name for _, name in problems.TABLE.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


@pytest.mark.parametrize("kind", problems.TABLE, ids=lambda kind: kind.__name__)
def test_every_error_says_what_is_wrong(kind: type[errors.QueueServiceError]) -> None:
    """An error's own docstring is its title; its detail and its facts are in the document."""
    assert kind.__doc__
    assert kind.__doc__.endswith(".")
    response = problems.problem_of(kind("What happened here.", place="/there"))
    document = httpx.Response(response.status_code, headers=dict(response.headers), content=bytes(response.body)).json()
    assert document["title"] == kind.__doc__
    assert (document["detail"], document["place"]) == ("What happened here.", "/there")
    assert document["status"] == response.status_code


def test_no_answer_is_made_without_its_shape() -> None:
    """A route declares the shape of its answer, or says what else it sends."""
    shapeless = {route.path for route in ROUTES if route.response_model is None}
    assert shapeless == {
        "/metrics",
        "/asyncapi.json",
        "/v1/halls/{hall}/legs.csv",
        "/v1/halls/{hall}/charts/{chart}.svg",
    }


def test_a_ticket_answers_with_exactly_the_documented_members() -> None:
    """What is written by hand for speed has the members of the model, in its order."""
    ticket = Ticket("hall.x", "A001", "2026-03-02", "tax", "normal", "kiosk", TicketState.EXPECTED, 0)
    members = [field.alias or name for name, field in TicketAnswer.model_fields.items()]
    assert list(ticket_document(ticket, "hall", None, 0, 1)) == members
