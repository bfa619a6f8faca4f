"""The cheap client tells what was certainly not done from what is not known."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from faults.gateway import NO_ANSWER, Answer, Gateway

ANSWER = b'HTTP/1.1 201 Created\r\nContent-Length: 8\r\nRetry-After: 2\r\n\r\n{"id":7}'


@asynccontextmanager
async def gateway(*answers: bytes) -> AsyncIterator[tuple[Gateway, list[bytes]]]:
    """Answers requests in turn; an empty answer closes the connection, and after the last one
    nothing is answered."""
    asked: list[bytes] = []
    left = iter(answers)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            asked.append(head)
            answer = next(left, None)
            if answer is None:
                await reader.read()
            if not answer:
                return
            writer.write(answer)

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(EOFError, OSError):
            await talk(reader, writer)
        writer.close()
        ended.put_nowait(None)

    ended: asyncio.Queue[None] = asyncio.Queue()
    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    async with server:
        client = Gateway(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        yield client, asked
        client.close()
        await ended.get()


async def ask(client: Gateway, timeout_s: float = 5.0) -> Answer:
    return await client.ask("GET", "/v1/me", "token", timeout_s=timeout_s)


async def test_an_answer_is_read_and_its_connection_used_again() -> None:
    async with gateway(ANSWER, ANSWER) as (client, asked):
        assert await ask(client) == Answer(201, {"id": 7}, 2.0)
        assert await ask(client) == Answer(201, {"id": 7}, 2.0)
    assert asked[0].startswith(b"GET /v1/me HTTP/1.1\r\n")
    assert b"Authorization: Bearer token\r\n" in asked[0]


async def test_a_connection_that_breaks_leaves_the_outcome_unknown() -> None:
    async with gateway(b"") as (client, _):
        answer = await ask(client)
    assert answer.status == NO_ANSWER
    assert not answer.is_certainly_undone


async def test_a_request_without_answer_is_given_up_and_unknown() -> None:
    async with gateway() as (client, _):
        answer = await ask(client, timeout_s=0.05)
    assert (answer.status, answer.code) == (NO_ANSWER, "timeout")
    assert not answer.is_certainly_undone


async def test_without_a_connection_nothing_was_done() -> None:
    async with gateway(ANSWER) as (client, _):
        await ask(client)
    assert (await ask(client)).is_certainly_undone


def test_a_problem_says_whether_it_was_done() -> None:
    assert Answer(503, {"code": "not_written", "retry": "yes"}).is_certainly_undone
    assert Answer(403, {"code": "access_denied", "retry": "no"}).is_certainly_undone
    assert not Answer(503, {"code": "outcome_unknown", "retry": "same-key"}).is_certainly_undone
    assert not Answer(502, {}).is_certainly_undone
