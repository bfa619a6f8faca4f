"""Routes that other services own: authenticated, bounded, handed on with a signed identity."""

from collections.abc import Iterable, Mapping

from fastapi import FastAPI, Request, Response

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
NO_BODY = ("GET", "DELETE", "HEAD")


def add_forwarded(
    app: FastAPI, routes: Iterable[Route], ports: Ports, tokens: Tokens, settings: Settings
) -> None:
    """Hand each of `routes` on to its service."""
    for route in routes:
        app.add_api_route(
            route.path,
            _handler(route, ports, tokens, settings),
            methods=[route.method],
            include_in_schema=False,
        )


def _handler(route: Route, ports: Ports, tokens: Tokens, settings: Settings):  # type: ignore[no-untyped-def]
    async def forward(request: Request) -> Response:
        person = None if route.open else await tokens.person(request.headers.get("authorization"))
        body = await _body(request, settings.body_bytes_max)
        reply = await ports.calls.send(
            route.service,
            route.method,
            _target(request),
            body=body,
            headers={"content-type": JSON} if body else {},
            deadline_s=settings.forward_s,
            **_asker(person),
        )
        return Response(reply.body, reply.status, headers=_handed_back(reply.headers))

    return forward


def _asker(person: Person | None) -> dict[str, str]:
    return {} if person is None else {"user": person.user, "session": person.session}


def _target(request: Request) -> str:
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


def _handed_back(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in HANDED_BACK if name in headers}


async def _body(request: Request, most: int) -> bytes:
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
