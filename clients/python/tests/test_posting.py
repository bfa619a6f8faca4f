"""A post is written once, whatever happens to its attempts."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.python.tests.posts import AT, CODES, NOT_WRITTEN, UNKNOWN, Channel, Step
from clients.python.tests.scripted import Scripted, in_turn, nowhere, problem, said
from rostrum import Backoff, Client, NotPosted, Refused, Session, Unreachable

QUICK = Backoff(first_s=0.001, most_s=0.002)
# Longer than a post is sent again: it is given up at once.
AN_HOUR = "3600"
CHANNEL = "01KA3Q5V8Z0J6T4M2N7R9X1C3E"

STEPS = st.one_of(
    st.sampled_from(sorted(NOT_WRITTEN)).map(lambda code: Step(is_written=False, answer=code)),
    st.builds(
        Step,
        is_written=st.booleans(),
        answer=st.sampled_from([*UNKNOWN, "proxy", "cut"]),
        cut=st.integers(0, 120),
    ),
)


def client(*urls: str) -> Client:
    return Client(urls, session=Session.of_token("a-token"), backoff=QUICK)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, max_size=6))
def test_a_post_is_written_once_whatever_happens_to_its_attempts(steps: list[Step]) -> None:
    """Answers that are lost, cut at any byte, refused for a while or not a gateway's at all."""

    async def play() -> None:
        channel = Channel(steps)
        async with Scripted(channel.handle) as gateway, client(gateway.url) as poster:
            posted = await poster.post(CHANNEL, "hello")
        assert channel.texts == ["hello"]
        assert posted.id == 1
        assert channel.attempts == len(steps) + 1
        assert len({request.body["client_id"] for request in gateway.requests}) == 1
        said_retry = [request.body.get("retry", False) for request in gateway.requests]
        assert said_retry == expected_retries(steps)
        assert posted.is_repeat == any(step.is_written for step in steps)

    asyncio.run(play())


def expected_retries(steps: list[Step]) -> list[bool]:
    """From the first attempt on whose outcome the client cannot know, it says so."""
    unknown = [step.answer not in NOT_WRITTEN for step in steps]
    return [any(unknown[:at]) for at in range(len(steps) + 1)]


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(STEPS, min_size=1, max_size=4),
    broken=st.lists(st.booleans(), min_size=2, max_size=3),
)
def test_several_gateways_share_one_post(steps: list[Step], broken: list[bool]) -> None:
    """Some of the addresses lead nowhere; those that answer write to one log."""

    async def play() -> None:
        channel = Channel(steps)
        async with Scripted(channel.handle) as gateway:
            urls = [nowhere() if is_broken else gateway.url for is_broken in broken]
            async with client(*urls, gateway.url) as poster:
                await poster.post(CHANNEL, "hello")
        assert channel.texts == ["hello"]

    asyncio.run(play())


async def test_what_is_refused_is_not_sent_again() -> None:
    async with (
        Scripted(in_turn(problem(403, "banned", "no"))) as gateway,
        client(gateway.url) as poster,
    ):
        with pytest.raises(Refused) as refused:
            await poster.post(CHANNEL, "hello")
    assert (refused.value.code, refused.value.may_be_done) == ("banned", False)
    assert len(gateway.requests) == 1


async def test_what_is_refused_after_an_unknown_outcome_may_have_been_written() -> None:
    replies = in_turn(problem(503, "outcome_unknown", "same-key"), problem(403, "banned", "no"))
    async with Scripted(replies) as gateway, client(gateway.url) as poster:
        with pytest.raises(Refused) as refused:
            await poster.post(CHANNEL, "hello")
    assert refused.value.may_be_done


@pytest.mark.parametrize(
    ("code", "is_unknown"), [("service_away", False), ("outcome_unknown", True)]
)
async def test_a_post_that_is_given_up_says_whether_it_may_have_been_written(
    code: str, is_unknown: bool
) -> None:
    async with (
        Scripted(in_turn(problem(503, code, CODES[code][1], after=AN_HOUR))) as gateway,
        client(gateway.url) as poster,
    ):
        with pytest.raises(NotPosted) as given_up:
            await poster.post(CHANNEL, "hello")
    assert given_up.value.is_unknown is is_unknown
    assert given_up.value.client_id == gateway.requests[0].body["client_id"]
    assert (given_up.value.client_id in str(given_up.value)) is is_unknown


async def test_an_earlier_unknown_outcome_outlives_a_later_refusal_to_try() -> None:
    """A limit says nothing of the attempt before it."""
    replies = in_turn(problem(503, "outcome_unknown", "same-key"), problem(429, "limit_hit", "yes"))
    async with Scripted(replies) as gateway, client(gateway.url) as poster:
        with pytest.raises(NotPosted) as given_up:
            await poster.post(CHANNEL, "hello", within_s=0.1)
    assert given_up.value.is_unknown


async def test_where_nobody_listens_nothing_was_written() -> None:
    urls = [nowhere(), nowhere()]
    async with client(*urls) as poster:
        with pytest.raises(NotPosted) as given_up:
            await poster.post(CHANNEL, "hello", within_s=0.1)
    assert not given_up.value.is_unknown
    assert isinstance(given_up.value.__cause__, Unreachable)
    assert set(given_up.value.__cause__.tried) == set(urls)


async def test_an_answer_that_cannot_be_read_ends_it_at_once() -> None:
    async with (
        Scripted(in_turn(said({"id": "one"}, 201))) as gateway,
        client(gateway.url) as poster,
    ):
        with pytest.raises(NotPosted, match="another version") as given_up:
            await poster.post(CHANNEL, "hello")
    assert given_up.value.is_unknown
    assert len(gateway.requests) == 1


async def test_a_limit_is_waited_for_as_long_as_it_says() -> None:
    replies = in_turn(
        problem(429, "limit_hit", "yes", after="1"),
        said({"id": 1, "cursor": "1-1", "at": AT}, 201),
    )
    loop = asyncio.get_running_loop()
    async with Scripted(replies) as gateway, client(gateway.url) as poster:
        began = loop.time()
        await poster.post(CHANNEL, "hello")
        assert loop.time() - began >= 1.0


async def test_a_wait_that_would_outlast_the_deadline_is_not_begun() -> None:
    replies = in_turn(problem(429, "limit_hit", "yes", after=AN_HOUR))
    async with Scripted(replies) as gateway, client(gateway.url) as poster:
        with pytest.raises(NotPosted, match="limit_hit"):
            await poster.post(CHANNEL, "hello", within_s=60.0)
    assert len(gateway.requests) == 1


async def test_a_limit_is_not_gone_round_by_another_gateway() -> None:
    replies = in_turn(
        problem(429, "limit_hit", "yes"), said({"id": 1, "cursor": "1-1", "at": AT}, 201)
    )
    async with (
        Scripted(replies) as limited,
        Scripted(in_turn(problem(403, "banned", "no"))) as other,
        client(limited.url, other.url) as poster,
    ):
        await poster.post(CHANNEL, "hello")
    assert other.requests == []


async def test_what_was_sent_by_an_earlier_run_says_so() -> None:
    async with (
        Scripted(in_turn(said({"id": 1, "cursor": "1-1", "at": AT}))) as gateway,
        client(gateway.url) as poster,
    ):
        posted = await poster.post(CHANNEL, "hello", client_id="k1", was_sent=True)
    assert posted.is_repeat
    assert gateway.requests[0].body == {"client_id": "k1", "text": "hello", "retry": True}


async def test_what_would_change_the_path_is_no_id() -> None:
    async with client("http://localhost:1") as poster:
        with pytest.raises(ValueError, match="not an id"):
            await poster.post("../me", "hello")
