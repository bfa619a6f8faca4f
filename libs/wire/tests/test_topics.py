import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire.records import KNOWN, Heartbeat
from libs.wire.topics import (
    DIRECTORY,
    NAMES,
    POOL_PARTITIONS_MAX,
    POOLS_MAX,
    SIGNALS,
    TOPICS,
    Cleanup,
    Topic,
    pool,
    pool_number,
)
from services.catalog import CATALOG

ALL = (*TOPICS, pool(0, 64))
SERVICES = {entry.name for entry in CATALOG}


def test_names_are_unique_and_none_looks_like_a_pool() -> None:
    assert len({topic.name for topic in ALL}) == len(ALL)
    for topic in TOPICS:
        with pytest.raises(ValueError, match="no pool"):
            pool_number(topic.name)


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: str(topic.name))
def test_writers_and_readers_are_services(topic: Topic) -> None:
    assert topic.writers
    assert topic.readers
    assert {*topic.writers, *topic.readers} <= SERVICES


def test_only_names_has_more_than_one_writer() -> None:
    assert [topic.name for topic in ALL if len(topic.writers) != 1] == [NAMES.name]


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: str(topic.name))
def test_a_topic_holds_known_records_and_is_kept_by_one_rule(topic: Topic) -> None:
    assert topic.holds
    assert set(topic.holds) <= set(KNOWN.values())
    assert (topic.kept_ms > 0) == (topic.cleanup is Cleanup.AGE)
    assert topic.partitions >= 1


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: str(topic.name))
def test_whoever_writes_a_topic_of_changes_owns_what_they_are_made_of(topic: Topic) -> None:
    """The owner of a source beats, so it writes there and reads the source; and each partition has
    a source that beats in it."""
    assert bool(topic.sources) == (Heartbeat in topic.holds)
    for source in topic.sources:
        assert set(topic.writers) <= set(source.readers)
    assert not topic.sources or max(each.partitions for each in topic.sources) >= topic.partitions


def test_every_record_type_has_a_topic() -> None:
    assert {kind for topic in ALL for kind in topic.holds} == set(KNOWN.values())


def test_the_partition_of_a_key_stays_the_same_for_ever() -> None:
    assert [SIGNALS.partition_of(f"key-{i}") for i in range(8)] == [12, 10, 0, 6, 5, 3, 9, 15]
    assert SIGNALS.partition_of("") == 0
    assert DIRECTORY.partition_of("any") == 0


@given(st.text())
def test_the_partition_of_a_key_exists(key: str) -> None:
    for topic in TOPICS:
        assert 0 <= topic.partition_of(key) < topic.partitions


@given(st.integers(0, POOLS_MAX - 1))
def test_a_pool_is_known_by_its_name(number: int) -> None:
    assert pool_number(pool(number, 64).name) == number


@pytest.mark.parametrize(
    ("number", "partitions"),
    [(-1, 64), (POOLS_MAX, 64), (0, 0), (0, POOL_PARTITIONS_MAX + 1)],
)
def test_a_pool_out_of_bounds_is_an_error(number: int, partitions: int) -> None:
    with pytest.raises(ValueError, match="out of bounds"):
        pool(number, partitions)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "000",
        "channel-log-",
        "channel-log-1",
        "channel-log-0001",
        "channel-log-abc",
        "channel-log--01",
        "channel-log-00\u0663",
        "channel-log-00\u00b2",
        "xchannel-log-001",
    ],
)
def test_a_pool_has_one_name_only(name: str) -> None:
    with pytest.raises(ValueError, match="no pool"):
        pool_number(name)
