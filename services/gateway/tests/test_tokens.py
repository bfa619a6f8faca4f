"""Which tokens count: every way to bend one is a 401, and none is a 500."""

import asyncio
import json
from base64 import urlsafe_b64encode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from libs.wire.tokens import ALGORITHM, LIFE_S_MAX, TYP
from services.gateway.tests.edge import CHANNEL, Edge, edge

ROUTE = f"/v1/channels/{CHANNEL}/poll"
HEADERS = {"typ": TYP, "kid": "k1"}


async def code(it: Edge, authorization: str | None) -> str:
    """The code with which a poll is refused, or `ok`."""
    headers = {} if authorization is None else {"authorization": authorization}
    reply = await it.client.get(ROUTE, headers=headers)
    if reply.status_code == 200:
        return "ok"
    refused: str = reply.json()["code"]
    assert reply.status_code == (401 if refused.startswith("token_") else 503)
    return refused


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


async def test_a_token_of_ours_counts_until_it_expires() -> None:
    async with edge() as it:
        it.channel()
        token = f"Bearer {it.session.token('ann')}"
        assert await code(it, token) == "ok"
        it.clock.advance(LIFE_S_MAX - 5)
        assert await code(it, token) == "ok"
        it.clock.advance(5)
        assert await code(it, token) == "token_expired"
        assert await code(it, token) == "token_expired"
        assert await code(it, f"bearer {it.session.token('ann')}") == "ok"


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "another"},
        {"iss": None},
        {"sub": None},
        {"sid": None},
        {"exp": None},
        {"iat": None},
        {"kid": "unknown"},
        {"headers": {"typ": "JWT"}},
        {"headers": {"typ": None}},
        {"headers": {"crit": ["b64"]}},
    ],
    ids=str,
)
async def test_a_token_that_says_something_else_is_invalid(change: dict[str, object]) -> None:
    async with edge() as it:
        it.channel()
        token = it.session.token("ann", **change)  # type: ignore[arg-type]
        assert await code(it, f"Bearer {token}") == "token_invalid"


async def test_an_expired_token_that_is_new_to_us_is_expired() -> None:
    async with edge() as it:
        it.channel()
        token = it.session.token("ann", exp=it.clock.now_ms() // 1000 - 1)
        assert await code(it, f"Bearer {token}") == "token_expired"


async def test_an_algorithm_is_not_chosen_by_the_token() -> None:
    async with edge() as it:
        it.channel()
        claims = it.session.claims("ann")
        raw = it.session.keys["k1"].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        none = jwt.encode(claims, "", algorithm="none", headers=HEADERS)
        key = raw.hex()
        by_public_key = jwt.encode(claims, key, algorithm="HS256", headers=HEADERS)
        for token in (none, by_public_key):
            assert await code(it, f"Bearer {token}") == "token_invalid"


async def test_a_signature_of_another_key_or_of_another_text_does_not_hold() -> None:
    async with edge() as it:
        it.channel()
        stranger = Ed25519PrivateKey.generate()
        token = jwt.encode(it.session.claims("ann"), stranger, algorithm=ALGORITHM, headers=HEADERS)
        assert await code(it, f"Bearer {token}") == "token_invalid"
        head, _, mac = it.session.token("ann").split(".")
        _, other, _ = it.session.token("bob").split(".")
        assert await code(it, f"Bearer {head}.{other}.{mac}") == "token_invalid"
        assert await code(it, f"Bearer {head}.{other}.") == "token_invalid"


OURS = {"alg": ALGORITHM, **HEADERS}
SURROGATE = "\ud800"


def headed(header: object) -> str:
    """A token with that header, no claims and no signature."""
    return f"{part(header)}.e30.AA"


HOSTILE = {
    "word": "garbage",
    "dots": "..",
    "many": ".".join("abcdefgh"),
    "nested": headed(b"[" * 2_900),
    "array": headed([1]),
    "null": headed(None),
    "no-utf8": headed(b"\xff\xfe"),
    "kid-number": headed({**OURS, "kid": 7}),
    "kid-surrogate": headed({**OURS, "kid": SURROGATE}),
    "crit-surrogate": headed({**OURS, "crit": [SURROGATE]}),
    "alg-list": headed({**OURS, "alg": [ALGORITHM]}),
    "typ-object": headed({**OURS, "typ": {}}),
    "claims-array": f"{part(OURS)}.{part([])}.AA",
    "latin": "caf\xe9.caf\xe9.caf\xe9",
    "long": "a" * 4_097,
    "much-longer": "a" * 60_000,
}


@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE)
async def test_garbage_is_an_invalid_token_and_no_fault_of_ours(token: str) -> None:
    async with edge() as it:
        it.channel()
        header = (b"authorization", f"Bearer {token}".encode("latin-1"))
        reply = await it.client.get(ROUTE, headers=[header])
        assert (reply.status_code, reply.json()["code"]) == (401, "token_invalid")
        assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "token"])
async def test_a_header_without_a_bearer_token_is_a_missing_token(header: str | None) -> None:
    async with edge() as it:
        assert await code(it, header) == "token_missing"


async def test_a_revoked_session_is_refused_and_others_are_not() -> None:
    async with edge() as it:
        it.channel()
        token = f"Bearer {it.session.token('ann')}"
        assert await code(it, token) == "ok"
        await it.revoke("s-ann")
        await it.until(lambda: code(it, token), "token_invalid")
        assert await code(it, f"Bearer {it.session.token('ann')}") == "token_invalid"
        assert await code(it, f"Bearer {it.session.token('bob')}") == "ok"


async def test_a_new_key_is_fetched_when_a_token_names_it() -> None:
    async with edge() as it:
        it.channel()
        it.clock.advance(2)
        it.session.keys["k2"] = Ed25519PrivateKey.generate()
        assert await code(it, f"Bearer {it.session.token('ann', kid='k2')}") == "ok"
        assert await code(it, f"Bearer {it.session.token('ann', kid='k1')}") == "ok"
        assert it.session.asked == 2


async def test_invented_key_ids_cost_one_fetch_a_second_at_most() -> None:
    async with edge() as it:
        it.channel()
        it.clock.advance(2)
        asked = it.session.asked
        tokens = [f"Bearer {it.session.token('ann', kid=f'x{number}')}" for number in range(20)]
        codes = await asyncio.gather(*(code(it, token) for token in tokens))
        assert set(codes) == {"token_invalid"}
        assert it.session.asked == asked + 1


async def test_without_keys_tokens_wait_for_the_session_service() -> None:
    async with edge(is_ready=False) as it:
        it.channel()
        it.session.is_away = True
        token = f"Bearer {it.session.token('ann')}"
        assert await code(it, token) == "service_away"
        assert any("keys" in lack for lack in it.running.lacks())
        it.session.is_away = False
        await it.soon(lambda: not it.running.lacks(), "the gateway is ready")
        assert await code(it, token) == "ok"
