"""What gateways answer, and what answers in their place: each said in our own words."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.python.tests.scripted import Reply, Scripted, deaf, in_turn, nowhere, problem, said
from libs.testing.eventually import eventually
from rostrum import (
    OutcomeUnknown,
    Problem,
    Refused,
    RostrumError,
    TryAgain,
    Unreachable,
    Unreadable,
    User,
)
from rostrum.door import ANSWER_BYTES_MAX, RETRY_AFTER_DIGITS_MAX, Door, Question

ME = {"id": "u", "handle": "ada", "display_name": "Ada"}
WHO = Question(method="GET", path="/v1/me", shape=User)
ANSWER_S = 10.0


async def asked(
    *replies: Reply, question: Question[User] = WHO, answer_s: float = ANSWER_S
) -> User:
    async with Scripted(in_turn(*replies)) as gateway:
        return await asked_at(gateway.url, question=question, answer_s=answer_s)


async def asked_at(url: str, *, question: Question[User] = WHO, answer_s: float = ANSWER_S) -> User:
    door = Door("tests")
    try:
        return (await door.send(url, question, "token", answer_s=answer_s)).value
    finally:
        await door.close()


async def test_fields_that_are_not_known_are_skipped() -> None:
    assert await asked(said({**ME, "pronouns": "she", "nested": {"a": [1]}})) == User(
        id="u", handle="ada", name="Ada"
    )


async def test_a_request_says_who_asks_and_carries_json() -> None:
    question = Question(
        method="POST", path="/v1/me", shape=User, body={"text": "grüß"}, query={"a": 1, "b": "x y"}
    )
    async with Scripted(in_turn(said(ME))) as gateway:
        await asked_at(gateway.url, question=question)
    (request,) = gateway.requests
    assert (request.token, request.headers["user-agent"]) == ("token", "tests")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert (request.target, request.body) == ("/v1/me?a=1&b=x+y", {"text": "grüß"})


@pytest.mark.parametrize(
    ("retry", "kind"), [("no", Refused), ("yes", TryAgain), ("same-key", OutcomeUnknown)]
)
async def test_a_problem_is_raised_as_what_its_retry_says(retry: str, kind: type[Problem]) -> None:
    with pytest.raises(Problem) as raised:
        await asked(problem(503, "a_code_to_come", retry, after="7", detail="wait a little"))
    fault = raised.value
    assert type(fault) is kind
    assert (fault.code, fault.detail) == ("a_code_to_come", "wait a little")
    assert (fault.status, fault.retry_after_s) == (503, 7.0)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, Refused), (429, TryAgain), (500, OutcomeUnknown), (502, OutcomeUnknown)],
)
async def test_what_is_no_problem_of_ours_is_quoted_and_judged_by_its_status(
    status: int, kind: type[Problem]
) -> None:
    with pytest.raises(Problem, match="nginx") as raised:
        await asked(Reply(status, b"<h1>nginx</h1>" + b"x" * 10_000, "text/html"))
    assert type(raised.value) is kind
    assert raised.value.code == "not_ours"
    assert len(str(raised.value)) < 500


async def test_a_retry_that_is_not_known_is_judged_by_its_status() -> None:
    with pytest.raises(OutcomeUnknown):
        await asked(problem(503, "a_code_to_come", "in-a-while"))


@pytest.mark.parametrize("after", ["soon", "-1", "1e9", "Fri, 27 Nov 2026 08:00:00 GMT", "9" * 99])
async def test_a_retry_after_that_is_no_number_of_seconds_is_none(after: str) -> None:
    with pytest.raises(TryAgain) as raised:
        await asked(problem(429, "limit_hit", "yes", after=after))
    assert raised.value.retry_after_s is None


async def test_the_longest_retry_after_is_taken() -> None:
    with pytest.raises(TryAgain) as raised:
        await asked(problem(429, "limit_hit", "yes", after="9" * RETRY_AFTER_DIGITS_MAX))
    assert raised.value.retry_after_s == float("9" * RETRY_AFTER_DIGITS_MAX)


async def test_a_redirect_is_not_followed_and_says_where_it_leads() -> None:
    """Whoever it leads to would be handed the token."""
    with pytest.raises(Refused, match=r"https://elsewhere\.example"):
        await asked(Reply(308, headers={"location": "https://elsewhere.example/v1/me"}))


async def test_a_page_for_people_is_no_answer() -> None:
    with pytest.raises(Refused, match="check the address"):
        await asked(Reply(200, b"<html>Sign in to the wireless</html>", "text/html"))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"id": 7}', b"\xff"])
async def test_an_answer_that_cannot_be_read_may_have_been_an_answer(body: bytes) -> None:
    with pytest.raises(Unreadable, match="another version"):
        await asked(Reply(200, body))


async def test_an_answer_as_large_as_answers_may_be_is_read() -> None:
    padding = ANSWER_BYTES_MAX - len(json.dumps({**ME, "more": ""}))
    assert (await asked(said({**ME, "more": "x" * padding}))).id == "u"


async def test_a_larger_answer_is_not_read_to_its_end() -> None:
    with pytest.raises(Unreadable, match="bytes"):
        await asked(said({**ME, "more": "x" * ANSWER_BYTES_MAX}))


async def test_where_nobody_listens_nothing_was_sent() -> None:
    url = nowhere()
    with pytest.raises(Unreachable, match=url) as raised:
        await asked_at(url)
    assert not raised.value.may_be_done


async def test_a_deadline_that_falls_into_connecting_is_before_anything_was_sent() -> None:
    with deaf() as url, pytest.raises(Unreachable, match=r"no answer in 0\.05 s"):
        await asked_at(url, answer_s=0.05)


async def test_a_deadline_that_falls_into_waiting_for_a_connection_is_too() -> None:
    gate = asyncio.Event()

    async def hold(_: object) -> Reply:
        await gate.wait()
        return said(ME)

    async with Scripted(hold) as gateway:
        door = Door("tests", connections=1)
        first = asyncio.ensure_future(door.send(gateway.url, WHO, "token", answer_s=ANSWER_S))
        await eventually(lambda: gateway.requests, within_s=ANSWER_S, what="the first is sent")
        with pytest.raises(Unreachable):
            await door.send(gateway.url, WHO, "token", answer_s=0.05)
        gate.set()
        assert (await first).value.id == "u"
        await door.close()
    assert len(gateway.requests) == 1


async def test_who_does_not_answer_in_time_may_have_done_it() -> None:
    never = asyncio.Event()

    async def wait(_: object) -> Reply:
        await never.wait()
        return said(ME)

    async with Scripted(wait) as gateway:
        with pytest.raises(OutcomeUnknown, match=r"no answer in 0\.05 s") as raised:
            await asked_at(gateway.url, answer_s=0.05)
        never.set()
    assert raised.value.may_be_done


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 160))
def test_an_answer_cut_at_any_byte_is_whole_or_unknown(cut: int) -> None:
    whole = said(ME).raw()

    async def play() -> None:
        if cut >= len(whole):
            assert (await asked(said(ME, cut=cut))).handle == "ada"
        else:
            with pytest.raises(OutcomeUnknown, match="connection_broken"):
                await asked(said(ME, cut=cut))

    asyncio.run(play())


@settings(max_examples=100, deadline=None)
@given(
    raw=st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=80).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest),
    )
)
def test_rubbish_is_never_more_than_an_error_of_ours(raw: bytes) -> None:
    async def play() -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(raw)
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            with pytest.raises(RostrumError):
                await asked_at(url)

    asyncio.run(play())


async def test_connections_are_shared_up_to_their_limit() -> None:
    most = 2
    inside = top = 0
    gate = asyncio.Event()

    async def hold(_: object) -> Reply:
        nonlocal inside, top
        inside += 1
        top = max(top, inside)
        if inside == most:
            gate.set()
        await gate.wait()
        inside -= 1
        return said(ME)

    async with Scripted(hold) as gateway:
        door = Door("tests", connections=most)
        asks = (door.send(gateway.url, WHO, "token", answer_s=ANSWER_S) for _ in range(6))
        await asyncio.gather(*asks)
        await door.close()
    assert top == most
