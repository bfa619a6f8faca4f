"""Routes that other services own: authenticated, bounded, handed on with a signed identity."""

from collections.abc import Iterable, Mapping
from functools import partial

from fastapi import FastAPI, Response
from starlette.requests import Request

from libs.runtime.service import Ports
from libs.runtime.web import Person
from libs.wire.codes import Refused

from ...catalog import Route
from ..settings import Settings
from ..tokens import Tokens

JSON = "application/json"
HANDED_BACK = (
    "content-type",
    "retry-after",
    "www-authenticate",
    "location",
    "etag",
    "cache-control",
)
# On the way they would be resolved, and lead to another route than the one that was matched here.
DOTS = frozenset((b".", b".."))
NO_BODY = ("GET", "DELETE", "HEAD")


class Forwarder:
    """Hands requests on to the services that own their routes."""

    def __init__(self, ports: Ports, tokens: Tokens, settings: Settings) -> None:
        self._ports = ports
        self._tokens = tokens
        self._settings = settings

    def add(self, app: FastAPI, routes: Iterable[Route]) -> None:
        """Serve in `app` each of `routes` that goes alone; schemas come from their services."""
        for route in routes:
            if route.in_batches:
                continue
            app.add_api_route(
                route.path,
                partial(self._forward, route),
                methods=[route.method],
                include_in_schema=False,
            )

    async def _forward(self, route: Route, request: Request) -> Response:
        authorization = request.headers.get("authorization")
        person = None if route.open else await self._tokens.person(authorization)
        body = await body_of(request, self._settings.body_bytes_max)
        reply = await self._ports.calls.send(
            route.service,
            route.method,
            _target(request),
            body=body,
            headers={"content-type": JSON} if body else {},
            deadline_s=self._settings.forward_s,
            **_asker(person),
        )
        return Response(reply.body, reply.status, headers=_handed_back(reply.headers))


def _asker(person: Person | None) -> dict[str, str]:
    return {} if person is None else {"user": person.user, "session": person.session}


def _target(request: Request) -> str:
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    if not DOTS.isdisjoint(path.split(b"/")):
        raise Refused("route_unknown", "there is no route with . or .. in it; see /docs")
    query: bytes = request.scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


def _handed_back(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in HANDED_BACK if name in headers}


async def body_of(request: Request, most: int) -> bytes:
    """The whole body, at most `most` bytes of JSON. Raises `Refused` (413, 415)."""
    if request.method in NO_BODY:
        return b""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refused("body_too_large", f"send at most {most} bytes")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and media_type != JSON:
        raise Refused("media_type_unknown", f"send the body with 'Content-Type: {JSON}'")
    return body
