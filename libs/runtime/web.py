"""The server side of every service: problems as answers, identity, trace id, msgpack bodies."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.log.port import LogError
from libs.runtime import identity, trace
from libs.runtime.calls import PACKED_TYPE, PROBLEM_TYPE
from libs.runtime.clock import Clock
from libs.runtime.identity import Forged, Identity, Signer
from libs.runtime.logging import logger
from libs.store import StoreUnavailable
from libs.wire.codec import Malformed, Struct, pack, to_json, unpack
from libs.wire.codes import OutcomeUnknown, Problem, Refused, TryAgain

T = TypeVar("T", bound=Struct)
M = TypeVar("M", bound=BaseModel)
_log = logger("web")


def api(
    title: str, *, signer: Signer, clock: Clock, document: str | None = "/openapi.json"
) -> FastAPI:
    """An app of the house: every fault is answered as a problem document. `document` is the path of
    its OpenAPI document; None for an app that has a route for that itself."""
    app = FastAPI(
        title=title,
        version="1",
        openapi_url=document,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.signer = signer
    app.state.clock = clock
    app.add_exception_handler(Problem, _answer_fault)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(LogError, _answer_fault)
    app.add_exception_handler(StoreUnavailable, _answer_fault)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.add_exception_handler(Exception, _answer_fault)
    app.add_middleware(_Traced)
    return app


def answer(fault: Problem) -> Response:
    """The HTTP answer of a problem."""
    headers = {}
    if fault.retry_after_s is not None:
        headers["retry-after"] = str(fault.retry_after_s)
    if fault.code.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(
        to_json(fault.document(trace.current())),
        status_code=fault.code.status,
        headers=headers,
        media_type=PROBLEM_TYPE,
    )


def packed(value: Struct) -> Response:
    """An internal route's answer: msgpack."""
    return Response(pack(value), media_type=PACKED_TYPE)


async def unpacked(request: Request, kind: type[T]) -> T:
    """An internal route's question. Raises `Refused` when it is not msgpack of `kind`."""
    try:
        return unpack(await request.body(), kind)
    except Malformed as fault:
        raise Refused("field_invalid", f"the body is no {kind.__name__}: {fault}") from fault


def parsed(body: bytes, kind: type[M]) -> M:
    """A public route's JSON body that came in a batch, taken or refused as the route itself would.
    Raises `Refused`: `json_malformed`, `field_invalid`."""
    if not body:
        raise _invalid([{"loc": (), "msg": "Field required"}])
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise _not_json() from fault
    try:
        return kind.model_validate(value, from_attributes=True)
    except ValidationError as fault:
        raise _invalid(fault.errors()) from fault


def as_problem(fault: Exception, *, path: str, method: str = "POST") -> Problem:
    """What a fault of a handler is answered with; what is ours is logged."""
    if isinstance(fault, Problem):
        return fault
    if isinstance(fault, LogError | StoreUnavailable):
        return _away(fault, path, method)
    _log.error("request failed", path=path, trace_id=trace.current(), exc_info=fault)
    return TryAgain("internal", "the fault is ours; quote the trace id when you report it")


def service_identity(request: Request) -> Identity:
    """The calling service. Raises `Refused` (401) when the header is not ours."""
    header = request.headers.get(identity.HEADER)
    if header is None:
        raise Refused("token_missing", "only the suite's own services call this route")
    try:
        known: Identity = request.app.state.signer.verify(header, request.app.state.clock.now_ms())
    except Forged as fault:
        raise Refused("token_invalid", f"the identity header does not hold: {fault}") from fault
    return known


class Person(Struct, frozen=True):
    """A signed-in user and the session that the request came by."""

    user: str
    session: str


def person(request: Request) -> Person:
    """Who asks, as the gateway says. Raises `Refused` (401) for anybody else."""
    known = service_identity(request)
    if known.user is None or known.session is None:
        raise Refused("token_missing", "sign in and send the access token as a bearer token")
    return Person(known.user, known.session)


Asker = Annotated[Person, Depends(person)]
FromService = Annotated[Identity, Depends(service_identity)]


async def _answer_fault(request: Request, fault: Exception) -> Response:
    return answer(as_problem(fault, path=request.url.path, method=request.method))


async def _answer_invalid(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)
    errors = fault.errors()
    if errors[0]["type"] == "json_invalid":
        return answer(_not_json())
    # The first step of a place says which part of the request it is in.
    return answer(_invalid([{**error, "loc": error["loc"][1:]} for error in errors]))


async def _answer_http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    if fault.status_code == 405:
        known = (fault.headers or {}).get("Allow", "")
        unknown = f"{request.url.path} does not know {request.method}, but {known}"
        response = answer(Refused("method_unknown", unknown))
        response.headers["allow"] = known
        return response
    if fault.status_code == 400:
        return answer(_not_json())
    return answer(Refused("route_unknown", f"there is no route {request.url.path}; see /docs"))


async def _answer_nobody(_: Request, __: Exception) -> Response:
    # The client went amid its own request: nobody reads this, and nothing is wrong with us.
    return answer(Refused("json_malformed", "the request ended before its body"))


def _not_json() -> Refused:
    return Refused("json_malformed", "send a body that is JSON in UTF-8")


def _invalid(errors: Sequence[Any]) -> Refused:
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    return Refused("field_invalid", f"{where}: {first['msg']}", field=where)


def _away(fault: Exception, path: str, method: str) -> Problem:
    # Whoever changes something may have appended before the fault: only a look is surely harmless.
    _log.warning("log or store away", path=path, fault=str(fault))
    if method == "GET":
        return TryAgain("service_away", "its log or store does not answer; try again")
    return OutcomeUnknown("outcome_unknown", "it may have been done; send the same again")


class _Traced:
    """Begins the trace of each request before anything else runs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            given = dict(scope["headers"]).get(trace.HEADER.encode())
            trace.begin(given.decode("latin-1") if given is not None else None)
        await self._app(scope, receive, send)
