"""A run from its first follower to its verdict, every wait of it bounded."""

import asyncio
from collections.abc import Callable, Sequence

from cli.loading.crew import Crew, crew_of
from cli.loading.share import Wanted
from cli.loading.summary import Summary
from cli.loading.words import POSTED_S, Place, Plan
from cli.show import Trouble

# After the ramp: a gateway that is busy says come again in some seconds, once or twice.
CONNECT_S = 20.0
# A process that has much to do answers later than it should.
SLACK_S = 10.0
SHOWN_EVERY_S = 0.5

# Is told what is done now, and what was counted so far.
Shown = Callable[[str, Summary], None]


class Run:
    """`settle_s` is how long followers are given for what was acknowledged last."""

    def __init__(self, wanted: Wanted, places: Sequence[Place], settle_s: float) -> None:
        self._wanted = wanted
        self._places = places
        self._settle_s = settle_s
        self._doing = "connecting"

    async def go(self, plans: Sequence[Plan], shown: Shown) -> tuple[Summary, dict[str, int]]:
        """The summary, and what went wrong by kind. Raises `Trouble` when workers do not go on."""
        try:
            async with crew_of(plans) as crew, asyncio.TaskGroup() as tasks:
                others = [
                    tasks.create_task(crew.hear()),
                    tasks.create_task(self._show(crew, shown)),
                ]
                await self._phases(crew)
                for task in others:
                    task.cancel()
        except* Trouble as troubles:
            raise Trouble(str(troubles.exceptions[0])) from troubles
        return _summary(crew), dict(crew.errors())

    async def _phases(self, crew: Crew) -> None:
        wanted = self._wanted
        await crew.until(lambda: self._are_connected(crew), wanted.ramp_s + CONNECT_S)
        self._doing = "posting"
        await crew.begin_posts()
        within_s = wanted.seconds + POSTED_S + SLACK_S
        await self._surely(crew, crew.have_posted, within_s)
        self._doing = "settling"
        await crew.judge(self._until(crew), self._settle_s)
        await self._surely(crew, crew.have_judged, self._settle_s + SLACK_S)

    async def _surely(self, crew: Crew, is_so: Callable[[], bool], within_s: float) -> None:
        if not await crew.until(is_so, within_s):
            raise Trouble(
                f"the workers are not through with {self._doing} within {within_s:.0f} s: this "
                "machine is too busy for so much load; ask for less, or for more --processes"
            )

    def _are_connected(self, crew: Crew) -> bool:
        connected: int = sum(row["connected"] for row in _summary(crew).ways())
        return connected >= self._wanted.followers

    def _until(self, crew: Crew) -> list[int]:
        """The last id of each place that was acknowledged."""
        return [
            max((ident for ident, _ in pairs), default=place.start)
            for place, pairs in zip(self._places, crew.acks, strict=True)
        ]

    async def _show(self, crew: Crew, shown: Shown) -> None:
        while True:
            shown(self._doing, _summary(crew))
            await asyncio.sleep(SHOWN_EVERY_S)


def _summary(crew: Crew) -> Summary:
    return Summary(list(crew.stats.values()), list(crew.verdicts))
