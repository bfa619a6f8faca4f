"""Calls between services: the same answers and problems in one process and over a socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from libs.runtime import trace
from libs.runtime.calls import CONNECT_S, DEADLINE_HEADER, Caller
from libs.runtime.identity import Signer
from libs.runtime.tests.world import KEY, caller
from libs.runtime.web import Asker, FromService, api, packed, unpacked
from libs.testing.clock import VirtualClock
from libs.testing.served import served
from libs.wire.codec import Struct, from_json
from libs.wire.codes import CODES, OutcomeUnknown, Problem, Refused, TryAgain, problem

DEADLINE_S = 10.0
SHORT_S = 0.05


class Question(Struct, frozen=True):
    """For tests."""

    number: int


class Answer(Struct, frozen=True):
    """For tests."""

    twice: int


class Seen(Struct, frozen=True):
    """What came along with a request."""

    caller: str
    user: str
    session: str
    trace: str
    deadline_ms: int


def bakery(clock: VirtualClock, key: bytes = KEY) -> FastAPI:
    """The other service."""
    app = api("bakery", signer=Signer(key), clock=clock)

    @app.post("/internal/twice")
    async def twice(request: Request, who: FromService) -> Response:
        return packed(Answer((await unpacked(request, Question)).number * 2))

    @app.get("/seen")
    async def seen(request: Request, who: FromService, person: Asker) -> dict[str, object]:
        return {
            "caller": who.caller,
            "user": person.user,
            "session": person.session,
            "trace": trace.current(),
            "deadline_ms": int(request.headers[DEADLINE_HEADER]),
        }

    @app.post("/internal/problem/{code}")
    async def fail(code: str) -> None:
        raise problem(code, "so it is", field="number", retry_after_s=7)

    @app.post("/internal/page")
    async def page() -> Response:
        return Response("<h1>Bad gateway</h1>", status_code=502)

    @app.post("/internal/garbage")
    async def garbage() -> Response:
        return Response(b"\xc1")

    @app.post("/internal/crash")
    async def crash() -> None:
        raise ZeroDivisionError

    @app.api_route("/hang", methods=["GET", "POST", "PUT", "DELETE"])
    async def hang(request: Request) -> None:
        # Until the caller has gone.
        while not await request.is_disconnected():
            await request.receive()

    return app


@pytest.fixture(params=["one process", "socket"])
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Caller]:
    """A service that calls the bakery."""
    clock = VirtualClock()
    async with AsyncExitStack() as stack:
        if request.param == "socket":
            calls = caller(
                clock, {"bakery": await stack.enter_async_context(served(bakery(clock)))}
            )
        else:
            calls = caller(clock)
            calls.attach("bakery", bakery(clock))
        stack.push_async_callback(calls.close)
        yield calls


async def test_a_question_is_answered(shop: Caller) -> None:
    answer = await shop.ask(
        "bakery", "/internal/twice", Question(21), Answer, deadline_s=DEADLINE_S
    )
    assert answer == Answer(42)


async def raised(work: Awaitable[object]) -> Problem:
    with pytest.raises(Problem) as fault:
        await work
    return fault.value


def ask(calls: Caller, path: str, deadline_s: float = DEADLINE_S) -> Awaitable[Answer]:
    return calls.ask("bakery", path, Question(1), Answer, deadline_s=deadline_s)


async def test_every_problem_comes_back_as_what_it_was(shop: Caller) -> None:
    for name, code in CODES.items():
        if code.retry == "same-key":
            continue
        fault = await raised(ask(shop, f"/internal/problem/{name}"))
        assert type(fault) is type(problem(name, ""))
        assert fault.code is code
        assert (fault.detail, fault.field, fault.retry_after_s) == ("so it is", "number", 7)


async def test_a_question_that_may_have_been_done_was_not(shop: Caller) -> None:
    """A service says so of any POST when its store dies; a question changes nothing."""
    fault = await raised(ask(shop, "/internal/problem/outcome_unknown"))
    assert isinstance(fault, TryAgain)
    assert fault.code.name == "service_away"


async def test_what_is_no_problem_document_is_a_service_that_is_away(shop: Caller) -> None:
    fault = await raised(ask(shop, "/internal/page"))
    assert isinstance(fault, TryAgain)
    assert (fault.code.name, fault.detail) == (
        "service_away",
        "bakery answered 502 without a problem",
    )


async def test_an_answer_that_is_not_the_one_asked_for_is_a_service_that_is_away(
    shop: Caller,
) -> None:
    fault = await raised(ask(shop, "/internal/garbage"))
    assert (fault.code.name, fault.detail) == ("service_away", "bakery answers no Answer")


async def test_a_question_of_another_shape_is_refused(shop: Caller) -> None:
    work = shop.ask("bakery", "/internal/twice", Answer(1), Answer, deadline_s=DEADLINE_S)
    fault = await raised(work)
    assert isinstance(fault, Refused)
    assert fault.code.name == "field_invalid"


async def test_a_crash_over_there_is_a_problem_here(shop: Caller) -> None:
    fault = await raised(ask(shop, "/internal/crash"))
    assert isinstance(fault, TryAgain)
    assert fault.code.name == "internal"


async def test_identity_trace_and_deadline_go_along(shop: Caller) -> None:
    with trace.kept():
        trace_id = trace.begin(None)
        reply = await shop.send(
            "bakery", "GET", "/seen", deadline_s=DEADLINE_S, user="ann", session="s1"
        )
    assert from_json(reply.body, Seen) == Seen("shop", "ann", "s1", trace_id, 10_000)


async def test_a_call_outside_of_requests_leaves_no_trace_behind(shop: Caller) -> None:
    reply = await shop.send("bakery", "GET", "/seen", deadline_s=1, user="ann", session="s1")
    assert len(from_json(reply.body, Seen).trace) == 32
    assert trace.current() == ""


async def test_a_reply_is_handed_back_as_it_is_problems_included(shop: Caller) -> None:
    reply = await shop.send("bakery", "GET", "/nowhere", deadline_s=DEADLINE_S)
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/problem+json"


async def test_an_identity_of_another_deployment_is_refused() -> None:
    clock = VirtualClock()
    calls = caller(clock)
    calls.attach("bakery", bakery(clock, key=bytes(32)))
    fault = await raised(ask(calls, "/internal/twice"))
    assert (fault.code.name, fault.code.status) == ("token_invalid", 401)
    await calls.close()


async def test_a_late_answer_is_unknown_only_where_something_may_have_changed(
    shop: Caller,
) -> None:
    got = await raised(shop.send("bakery", "GET", "/hang", deadline_s=SHORT_S))
    assert isinstance(got, TryAgain)
    assert got.code.name == "service_away"
    for method in ("POST", "PUT", "DELETE"):
        changed = await raised(shop.send("bakery", method, "/hang", deadline_s=SHORT_S))
        assert isinstance(changed, OutcomeUnknown)
        assert changed.code.name == "outcome_unknown"
    asked = await raised(ask(shop, "/hang", SHORT_S))
    assert isinstance(asked, TryAgain)
    assert asked.code.name == "service_away"


async def test_a_service_that_is_not_there_did_nothing() -> None:
    async with served(bakery(VirtualClock())) as address:
        pass
    calls = caller(VirtualClock(), {"bakery": address})
    for method in ("GET", "POST"):
        fault = await raised(calls.send("bakery", method, "/seen", deadline_s=DEADLINE_S))
        assert isinstance(fault, TryAgain)
        assert (fault.code.name, fault.retry_after_s) == ("service_away", 1)
    await calls.close()


async def test_a_connection_that_breaks_amid_a_post_is_unknown() -> None:
    async with dead_end(lambda writer: writer.close()) as address:
        calls = caller(VirtualClock(), {"bakery": address})
        fault = await raised(calls.send("bakery", "POST", "/x", deadline_s=DEADLINE_S))
        assert isinstance(fault, OutcomeUnknown)
        await calls.close()


@asynccontextmanager
async def dead_end(then: Callable[[asyncio.StreamWriter], None]) -> AsyncIterator[str]:
    """A listener that reads a request's head and does not answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        then(writer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    clock = VirtualClock()
    async with served(bakery(clock)) as address:
        calls = caller(clock, {"bakery": address})
        assert calls.addresses("bakery") == (address,)
        assert await ask(calls, "/internal/twice") == Answer(2)
        await calls.close()


async def test_the_signed_value_serves_links_that_are_no_requests(shop: Caller) -> None:
    known = Signer(KEY).verify(shop.signed("ann", "s1"), VirtualClock().now_ms())
    assert (known.caller, known.user, known.session) == ("shop", "ann", "s1")
    assert httpx.Headers({"x": shop.signed()})["x"] == shop.signed()


@contextmanager
def out_of_reach() -> Iterator[str]:
    """Nothing comes back from there, as when a cable is cut."""
    with ExitStack() as closing:
        full = closing.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        # Those that nobody accepts fill its queue; the kernel drops what comes then.
        for _ in range(4):
            waiting = closing.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield f"http://127.0.0.1:{full.getsockname()[1]}"


async def test_the_only_instance_is_waited_for_and_certainly_did_nothing() -> None:
    """Nearly as long as there is time, which leaves some to say so."""
    loop = asyncio.get_running_loop()
    with out_of_reach() as address:
        calls = caller(VirtualClock(), {"bakery": address})
        began_s = loop.time()
        fault = await raised(calls.send("bakery", "POST", "/x", deadline_s=3 * CONNECT_S))
        assert isinstance(fault, TryAgain)
        assert loop.time() - began_s > CONNECT_S * 1.5
        await calls.close()


async def test_an_instance_out_of_reach_leaves_time_for_the_next() -> None:
    clock = VirtualClock()
    with out_of_reach() as full:
        async with served(bakery(clock)) as address:
            addresses = {"bakery": (full, address)}
            calls = Caller("shop", signer=Signer(KEY), clock=clock, addresses=addresses)
            try:
                replies = [await ask(calls, "/internal/twice") for _ in range(2)]
            finally:
                await calls.close()
    assert replies == [Answer(2)] * 2


async def test_an_instance_that_is_not_reached_is_passed_over_for_the_next() -> None:
    """Every call is answered, whichever instance is asked first."""
    clock = VirtualClock()
    async with served(bakery(clock)) as address:
        addresses = {"bakery": ("http://127.0.0.1:1", address)}
        calls = Caller("shop", signer=Signer(KEY), clock=clock, addresses=addresses)
        try:
            replies = [await ask(calls, "/internal/twice") for _ in range(4)]
        finally:
            await calls.close()
    assert replies == [Answer(2)] * 4
