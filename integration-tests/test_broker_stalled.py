"""The only broker stands still for 20 s, as a machine that hangs does: posts say what is known, and
go on by themselves."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.cluster import Cluster, servers_of
from harness.people import Answer, People, Person
from libs.testing.eventually import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240), pytest.mark.long]

STALL_S = 20.0
POSTERS = 4
BETWEEN_S = 0.1
RECOVERED_S = 60.0


class Poster:
    """Posts one message after the other, each until it is acknowledged; notes every answer."""

    def __init__(self, person: Person, channel: str, name: str) -> None:
        self._person = person
        self._channel = channel
        self._name = name
        self.acknowledged: dict[str, int] = {}
        self.answers: Counter[str] = Counter()
        self.number = 0

    async def post_until(self, done: asyncio.Event) -> None:
        while not done.is_set():
            text = f"{self._name} {self.number}"
            answer = await self._person.post(self._channel, text, text.replace(" ", "-"))
            self.note(text, answer)
            # Posters pause as people do: the gap is what is looked at, not the rate.
            await asyncio.wait({asyncio.ensure_future(done.wait())}, timeout=BETWEEN_S)

    def note(self, text: str, answer: Answer) -> None:
        if answer.status in {200, 201}:
            self.answers["acknowledged"] += 1
            self.acknowledged[text] = int(answer.body["id"])
            self.number += 1
        else:
            self.answers[answer.body["code"] if answer.body else "broken"] += 1


@pytest.mark.law("L1")
async def test_a_broker_that_stands_still_loses_nothing_and_needs_no_restart(
    tmp_path: Path, figures: list[str]
) -> None:
    """While it stands still posts answer 503 `outcome_unknown`; afterwards they are acknowledged
    again by the same processes, and every acknowledged one is there once."""
    with servers_of(tmp_path / "servers", nodes=1) as servers:
        (broker,) = servers.nodes
        async with (
            Cluster(tmp_path / "cluster", servers, instances=1) as cluster,
            People(cluster.url) as people,
        ):
            ada = await people.person("ada")
            channel = (await ada.create())["id"]
            posters = [Poster(ada, channel, f"p{number}") for number in range(POSTERS)]
            done = asyncio.Event()
            posting = [asyncio.ensure_future(each.post_until(done)) for each in posters]
            await eventually(lambda: _all_have(posters, 5), within_s=30, what="posts go through")
            before = {seat: program.pid for seat, program in cluster.programs.items()}
            broker.pause()
            paused = time.monotonic()
            await eventually(
                lambda: time.monotonic() - paused > STALL_S, within_s=STALL_S + 5, what="the stall"
            )
            told = await cluster.lacks("chat")
            broker.resume()
            resumed = time.monotonic()
            count = [len(each.acknowledged) for each in posters]
            await eventually(
                lambda: all(
                    len(each.acknowledged) > had + 5
                    for each, had in zip(posters, count, strict=True)
                ),
                within_s=RECOVERED_S,
                what="posts go through again",
            )
            recovered_s = time.monotonic() - resumed
            done.set()
            await asyncio.gather(*posting)
            entries = await ada.read(channel)
            assert before == {seat: program.pid for seat, program in cluster.programs.items()}
    _judge(entries, posters)
    answers = sum((each.answers for each in posters), Counter())
    assert answers["outcome_unknown"] >= POSTERS
    assert any("log" in lack for lack in told), "health did not say that the log is away"
    figures.append(
        f"broker stopped {STALL_S:.0f} s: {answers}, all post on {recovered_s:.1f} s later"
    )


def _all_have(posters: Sequence[Poster], count: int) -> bool:
    return all(len(each.acknowledged) >= count for each in posters)


def _judge(entries: list[dict[str, object]], posters: Sequence[Poster]) -> None:
    assert [entry["id"] for entry in entries] == list(range(1, len(entries) + 1))
    messages = [entry for entry in entries if entry["type"] == "message"]
    texts = {entry["id"]: entry["text"] for entry in messages}
    assert len(set(texts.values())) == len(messages), "a post shows twice"
    for poster in posters:
        lost = [text for text, at in poster.acknowledged.items() if texts.get(at) != text]
        assert not lost, f"acknowledged, but not there: {lost}"
