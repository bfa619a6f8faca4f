"""Bad input at the front door: each gets the code that the docs promise, never a 500."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import httpx
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from harness.cluster import Cluster
from harness.people import People, Person
from harness.suite import Suite
from libs.wire.codes import CODES

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = "0" * 26
EXAMPLES = 10
# The routes are the same on Kafka; a few requests show that their ways there hold too.
EXAMPLES_ON_KAFKA = 4


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ada(people: People) -> Person:
    """Somebody who owns a private channel."""
    return await people.person("ada_bad")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def eve(people: People) -> Person:
    """Somebody who does not belong to it."""
    return await people.person("eve_bad")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channel(ada: Person) -> AsyncIterator[str]:
    """Ada's channel, with one message."""
    made = (await ada.create("bad", handle="bad_channel"))["id"]
    await ada.post_surely(made, "one", "one")
    yield made


POLL = "/v1/channels/{channel}/poll"
MESSAGES = "/v1/channels/{channel}/messages"
POST = {"client_id": "c", "text": "t"}
SIGN_UP = {"handle": "ada_bad", "password": "long enough", "display_name": "Ada"}
SIGN_IN = {"handle": "ada_bad", "password": "wrong one", "device": {"name": "x", "kind": "cli"}}

# Method, path, body, status, code: asked by the owner.
OWNER_CASES: list[tuple[str, str, Any, int, str]] = [
    ("GET", f"{POLL}?after=x", None, 400, "cursor_malformed"),
    (
        "GET",
        f"{POLL}?after=1-{1 << 63}",
        None,
        400,
        "cursor_malformed",
    ),
    ("GET", f"{POLL}?after=1-999", None, 409, "cursor_ahead"),
    ("GET", f"{POLL}?wait=51", None, 422, "field_invalid"),
    ("GET", f"/v1/channels/{UNKNOWN}/poll", None, 404, "channel_unknown"),
    ("GET", "/v1/channels/not-an-id/poll", None, 404, "channel_unknown"),
    ("GET", f"{MESSAGES}?limit=101", None, 422, "field_invalid"),
    ("GET", f"{MESSAGES}?after=1&before=3", None, 422, "field_invalid"),
    ("GET", f"/v1/channels/{UNKNOWN}", None, 404, "channel_unknown"),
    ("GET", "/v1/nothing", None, 404, "route_unknown"),
    ("PATCH", "/v1/keys", None, 405, "method_unknown"),
    ("POST", f"/v1/channels/{UNKNOWN}/messages", POST, 404, "channel_unknown"),
    ("POST", MESSAGES, {"text": "t"}, 422, "field_invalid"),
    ("POST", MESSAGES, POST | {"more": 1}, 422, "field_invalid"),
    ("POST", MESSAGES, POST | {"text": ""}, 422, "field_invalid"),
    ("POST", MESSAGES, POST | {"text": "x" * 4097}, 422, "field_invalid"),
    (
        "POST",
        MESSAGES,
        POST | {"text": "x" * 70_000},
        413,
        "body_too_large",
    ),
    ("POST", MESSAGES, POST | {"reply_to": 99}, 422, "reply_unknown"),
    (
        "POST",
        MESSAGES,
        {"client_id": "one", "text": "2"},
        422,
        "client_id_reused",
    ),
    ("POST", "/v1/accounts", SIGN_UP, 409, "handle_taken"),
    ("POST", "/v1/accounts", SIGN_UP | {"handle": "A B"}, 422, "field_invalid"),
    ("POST", "/v1/sessions", SIGN_IN, 401, "credentials_wrong"),
    ("POST", "/v1/sessions/refresh", {"refresh_token": "x"}, 401, "refresh_invalid"),
    ("DELETE", f"/v1/sessions/{UNKNOWN}", None, 404, "session_unknown"),
    ("POST", "/v1/channels", {"kind": "group"}, 422, "field_invalid"),
    (
        "POST",
        "/v1/channels",
        {"client_id": "x", "kind": "group", "title": "t", "handle": "bad_channel"},
        409,
        "handle_taken",
    ),
    ("DELETE", "/v1/channels/{channel}/members/me", None, 409, "owner_stays"),
    ("DELETE", f"/v1/channels/{{channel}}/members/{UNKNOWN}", None, 404, "member_unknown"),
]
# Asked by a stranger.
STRANGER_CASES: list[tuple[str, str, Any, int, str]] = [
    ("GET", "/v1/channels/{channel}", None, 403, "access_denied"),
    ("GET", POLL, None, 403, "access_denied"),
    ("GET", MESSAGES, None, 403, "access_denied"),
    ("POST", MESSAGES, POST, 403, "access_denied"),
    ("PUT", "/v1/channels/{channel}/members/me", None, 403, "access_denied"),
    ("PUT", f"/v1/channels/{{channel}}/bans/{UNKNOWN}", None, 403, "access_denied"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), OWNER_CASES)
async def test_a_wrong_request_of_the_owner(
    ada: Person, channel: str, *, method: str, path: str, body: Any, status: int, code: str
) -> None:
    """Even with every right, what is wrong is refused by name."""
    answer = await ada.ask(method, path.format(channel=channel), body)
    assert (answer.status, answer.body["code"]) == (status, code), answer
    assert answer.body["detail"]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), STRANGER_CASES)
async def test_a_stranger_is_refused(
    eve: Person, channel: str, *, method: str, path: str, body: Any, status: int, code: str
) -> None:
    """A private channel answers strangers with 403."""
    answer = await eve.ask(method, path.format(channel=channel), body)
    assert (answer.status, answer.body["code"]) == (status, code), answer


async def test_a_member_may_not_do_what_admins_do(ada: Person, eve: Person) -> None:
    """In a broadcast channel a member reads, and neither posts nor bans."""
    made = (await ada.create("cast", kind="broadcast", visibility="public"))["id"]
    await eve.join(made)
    posted = await eve.post(made, "me too", "1")
    banned = await eve.ask("PUT", f"/v1/channels/{made}/bans/{ada.id}")
    assert (posted.status, posted.body["code"]) == (403, "post_denied")
    assert (banned.status, banned.body["code"]) == (403, "role_too_low")


async def test_every_closed_route_wants_a_token(suite: Suite | Cluster) -> None:
    """No route but those marked open answers without a token, or with a forged one."""
    forged = {"authorization": "Bearer x.y.z"}
    async with httpx.AsyncClient(base_url=suite.url) as client:
        for method, path in _closed((await client.get("/openapi.json")).json()):
            bare = await client.request(method, path)
            assert (bare.status_code, bare.json()["code"]) == (401, "token_missing"), path
            known = await client.request(method, path, headers=forged)
            assert (known.status_code, known.json()["code"]) == (401, "token_invalid"), path


def _closed(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (method, re.sub(r"{\w+}", UNKNOWN, path))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "security" in operation
    ]


@pytest.mark.parametrize(
    ("content", "media_type", "code"),
    [
        (b"{", "application/json", "json_malformed"),
        (b'{"handle": "\xff"}', "application/json", "json_malformed"),
        (b"[]", "application/json", "field_invalid"),
        (b"null", "application/json", "field_invalid"),
        (b"", "application/json", "field_invalid"),
        (b"a=b", "application/x-www-form-urlencoded", "media_type_unknown"),
    ],
)
async def test_bodies_that_are_no_json_objects(
    suite: Suite | Cluster, content: bytes, media_type: str, code: str
) -> None:
    """They are refused by name."""
    async with httpx.AsyncClient(base_url=suite.url) as client:
        reply = await client.post(
            "/v1/accounts", content=content, headers={"content-type": media_type}
        )
    assert reply.json()["code"] == code
    assert reply.status_code == CODES[code].status


@pytest.mark.timeout(240)
async def test_no_generated_request_is_answered_500(
    suite: Suite | Cluster, ada: Person, channel: str, figures: list[str]
) -> None:
    """Requests generated from the document, right ones and wrong ones, on every route."""
    schema = schemathesis.openapi.from_url(f"{suite.url}/openapi.json")
    headers = {"authorization": f"Bearer {ada.token}"}
    seen: Counter[int] = Counter()
    routes = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    most = EXAMPLES if isinstance(suite, Suite) else EXAMPLES_ON_KAFKA
    for operation in routes:
        for mode, ids in product(GenerationMode, (None, {"channel": channel})):
            cases = operation.as_strategy(generation_mode=mode, path_parameters=ids)
            try:
                _fuzz(cases, headers, seen, most)
            except Unsatisfiable:
                # A route without parameters and body cannot be asked wrongly.
                assert mode is GenerationMode.NEGATIVE
    assert (await ada.ask("GET", "/v1/me")).status == 200, "the token died on the way"
    assert {200, 201, 204, 404, 422} <= set(seen), f"not generated well: {seen}"
    figures.append(f"{seen.total()} generated requests on {len(routes)} routes, no 500: {seen}")


def _fuzz(
    cases: SearchStrategy[schemathesis.Case[Any]],
    headers: dict[str, str],
    seen: Counter[int],
    most: int,
) -> None:
    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: schemathesis.Case[Any]) -> None:
        if case.path.endswith("/poll"):
            case.query["wait"] = 0
        reply = case.call(headers=headers)
        seen[reply.status_code] += 1
        assert reply.status_code != 500, case.as_curl_command()

    ask()
