"""How far followers are, as the admin listener shows it."""

from libs.log.port import Partition
from libs.runtime import metrics
from libs.runtime.positions import METRIC, Positions


def _shown() -> dict[tuple[str, str, str], float]:
    return {
        (sample.labels["reader"], sample.labels["topic"], sample.labels["partition"]): sample.value
        for sample in metrics.parsed(metrics.exposition().decode())
        if sample.name == METRIC
    }


def test_positions_are_shown_by_reader_topic_and_partition() -> None:
    first, second = Positions("shop"), Positions("bakery")
    first.note({Partition("bread", 0): 3, Partition("bread", 1): 0})
    second.note({Partition("bread", 0): 1})
    first.note({Partition("bread", 0): 4})
    shown = _shown()
    assert shown["shop", "bread", "0"] == 4
    assert shown["shop", "bread", "1"] == 0
    assert shown["bakery", "bread", "0"] == 1


def test_who_has_no_name_shows_nothing() -> None:
    Positions("").note({Partition("nameless", 0): 7})
    assert not [key for key in _shown() if key[1] == "nameless"]
