"""A post is sent again with its `client_id`, at any gateway, until it is acknowledged."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from faults.clients import Order, World
from faults.gateway import NO_ANSWER, Answer, Gateway
from faults.notes import Notes
from faults.posters import Posters

from checker.history import Failed, Invoke, Ok, Unknown, Writer, read

UNKNOWN = Answer(503, {"code": "outcome_unknown", "retry": "same-key"})
AWAY = Answer(503, {"code": "service_away", "retry": "yes"})
SILENCE = Answer(NO_ANSWER, {"code": "timeout"})
DENIED = Answer(403, {"code": "post_denied", "retry": "no"})
NEW, AGAIN = Answer(201, {"id": 7}), Answer(200, {"id": 7})


class Scripted(Gateway):
    """Answers by a script that all gateways of a test share."""

    def __init__(self, answers: Iterator[Answer], asked: list[dict[str, Any]]) -> None:
        super().__init__("127.0.0.1:1")
        self._answers = answers
        self._asked = asked

    async def ask(
        self, method: str, path: str, token: str = "", *, body: Any = None, timeout_s: float
    ) -> Answer:
        self._asked.append(body)
        return next(self._answers)


async def posted(history: Path, answers: Sequence[Answer]) -> tuple[Posters, list[dict[str, Any]]]:
    """One post, answered so."""
    ada = {"handle": "ada", "id": "ada", "token": "t"}
    order = Order(["a:1", "b:2"], ["c"], [ada], 0, 7, 1_000.0, 1, str(history))
    world, asked = World(order), list[dict[str, Any]]()
    script = iter(answers)
    world.gateways = [Scripted(script, asked) for _ in order.gateways]
    world.done.set()
    with Writer(history) as writer:
        posters = Posters(world, Notes(writer))
        async with asyncio.timeout(30):
            await posters.run()
    return posters, asked


async def test_it_is_sent_until_it_is_acknowledged_and_each_attempt_is_noted(
    tmp_path: Path,
) -> None:
    history = tmp_path / "history"
    posters, asked = await posted(history, [UNKNOWN, AWAY, SILENCE, AGAIN])
    events = read(history)
    assert [type(event) for event in events] == [
        *(Invoke, Unknown, Invoke, Failed, Invoke, Unknown, Invoke, Ok)
    ]
    assert [event.attempt for event in events if isinstance(event, Invoke)] == [1, 2, 3, 4]
    assert {body["client_id"] for body in asked} == {"7-1"}
    assert {body["text"] for body in asked} == {"post 7-1"}
    assert "retry" not in asked[0]
    assert posters.heads == {"c": 7}


async def test_an_acknowledgement_says_whether_the_attempt_made_the_message(tmp_path: Path) -> None:
    for name, answer in (("new", NEW), ("again", AGAIN)):
        await posted(tmp_path / name, [answer])
        (_, told) = read(tmp_path / name)
        assert isinstance(told, Ok)
        assert told.is_new == (name == "new")


async def test_what_is_refused_is_not_sent_again(tmp_path: Path) -> None:
    posters, asked = await posted(tmp_path / "history", [DENIED])
    assert len(asked) == 1
    assert posters.heads == {}
