"""The server side: whatever comes in, what goes out is an answer or a problem document."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from libs.runtime import identity, trace
from libs.runtime.identity import Identity, Signer
from libs.runtime.tests.world import KEY
from libs.runtime.web import Asker, FromService, answer, api, packed, unpacked
from libs.testing.clock import VirtualClock
from libs.wire.codec import Struct
from libs.wire.codes import OutcomeUnknown, Refused, TryAgain

CLOCK = VirtualClock()


class Part(BaseModel):
    """For tests."""

    model_config = ConfigDict(extra="forbid")
    size: Annotated[int, Field(ge=0)]


class Thing(BaseModel):
    """For tests."""

    model_config = ConfigDict(extra="forbid")
    title: str
    parts: list[Part] = []


class Point(Struct, frozen=True):
    """For tests."""

    x: int


def app() -> FastAPI:
    made = api("shop", signer=Signer(KEY), clock=CLOCK)

    @made.post("/things")
    async def things(thing: Thing, limit: Annotated[int, Query(le=10)] = 1) -> str:
        return thing.title

    @made.get("/refused")
    async def refused() -> None:
        raise Refused("token_expired", "refresh it", field="token")

    @made.get("/limited")
    async def limited() -> None:
        raise TryAgain("limit_hit", "slower", retry_after_s=3)

    @made.get("/crash")
    async def crash() -> None:
        raise KeyError("a secret")

    @made.get("/me")
    async def me(person: Asker) -> list[str]:
        return [person.user, person.session]

    @made.get("/service")
    async def service(known: FromService) -> str:
        return known.caller

    @made.post("/internal/point")
    async def point(request: Request) -> object:
        return packed(await unpacked(request, Point))

    return made


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as made:
        yield made


def problem_in(reply: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    document: dict[str, object] = reply.json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == f"urn:rostrum:problem:{code}"
    assert isinstance(document["trace_id"], str)
    assert len(document["trace_id"]) == 32
    return document


async def test_a_problem_is_answered_as_its_document(client: httpx.AsyncClient) -> None:
    reply = await client.get("/refused", headers={trace.HEADER: "ab" * 16})
    assert problem_in(reply, 401, "token_expired") == {
        "type": "urn:rostrum:problem:token_expired",
        "title": "The token has expired; refresh the session",
        "status": 401,
        "code": "token_expired",
        "detail": "refresh it",
        "retry": "no",
        "trace_id": "ab" * 16,
        "field": "token",
    }
    assert reply.headers["www-authenticate"] == "Bearer"
    assert "retry-after" not in reply.headers


async def test_a_hint_when_to_come_back_is_a_header(client: httpx.AsyncClient) -> None:
    reply = await client.get("/limited")
    assert problem_in(reply, 429, "limit_hit")["retry"] == "yes"
    assert reply.headers["retry-after"] == "3"
    assert "www-authenticate" not in reply.headers
    assert answer(OutcomeUnknown("outcome_unknown", "?")).status_code == 503


@pytest.mark.parametrize(
    ("body", "query", "field"),
    [
        ({}, "", "title"),
        ({"title": 1}, "", "title"),
        ({"title": "x", "parts": [{"size": 1}, {"size": -1}]}, "", "parts.1.size"),
        ({"title": "x", "colour": "red"}, "", "colour"),
        ({"title": "x"}, "?limit=11", "limit"),
        ([], "", "body"),
    ],
)
async def test_a_field_that_is_wrong_is_named_by_its_path(
    client: httpx.AsyncClient, body: object, query: str, field: str
) -> None:
    document = problem_in(await client.post(f"/things{query}", json=body), 422, "field_invalid")
    assert document["field"] == field
    assert str(document["detail"]).startswith(f"{field}: ")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"title": "x"} and more',
        b'{"title": "\xff\xfe"}',
        b"\x80",
        b"[" * 100_000,
        b'{"title": ' + b"9" * 5_000 + b"}",
    ],
)
async def test_a_body_that_is_not_json_in_utf8_is_the_clients_fault(
    client: httpx.AsyncClient, body: bytes
) -> None:
    reply = await client.post("/things", content=body, headers={"content-type": "application/json"})
    problem_in(reply, 400, "json_malformed")


async def test_an_unknown_route_or_method_is_told(client: httpx.AsyncClient) -> None:
    gone = problem_in(await client.get("/nowhere"), 404, "route_unknown")
    assert "/nowhere" in str(gone["detail"])
    reply = await client.delete("/things")
    assert "DELETE" in str(problem_in(reply, 405, "method_unknown")["detail"])
    assert reply.headers["allow"] == "POST"


async def test_a_crash_says_nothing_but_the_trace_id_by_which_the_log_tells_more(
    client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    reply = await client.get("/crash", headers={trace.HEADER: "cd" * 16})
    assert problem_in(reply, 500, "internal")["trace_id"] == "cd" * 16
    assert "secret" not in reply.text
    out, err = capfd.readouterr()
    assert "cd" * 16 in out + err
    assert "KeyError" in out + err


def signed(known: Identity, late_ms: int = 0) -> dict[str, str]:
    return {identity.HEADER: Signer(KEY).sign(known, CLOCK.now_ms() - late_ms)}


async def test_only_our_services_reach_an_internal_route(client: httpx.AsyncClient) -> None:
    assert (await client.get("/service", headers=signed(Identity("chat")))).json() == "chat"
    problem_in(await client.get("/service"), 401, "token_missing")
    for header in ("", "x", "é", "a.b"):
        raw = {identity.HEADER.encode(): header.encode()}
        problem_in(await client.get("/service", headers=raw), 401, "token_invalid")
    late = signed(Identity("chat"), identity.LIFE_MS + 1)
    problem_in(await client.get("/service", headers=late), 401, "token_invalid")


async def test_a_person_is_who_the_gateway_says(client: httpx.AsyncClient) -> None:
    me = await client.get("/me", headers=signed(Identity("gateway", "ann", "s1")))
    assert me.json() == ["ann", "s1"]
    for nobody in (Identity("gateway"), Identity("gateway", "ann"), Identity("gateway", None, "s")):
        document = problem_in(await client.get("/me", headers=signed(nobody)), 401, "token_missing")
        assert "sign in" in str(document["detail"])
    problem_in(await client.get("/me"), 401, "token_missing")


async def test_internal_bodies_are_msgpack_both_ways(client: httpx.AsyncClient) -> None:
    reply = await client.post("/internal/point", content=b"\x81\xa1x\x07")
    assert (reply.headers["content-type"], reply.content) == (
        "application/msgpack",
        b"\x81\xa1x\x07",
    )
    for garbage in (b"", b"\xc1", b"\x81\xa1x\xa1y", json.dumps({"x": 1}).encode()):
        reply = await client.post("/internal/point", content=garbage)
        assert "Point" in str(problem_in(reply, 422, "field_invalid")["detail"])
