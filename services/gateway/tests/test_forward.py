"""What is handed on to other services, and what is not."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Response
from starlette.types import Receive, Scope, Send

from libs.runtime import identity
from libs.runtime.identity import Identity
from services.gateway.tests.edge import CHANNEL, Edge, edge
from services.gateway.tests.fakes import ident

POST = "/v1/channels"
MOST = 65_536
JSON = {"content-type": "application/json"}


async def post(it: Edge, body: bytes | AsyncIterator[bytes], **headers: str) -> httpx.Response:
    return await it.client.post(POST, content=body, headers={**it.bearer(), **JSON, **headers})


async def test_a_request_is_handed_on_with_the_identity_of_its_token() -> None:
    async with edge() as it:
        reply = await post(it, b'{"text":"hi"}')
        assert (reply.status_code, reply.json()) == (200, {"heard": True})
        (heard,) = it.members.echo.heard
        assert heard.asker == Identity("gateway", ident("ann"), ident("s-ann"))
        assert (heard.method, heard.path, heard.body) == ("POST", POST, b'{"text":"hi"}')
        assert "authorization" not in heard.headers


async def test_an_identity_from_outside_is_overwritten() -> None:
    async with edge() as it:
        forged = it.ports.signer.sign(Identity("chat", "boss", "s-boss"), it.clock.now_ms())
        await post(it, b"{}", **{identity.HEADER: forged})
        await it.client.post("/v1/accounts", json={}, headers={identity.HEADER: forged})
        assert it.members.echo.heard[0].asker.user == ident("ann")
        assert it.session.echo.heard[0].asker == Identity("gateway")


async def test_other_headers_from_outside_are_not_handed_on() -> None:
    async with edge() as it:
        await post(it, b"{}", cookie="a=b", **{"x-forwarded-for": "1.2.3.4", "x-any": "1"})
        assert not {"cookie", "x-forwarded-for", "x-any"} & it.members.echo.heard[0].headers.keys()


async def test_an_open_route_needs_no_token_and_a_closed_one_does() -> None:
    async with edge() as it:
        assert (await it.client.post("/v1/sessions", json={})).status_code == 200
        reply = await it.client.get("/v1/sessions")
        assert (reply.status_code, reply.json()["code"]) == (401, "token_missing")
        assert len(it.session.echo.heard) == 1


@pytest.mark.parametrize("size", [MOST, MOST + 1])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["whole", "chunked"])
async def test_a_body_over_the_limit_is_too_large(size: int, is_chunked: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, size, 10_000):
            yield bytes(min(10_000, size - start))

    async with edge() as it:
        reply = await post(it, chunks() if is_chunked else bytes(size))
        if size <= MOST:
            assert len(it.members.echo.heard[0].body) == size
        else:
            assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")
            assert it.members.echo.heard == []


@pytest.mark.parametrize("kind", ["text/plain", "", "application/jsonx", "multipart/form-data"])
async def test_a_body_of_another_type_is_refused(kind: str) -> None:
    async with edge() as it:
        reply = await post(it, b"{}", **{"content-type": kind})
        assert (reply.status_code, reply.json()["code"]) == (415, "media_type_unknown")
        assert it.members.echo.heard == []


async def test_a_charset_in_the_type_does_no_harm_and_no_body_needs_no_type() -> None:
    async with edge() as it:
        kind = "Application/JSON; charset=utf-8"
        assert (await post(it, b"{}", **{"content-type": kind})).is_success
        reply = await it.client.put(f"/v1/channels/{CHANNEL}/members/me", headers=it.bearer())
        assert reply.is_success


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/channels", "handle=a%20b&x=1+2&y=%C3%A9&handle=c"),
        ("/v1/channels/a%20b%3Fc", ""),
        ("/v1/channels/%E2%82%AC%25", "a=%2F..%2F&b"),
        ("/v1/channels/a;b=c,d:@!$'()*", "q=[1]"),
        ("/v1/channels/%2e%2e", ""),
    ],
)
async def test_path_and_query_arrive_as_they_were_sent(path: str, query: str) -> None:
    async with edge() as it:
        url = httpx.URL("http://edge").copy_with(raw_path=f"{path}?{query}".encode().rstrip(b"?"))
        reply = await it.client.get(url, headers=it.bearer())
        assert reply.is_success
        (heard,) = it.members.echo.heard
        assert (heard.path, heard.query) == (path, query)


@pytest.mark.parametrize("path", [f"/v1/channels/{dots}/members" for dots in ("..", ".")])
async def test_a_path_with_dots_leads_nowhere(path: str) -> None:
    """It would be resolved on the way, to a route that was not the one matched here."""
    async with edge() as it:

        async def unresolved(scope: Scope, receive: Receive, send: Send) -> None:
            said = {"path": path, "raw_path": path.encode()}
            await it.running.app({**scope, **said}, receive, send)

        async with it.http(unresolved) as client:
            reply = await client.get("/", headers=it.bearer())
        assert (reply.status_code, reply.json()["code"]) == (404, "route_unknown")
        assert it.members.echo.heard == []


async def test_status_body_and_allowed_headers_come_back_and_no_others() -> None:
    async with edge() as it:
        allowed = {
            "etag": '"1"',
            "cache-control": "private",
            "location": "/v1/x",
            "retry-after": "3",
        }
        inner = {"set-cookie": "a=b", "server": "inner", "x-rostrum-identity": "secret"}
        it.members.echo.reply = Response(
            b"{}", 201, {**allowed, **inner}, media_type="application/json"
        )
        reply = await post(it, b"{}")
        assert (reply.status_code, reply.content) == (201, b"{}")
        assert reply.headers.items() >= {**allowed, "content-type": "application/json"}.items()
        assert not inner.keys() & reply.headers.keys()


async def test_a_problem_of_a_service_comes_back_as_it_is() -> None:
    async with edge() as it:
        problem = b'{"code":"post_denied"}'
        it.members.echo.reply = Response(problem, 403, media_type="application/problem+json")
        reply = await post(it, b"{}")
        assert (reply.status_code, reply.content) == (403, problem)
        assert reply.headers["content-type"] == "application/problem+json"


async def test_a_service_that_is_not_there_is_away() -> None:
    async with edge(is_attached=False) as it:
        reply = await it.client.post("/v1/accounts", json={})
        assert (reply.status_code, reply.json()["code"]) == (503, "service_away")
        assert reply.headers["retry-after"] == "1"


async def test_a_route_that_nobody_owns_is_unknown_and_so_is_an_inner_one() -> None:
    async with edge() as it:
        for path in ("/v1/nothing", "/internal/access", "/internal/pages", "/", "/v1"):
            reply = await it.client.post(path, headers=it.bearer())
            assert (reply.status_code, reply.json()["code"]) == (404, "route_unknown")


async def test_a_method_that_the_route_does_not_know_is_refused() -> None:
    async with edge() as it:
        for method, path in (("DELETE", "/v1/me"), ("GET", "/v1/accounts"), ("POST", "/docs")):
            reply = await it.client.request(method, path, headers=it.bearer())
            assert (reply.status_code, reply.json()["code"]) == (405, "method_unknown")
