"""Posts: of the client to a real gateway, and in the whole scenario on a real broker."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.child import ClientFailed
from bench.floors.producer import BareProducer, NotDelivered
from bench.plan import Plan
from bench.posters import Posters, Posting
from bench.results import Results
from bench.rostrum import AUTHORIZED, Embedded, channel_of
from bench.scenarios.posts import Sizes, posts
from bench.tests.scripted import Scripted, answer
from bench.ways import Load, Way
from deploy.kafka.distribution import CannotStart, Distribution

FEW = 5
LOAD = Load(FEW, deadline_s=20, life_s=60)
SHORT_S = 0.3


@pytest.fixture(scope="module")
def rostrum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    contestant = Embedded(None)
    contestant.start(tmp_path_factory.mktemp("rostrum"))
    yield contestant
    contestant.stop()


def posting(rostrum: Embedded, folder: Path, run: str) -> Posting:
    """To two channels."""
    channels = [channel_of(rostrum.owner, name) for name in ("one", "two")]
    (folder / "channels").write_text("\n".join(channels), "ascii")
    (folder / "tokens").write_text(rostrum.owner.token, "ascii")
    return Posting(
        rostrum.targets,
        "/v1/channels/{channel}/messages",
        f'{{"client_id":"{run}-{{n}}-{{k}}","text":"hello"}}',
        headers=[AUTHORIZED],
        tokens=folder / "tokens",
        channels=folder / "channels",
    )


def test_posts_are_acknowledged_and_timed(rostrum: Embedded, tmp_path: Path) -> None:
    with Posters(posting(rostrum, tmp_path, "a"), LOAD) as posters:
        first, then = posters.post(SHORT_S), posters.post(SHORT_S)
        assert posters.end() == {}
    for posted in (first, then):
        assert posted.posts >= FEW
        assert 0 < posted.parts[50] <= posted.parts[99]
        assert posted.per_s == pytest.approx(posted.posts / posted.seconds)


def test_a_post_that_is_refused_or_a_repetition_is_a_fault(
    rostrum: Embedded, tmp_path: Path
) -> None:
    once = posting(rostrum, tmp_path, "b")
    with Posters(once, replace(LOAD, connections=1)) as posters:
        posters.post(SHORT_S)
    with (
        pytest.raises(ClientFailed, match="http_200"),
        Posters(once, replace(LOAD, connections=1)) as posters,
    ):
        posters.post(SHORT_S)
    elsewhere = replace(once, path="/v1/channels/nowhere/messages")
    with pytest.raises(ClientFailed, match="http_404"), Posters(elsewhere, LOAD) as posters:
        posters.post(SHORT_S)


def test_a_server_that_answers_no_post_is_late(rostrum: Embedded, tmp_path: Path) -> None:
    with Scripted(Way.POLL) as server:
        silent = replace(
            posting(rostrum, tmp_path, "c"), targets=server.listening().targets, path="/silent"
        )
        load = replace(LOAD, deadline_s=0.5)
        with (
            pytest.raises(ClientFailed, match="posts are not answered"),
            Posters(silent, load) as posters,
        ):
            posters.post(SHORT_S)


def test_an_answer_that_is_no_acknowledgement_is_named(rostrum: Embedded, tmp_path: Path) -> None:
    with Scripted(Way.POLL, answer(b'{"code":"draining"}', "503 Away")) as server:
        away = replace(posting(rostrum, tmp_path, "d"), targets=server.listening().targets)
        with pytest.raises(ClientFailed, match="http_503_draining"), Posters(away, LOAD) as posters:
            posters.post(SHORT_S)


@pytest.mark.long
def test_the_scenario_measures_ours_beside_a_bare_producer(tmp_path: Path) -> None:
    """On a broker that the first run brings; where it cannot be had this is skipped."""
    try:
        Distribution().bring()
    except CannotStart as fault:
        pytest.skip(reason=f"no broker: {fault}")
    results = Results(1)
    sizes = Sizes(channels=(2, 3), in_flight=(1, 10), seconds=SHORT_S)
    posts(Plan(1, 1, [], tmp_path), results, sizes)
    assert results.told() == []
    rows = {(row.scenario, row.metric): row for row in results.rows()}
    for name in ("2 channels, 1", "2 channels, 10", "3 channels, 1", "3 channels, 10"):
        ours = rows[f"posts {name} in flight", "rate"]
        assert ours.value > 0
        assert ours.floor == rows[f"posts {name} in flight", "rate (bare producer)"].value
        assert (ours.bar is not None) == (name == "2 channels, 10")


def test_a_producer_whose_broker_is_away_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.floors.producer.LAST_S", SHORT_S)
    with pytest.raises(NotDelivered, match="1 records are not delivered"):
        BareProducer("127.0.0.1:9", "nowhere", 1).produce(1, SHORT_S)
