"""A scenario on its stage: its gateways, and what a client has to have done in the end."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from conformance.gateway import Gateway
from conformance.logs import Logs, entry, expanded
from conformance.scenarios import Run, Scenario, channels
from conformance.script import Script, Tokens
from libs.testing.eventually import eventually

# From the first connection to the last thing that has to happen.
DONE_S = 20.0
LEFT_S = 3.0
# A token that lasts for all of a scenario.
EXPIRES_IN_S = 600


class Wrong(Exception):
    """A client does not do what the scenario says."""


@dataclass
class Told:
    """What a client told its user, by channel id: ids of entries as they are in JSON (`received`),
    else a map with one key: `jumped` and `reset` to a cursor, `ended` to a code."""

    of: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def received(self, channel: str, ident: int, kind: str) -> None:
        """An entry: a message, a void, or one of a type that is not known."""
        wanted = entry(ident)["type"]
        assert kind == wanted, f"entry {ident} is {wanted}, not {kind}"
        self.of[channel].append(ident)

    def said(self, channel: str, what: Mapping[str, str]) -> None:
        """Something else."""
        self.of[channel].append(dict(what))


class Stage:
    """What a client meets. `urls` are the gateways', `cursors` what it is asked to follow."""

    def __init__(self, scenario: Scenario, run: Run, script: Script, urls: list[str]) -> None:
        self.scenario = scenario
        self.run = run
        self.script = script
        self.urls = urls
        ident = script.logs.ident
        self.cursors = {ident(name): at for name, at in scenario.cursors.items()}
        self._wanted = {ident(name): list(_events(row)) for name, row in scenario.yields.items()}

    def session(self) -> dict[str, Any]:
        """What it is signed in with, as a gateway answers a sign-in."""
        return self.script.tokens.signed_in()

    async def done(self, told: Told) -> None:
        """All was told, and all was played. Raises `Wrong`, or `AssertionError` when it takes too
        long."""

        def is_done() -> bool:
            self._check(told)
            assert dict(told.of) == self._wanted, f"told {_shown(told.of)}"
            assert not self.script.left, f"not played: {self.script.left}"
            return True

        await eventually(is_done, within_s=DONE_S, what=f"{self.scenario.name} ({self.run})")

    def _check(self, told: Told) -> None:
        """Raises `Wrong` for what cannot become right any more."""
        if self.script.faults:
            raise Wrong(f"{self.script.faults}")
        for channel, events in told.of.items():
            if events != self._wanted.get(channel, [])[: len(events)]:
                raise Wrong(f"told {_shown(told.of)}")

    async def left(self, told: Told) -> None:
        """The client ended: it has closed everything, and nothing more was told."""
        what = "every connection is closed"
        await eventually(lambda: not self.script.open, within_s=LEFT_S, what=what)
        self._check(told)
        assert dict(told.of) == self._wanted, f"told more: {_shown(told.of)}"


@asynccontextmanager
async def staged(scenario: Scenario, run: Run) -> AsyncIterator[Stage]:
    """Play it."""
    asks = scenario.asks
    logs = Logs(channels(asks.get("many", 0)), scenario.log)
    tokens = Tokens(asks.get("expires_in_s", EXPIRES_IN_S), bool(asks.get("is_signed_out")))
    script = Script(run, logs, tokens, scenario.pages)
    async with AsyncExitStack() as leaving:
        made = [Gateway(script) for _ in range(asks.get("gateways", 1))]
        gateways = [await leaving.enter_async_context(each) for each in made]
        yield Stage(scenario, run, script, [each.url for each in gateways])


def _events(row: Iterable[Any]) -> Iterable[Any]:
    for event in row:
        if isinstance(event, dict):
            yield event
        else:
            yield from expanded([event])


def _shown(told: Mapping[str, list[Any]]) -> str:
    return str({channel: (len(events), events[-20:]) for channel, events in told.items()})[:2_000]
