"""What a centre follows, and the operator's word that a hall's other history is the true one."""

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.asking import COMMANDING, READING, HallPath, json_response, service_of
from models.answers import AcceptedAnswer, FollowedList
from queue_service.errors import NoOtherHistory

ROUTER = APIRouter(tags=["node"])


@ROUTER.get("/v1/following", response_model=FollowedList, responses=READING)
async def read_following(request: Request) -> Response:
    """The halls that this node follows at other nodes (as a centre does; else none), and how fresh each is."""
    following = service_of(request).following
    return json_response(orjson.dumps({"items": following.documents() if following else []}))


@ROUTER.post("/v1/halls/{hall}/accept-history", response_model=AcceptedAnswer, responses=COMMANDING)
async def accept_history(request: Request, hall: HallPath) -> Response:
    """At a centre: an operator says that the hall's own node, whose log has another history than what was followed
    before (it was restored from a backup), has the true one. What is here alone is set aside, not deleted."""
    following = service_of(request).following
    if following is None:
        raise NoOtherHistory("This node follows no other.", hall=hall)
    return json_response(orjson.dumps(await following.accept(hall)))
