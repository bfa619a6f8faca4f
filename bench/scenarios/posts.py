"""Posts through gateway and chat onto a real broker, beside a bare producer there."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.clustered import Clustered, channels
from bench.failure import Failure
from bench.floors.producer import BareProducer, make_topic
from bench.messages import TEXT
from bench.plan import Plan
from bench.posters import Posted, Posters, Posting
from bench.results import OURS, Bar, Metric, Results
from bench.rostrum import AUTHORIZED
from deploy.kafka.distribution import CannotStart

PRODUCER = "bare producer"
# What connections, batches and caches need to be there is had before.
WARM_S = 0.5


@dataclass(frozen=True)
class Sizes:
    """To so many `channels`, so many posts `in_flight`, for so many seconds each time."""

    channels: Sequence[int] = (16, 1_000)
    in_flight: Sequence[int] = (1, 100, 1_000)
    seconds: float = 3.0

    def has_bar(self, channels: int, in_flight: int) -> bool:
        """Whether it is the one that has to reach something: many posts to few channels."""
        return channels == min(self.channels) and in_flight == max(self.in_flight)


FULL = Sizes()
RATE = Metric("rate", "posts/s", "that were acknowledged", more_is_better=True, floor=PRODUCER)
RATE_OF_MANY = replace(RATE, bar=Bar(value=2_000, ratio=0.5, is_least=True))
P50 = Metric("p50", "ms", "from the post to its acknowledgement, of half of them", floor=PRODUCER)
P99 = Metric("p99", "ms", "the same, of 99 % of them", floor=PRODUCER)


def posts(plan: Plan, results: Results, sizes: Sizes = FULL) -> None:
    """By turns, for each number of channels and of posts in flight. All share all CPUs: a broker
    takes more than one."""
    rostrum = Clustered(None, 1)
    try:
        rostrum.start(plan.folder / "posts")
        named = channels(rostrum.owner, max(sizes.channels))
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
        for in_flight in [*self._sizes.in_flight] * self._plan.rounds:
            scenario = f"posts {self._channels} channels, {in_flight} in flight"
            try:
                posted = {OURS: self._ours(in_flight), PRODUCER: self._floor(in_flight)}
            except (Failure, OSError) as fault:
                self._results.note(OURS, f"{scenario}: {fault}")
                continue
            has_bar = self._sizes.has_bar(self._channels, in_flight)
            _add(self._results, scenario, RATE_OF_MANY if has_bar else RATE, posted)

    def _ours(self, in_flight: int) -> Posted:
        posting = _posting(self._rostrum, self._plan.folder / "owner.tokens", self._file)
        with Posters(posting, self._plan.load(self._rostrum, in_flight)) as posters:
            posters.post(WARM_S)
            return posters.post(self._sizes.seconds)

    def _floor(self, in_flight: int) -> Posted:
        self._producer.produce(in_flight, WARM_S)
        return self._producer.produce(in_flight, self._sizes.seconds)


def _posting(rostrum: Clustered, tokens: Path, channels: Path) -> Posting:
    rostrum.owner.stay()
    tokens.write_text(rostrum.owner.token, "ascii")
    # A name of its own in each `client_id`, so that nothing is taken for a repetition.
    run = secrets.token_hex(6)
    return Posting(
        rostrum.targets,
        "/v1/channels/{channel}/messages",
        f'{{"client_id":"{run}-{{n}}-{{k}}","text":"{TEXT}"}}',
        headers=[AUTHORIZED],
        tokens=tokens,
        channels=channels,
    )


def _add(results: Results, scenario: str, rate: Metric, posted: dict[str, Posted]) -> None:
    for who, each in posted.items():
        results.add(scenario, who, rate, each.per_s)
        results.add(scenario, who, P50, each.parts[50])
        results.add(scenario, who, P99, each.parts[99])
