"""Posts: of the client to a real gateway, and in the whole scenario on a real broker."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.callers import Callers, Calling
from bench.child import ClientFailed
from bench.embedded import Embedded
from bench.floors.producer import BareProducer, NotDelivered
from bench.plan import Plan
from bench.results import Results
from bench.rostrum import AUTHORIZED, channel_of
from bench.scenarios.posts import Sizes, posts
from bench.tests.scripted import Scripted, answer
from bench.ways import Load, Way

FEW = 5
LOAD = Load(FEW, deadline_s=20, life_s=60)
SHORT_S = 0.3
PACED_S, PER_S = 0.5, 40.0
PAGE = "/v1/channels/{channel}/messages"


def posting(rostrum: Embedded, folder: Path, run: str) -> Calling:
    """To two channels."""
    channels = [channel_of(rostrum.owner, name) for name in ("one", "two")]
    (folder / "channels").write_text("\n".join(channels), "ascii")
    (folder / "tokens").write_text(rostrum.owner.token, "ascii")
    return Calling(
        rostrum.targets,
        "/v1/channels/{channel}/messages",
        headers=[AUTHORIZED],
        tokens=folder / "tokens",
        channels=folder / "channels",
        body=f'{{"client_id":"{run}-{{n}}-{{k}}","text":"hello"}}',
    )


def test_posts_are_acknowledged_and_timed(rostrum: Embedded, tmp_path: Path) -> None:
    with Callers(posting(rostrum, tmp_path, "a"), LOAD) as callers:
        first, then = callers.call(SHORT_S), callers.call(SHORT_S)
        assert callers.end() == {}
    for posted in (first, then):
        assert posted.calls >= FEW
        assert 0 < posted.parts[50] <= posted.parts[99]
        assert posted.per_s == pytest.approx(posted.calls / posted.seconds)


def test_calls_at_a_pace_are_as_many_as_were_wanted(rostrum: Embedded, tmp_path: Path) -> None:
    with Callers(posting(rostrum, tmp_path, "p"), LOAD) as callers:
        paced = callers.call(PACED_S, PER_S)
        assert callers.end() == {}
    assert paced.calls == pytest.approx(PER_S * PACED_S, abs=1)


def test_calls_of_several_times_are_told_as_of_one(rostrum: Embedded, tmp_path: Path) -> None:
    with Callers(posting(rostrum, tmp_path, "m"), LOAD) as callers:
        first = callers.call(PACED_S, PER_S)
        callers.begin(PACED_S, PER_S, more=True)
        both = callers.called()
        after = callers.call(PACED_S, PER_S)
        assert callers.end() == {}
    assert both.calls == pytest.approx(2 * first.calls, abs=1)
    assert both.seconds == pytest.approx(2 * first.seconds, rel=0.2)
    assert after.calls == pytest.approx(first.calls, abs=1)


def test_a_call_that_had_to_wait_for_its_turn_is_as_old_as_its_turn(
    rostrum: Embedded, tmp_path: Path
) -> None:
    """More than one connection can do: the pace is kept, and each is later than the last."""
    with Callers(posting(rostrum, tmp_path, "w"), replace(LOAD, connections=1)) as callers:
        alone = callers.call(SHORT_S)
        late = callers.call(SHORT_S, 3 * alone.per_s)
        assert callers.end() == {}
    assert late.calls == pytest.approx(3 * alone.per_s * SHORT_S, abs=1)
    assert late.parts[99] > late.parts[50] > alone.parts[50]


def test_what_has_no_body_is_asked_for(rostrum: Embedded, tmp_path: Path) -> None:
    reading = replace(posting(rostrum, tmp_path, "g"), path=PAGE, body=None)
    with Callers(reading, replace(LOAD, connections=1)) as callers:
        assert callers.call(SHORT_S, FEW / SHORT_S).calls == FEW
        assert callers.end() == {}


def test_a_post_that_is_refused_or_a_repetition_is_a_fault(
    rostrum: Embedded, tmp_path: Path
) -> None:
    once = posting(rostrum, tmp_path, "b")
    with Callers(once, replace(LOAD, connections=1)) as callers:
        callers.call(SHORT_S)
    with (
        pytest.raises(ClientFailed, match="http_200"),
        Callers(once, replace(LOAD, connections=1)) as callers,
    ):
        callers.call(SHORT_S)
    elsewhere = replace(once, path="/v1/channels/nowhere/messages")
    with pytest.raises(ClientFailed, match="http_404"), Callers(elsewhere, LOAD) as callers:
        callers.call(SHORT_S)


def test_a_server_that_answers_no_post_is_late(rostrum: Embedded, tmp_path: Path) -> None:
    with Scripted(Way.POLL) as server:
        silent = replace(
            posting(rostrum, tmp_path, "c"), targets=server.listening().targets, path="/silent"
        )
        load = replace(LOAD, deadline_s=0.5)
        with (
            pytest.raises(ClientFailed, match="calls are not answered"),
            Callers(silent, load) as callers,
        ):
            callers.call(SHORT_S)


def test_an_answer_that_is_no_acknowledgement_is_named(rostrum: Embedded, tmp_path: Path) -> None:
    with Scripted(Way.POLL, answer(b'{"code":"draining"}', "503 Away")) as server:
        away = replace(posting(rostrum, tmp_path, "d"), targets=server.listening().targets)
        with pytest.raises(ClientFailed, match="http_503_draining"), Callers(away, LOAD) as callers:
            callers.call(SHORT_S)


@pytest.mark.long
@pytest.mark.usefixtures("broker")
def test_the_scenario_measures_ours_beside_a_bare_producer(tmp_path: Path) -> None:
    results = Results(1)
    sizes = Sizes(channels=(2, 3), in_flight=(1, 10), per_s=PER_S, seconds=SHORT_S)
    posts(Plan(1, 1, [], tmp_path), results, sizes)
    assert results.told() == []
    rows = {(row.scenario, row.metric): row for row in results.rows()}
    for name in ("2 channels, 1", "2 channels, 10", "3 channels, 1", "3 channels, 10"):
        ours = rows[f"posts {name} in flight", "rate"]
        assert ours.value > 0
        assert ours.floor == rows[f"posts {name} in flight", "rate (bare producer)"].value
        assert (ours.bar is not None) == (name == "2 channels, 10")
    steady = [row for row in results.rows() if "a second" in row.scenario]
    assert {row.scenario for row in steady} == {"posts 2 channels, 40 a second"}
    assert [row.bar for row in steady if row.metric == "p50"] == ["over the floor <= 5"]


def test_a_producer_whose_broker_is_away_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.floors.producer.LAST_S", SHORT_S)
    with pytest.raises(NotDelivered, match="1 records are not delivered"):
        BareProducer("127.0.0.1:9", "nowhere", 1).produce(1, SHORT_S)
