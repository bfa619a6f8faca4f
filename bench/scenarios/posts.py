"""Posts through gateway and chat onto a real broker, beside a bare producer there."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.callers import Called, Callers, Calling
from bench.clustered import Clustered
from bench.failure import Failure
from bench.floors.producer import BareProducer, make_topic
from bench.messages import TEXT
from bench.plan import Plan
from bench.results import OURS, Bar, Metric, Results
from bench.rostrum import AUTHORIZED, channels_of
from deploy.kafka.distribution import CannotStart

PRODUCER = "bare producer"
# What connections, batches and caches need to be there is had before.
WARM_S = 0.5
# Connections that post at a steady rate: more than are ever out.
POSTERS = 20


@dataclass(frozen=True)
class Sizes:
    """To so many `channels`, so many posts `in_flight`, for so many seconds each time; and to the
    fewest of them so many a second."""

    channels: Sequence[int] = (16, 1_000)
    in_flight: Sequence[int] = (1, 100, 1_000)
    per_s: float = 200.0
    seconds: float = 3.0

    def has_bar(self, channels: int, in_flight: int) -> bool:
        """Whether it is the one that has to reach something: many posts to few channels."""
        return channels == min(self.channels) and in_flight == max(self.in_flight)


FULL = Sizes()
RATE = Metric("rate", "posts/s", "that were acknowledged", more_is_better=True, floor=PRODUCER)
RATE_OF_MANY = replace(RATE, bar=Bar(value=2_000, ratio=0.5, is_least=True))
P50 = Metric("p50", "ms", "from the post to its acknowledgement, of half of them", floor=PRODUCER)
P50_STEADY = replace(P50, bar=Bar(over=5))
P99 = Metric("p99", "ms", "the same, of 99 % of them", floor=PRODUCER)


def posts(plan: Plan, results: Results, sizes: Sizes = FULL) -> None:
    """By turns, for each number of channels and of posts in flight. All share all CPUs: a broker
    takes more than one."""
    rostrum = Clustered(None, 1)
    try:
        rostrum.start(plan.folder / "posts")
        named = channels_of(rostrum.owner, max(sizes.channels))
        for count in sizes.channels:
            file = plan.folder / f"{count}.channels"
            file.write_text("\n".join(named[:count]) + "\n", "ascii")
            _Turns(plan, results, rostrum, sizes=sizes, file=file, channels=count).play()
    except (CannotStart, Failure, OSError) as fault:
        results.note(OURS, f"posts: {fault}")
    finally:
        rostrum.stop()


class _Turns:
    """Those to one number of channels, named in `file`."""

    def __init__(
        self,
        plan: Plan,
        results: Results,
        rostrum: Clustered,
        *,
        sizes: Sizes,
        file: Path,
        channels: int,
    ) -> None:
        self._plan, self._results, self._rostrum = plan, results, rostrum
        self._sizes, self._file, self._channels = sizes, file, channels
        topic = f"bench-{channels}"
        make_topic(rostrum.bootstrap, topic, channels)
        self._producer = BareProducer(rostrum.bootstrap, topic, channels)

    def play(self) -> None:
        """All rounds."""
        for _ in range(self._plan.rounds):
            for in_flight in self._sizes.in_flight:
                self._in_flight(in_flight)
            if self._channels == min(self._sizes.channels):
                self._steady()

    def _in_flight(self, in_flight: int) -> None:
        seconds = self._sizes.seconds
        has_bar = self._sizes.has_bar(self._channels, in_flight)
        self._add(
            f"{in_flight} in flight",
            [RATE_OF_MANY if has_bar else RATE, P50, P99],
            ours=lambda: self._ours(in_flight, lambda callers: callers.call(seconds)),
            floor=lambda: self._floor(lambda: self._producer.produce(in_flight, seconds)),
        )

    def _steady(self) -> None:
        seconds, per_s = self._sizes.seconds, self._sizes.per_s
        self._add(
            f"{per_s:g} a second",
            [P50_STEADY, P99],
            ours=lambda: self._ours(POSTERS, lambda callers: callers.call(seconds, per_s)),
            floor=lambda: self._floor(lambda: self._producer.produce_at(per_s, seconds)),
        )

    def _ours(self, connections: int, call: Callable[[Callers], Called]) -> Called:
        calling = _posting(self._rostrum, self._plan.folder / "owner.tokens", self._file)
        with Callers(calling, self._plan.load(self._rostrum, connections)) as callers:
            callers.call(WARM_S)
            return call(callers)

    def _floor(self, produce: Callable[[], Called]) -> Called:
        self._producer.produce(1, WARM_S)
        return produce()

    def _add(
        self,
        what: str,
        metrics: Sequence[Metric],
        *,
        ours: Callable[[], Called],
        floor: Callable[[], Called],
    ) -> None:
        """One turn of each."""
        scenario = f"posts {self._channels} channels, {what}"
        try:
            called = {OURS: ours(), PRODUCER: floor()}
        except (Failure, OSError) as fault:
            self._results.note(OURS, f"{scenario}: {fault}")
            return
        for who, each in called.items():
            figures = {RATE.name: each.per_s, P50.name: each.parts[50], P99.name: each.parts[99]}
            for metric in metrics:
                self._results.add(scenario, who, metric, figures[metric.name])


def _posting(rostrum: Clustered, tokens: Path, channels: Path) -> Calling:
    rostrum.owner.stay()
    tokens.write_text(rostrum.owner.token, "ascii")
    # A name of its own in each `client_id`, so that nothing is taken for a repetition.
    run = secrets.token_hex(6)
    return Calling(
        rostrum.targets,
        "/v1/channels/{channel}/messages",
        headers=[AUTHORIZED],
        tokens=tokens,
        channels=channels,
        body=f'{{"client_id":"{run}-{{n}}-{{k}}","text":"{TEXT}"}}',
    )
