"""The scenarios of docs/conformance.json, played to this client over real sockets."""

import asyncio
import math
import re

import pytest

from clients.python.tests.leftovers import tasks_of_ours
from conformance.scenarios import PAGE, WAYS, Run, Scenario, scenarios
from conformance.stage import Stage, Told, staged
from rostrum import Message, Refused, Session, SignedOut, Unknown, Void
from rostrum.backoff import Backoff
from rostrum.events import Ended, Event, Jumped, Received, WasReset
from rostrum.follower import Follower
from rostrum.following.patience import Patience
from rostrum.http import Http
from rostrum.sessions import MemorySessions

RUNS = [(each, run) for each in scenarios().values() for run in each.runs]
PROTOCOL = PAGE.with_name("protocol.md")
# Frames that a follower does not ask for.
NOT_ASKED_FOR = {"posted"}
QUICK = Backoff(0.01, 0.1)


@pytest.mark.parametrize(
    ("scenario", "run"), RUNS, ids=[f"{scenario.name} ({run})" for scenario, run in RUNS]
)
async def test_the_client_does_what_the_scenario_says(scenario: Scenario, run: Run) -> None:
    told = Told()
    async with staged(scenario, run) as stage, http_of(stage) as http:
        ending = await followed(stage, http, told)
        await stage.left(told)
    assert ending == dict(scenario.ends)


def http_of(stage: Stage) -> Http:
    said = stage.session()
    session = Session(
        access_token=said["access_token"],
        refresh_token=said["refresh_token"],
        id=said["session_id"],
        renew_at=math.inf,
        expires_at=math.inf,
    )
    sessions = MemorySessions(session)
    return Http(stage.urls, sessions=sessions, user_agent="conformance", backoff=QUICK)


async def followed(stage: Stage, http: Http, told: Told) -> dict[str, str]:
    """How it ended; nothing when it had to be closed."""
    bounds = Patience(**stage.scenario.bounds)
    async with (
        Follower(http, stage.cursors, ways=stage.run.ways, patience=bounds) as follower,
        asyncio.TaskGroup() as group,
    ):
        reading = group.create_task(read(follower, told))
        await stage.done(told)
        if stage.scenario.ends:
            return await reading
        reading.cancel()
    assert not tasks_of_ours()
    return {}


async def read(follower: Follower, told: Told) -> dict[str, str]:
    try:
        async for event in follower:
            note(event, told)
    except Refused as fault:
        return {"raises": "refused", "code": fault.code}
    except SignedOut:
        return {"raises": "signed_out"}
    return {"by": "itself"}


def note(event: Event, told: Told) -> None:
    match event:
        case Received(channel, Message(id=ident, text=text)):
            assert text == f"entry {ident}"
            told.received(channel, ident, "message")
        case Received(channel, Void(id=ident)):
            told.received(channel, ident, "void")
        case Received(channel, Unknown(id=ident, type=kind)):
            told.received(channel, ident, kind)
        case Jumped(channel, cursor):
            told.said(channel, {"jumped": cursor})
        case WasReset(channel, cursor):
            told.said(channel, {"reset": cursor})
        case Ended(channel, code):
            told.said(channel, {"ended": code})


def test_every_rule_frame_and_close_code_has_a_scenario() -> None:
    covered = {what for each in scenarios().values() for what in each.covers}
    page = PROTOCOL.read_text("utf-8")
    rules = {f"rule {number}" for number in re.findall(r"(?m)^([1-6])\. ", page)}
    closes = {f"close {code}" for code in re.findall(r"(?m)^\| (4\d(?:\d\d|xx)) ", page)}
    frames = re.findall(r"(?m)^\| `(\w+)` \|", page.split("### Frames from the gateway")[1])
    assert len(rules) == 6
    assert len(closes) == 8
    assert rules | closes <= covered
    assert set(frames) - NOT_ASKED_FOR <= covered


def test_there_are_enough_scenarios() -> None:
    assert len(scenarios()) >= 25
    assert {run.ways for each in scenarios().values() for run in each.runs} >= {
        (way,) for way in WAYS
    }
