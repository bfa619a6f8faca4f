"""Which claims count, and what a channel costs."""

import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire import directory, ids
from libs.wire.cursor import ID_MAX
from libs.wire.directory import Directory, Placement
from libs.wire.records import Claim, Kind, Visibility
from libs.wire.tests.examples import ANN, CHANNEL, OTHER_CHANNEL
from libs.wire.topics import POOL_PARTITIONS_MAX, POOLS_MAX, pool

CHANNELS = 200_000
BYTES_PER_CHANNEL_MAX = 150


def claim(
    channel: str = CHANNEL,
    partition: int = 0,
    *,
    epoch: int = 1,
    topic: str = "channel-log-000",
    base_offset: int = 0,
    base_id: int = 1,
    kind: Kind = "group",
    visibility: Visibility = "private",
) -> Claim:
    return Claim(
        channel=channel,
        epoch=epoch,
        topic=topic,
        partition=partition,
        base_offset=base_offset,
        base_id=base_id,
        kind=kind,
        owner=ANN,
        visibility=visibility,
        title="title",
    )


def folded(claims: Sequence[Claim]) -> tuple[Directory, list[bool]]:
    fold = Directory()
    return fold, [fold.apply(offset, one) for offset, one in enumerate(claims)]


def test_a_claim_is_found_with_all_that_it_says() -> None:
    fold = Directory()
    assert fold.find(CHANNEL) is None
    assert fold.apply(41, claim(topic="channel-log-007", partition=999, kind="broadcast"))
    assert fold.find(CHANNEL) == Placement(
        channel=CHANNEL,
        epoch=1,
        topic="channel-log-007",
        partition=999,
        base_offset=0,
        base_id=1,
        kind="broadcast",
        visibility="private",
        claim_offset=41,
    )
    assert fold.next_offset == 42
    assert fold.channels == 1


@pytest.mark.law("L2")
def test_of_two_claims_of_a_partition_the_first_counts_and_the_other_channel_is_free() -> None:
    fold, valid = folded([claim(), claim(OTHER_CHANNEL), claim(OTHER_CHANNEL, 1)])
    assert valid == [True, False, True]
    found = fold.find(OTHER_CHANNEL)
    assert found is not None
    assert (found.partition, found.claim_offset) == (1, 2)


@pytest.mark.law("L2")
def test_of_two_claims_of_a_channel_the_first_counts_and_the_other_partition_is_free() -> None:
    fold, valid = folded([claim(), claim(partition=1), claim(OTHER_CHANNEL, 1)])
    assert valid == [True, False, True]
    assert fold.taken(0) == {0, 1}


def test_a_higher_epoch_moves_the_channel_and_the_old_partition_stays_taken() -> None:
    restored = claim(partition=5, epoch=2, base_offset=3, base_id=1_000_009)
    fold, valid = folded([claim(), restored, claim(OTHER_CHANNEL), claim(partition=6, epoch=2)])
    assert valid == [True, True, False, False]
    found = fold.find(CHANNEL)
    assert found is not None
    assert (found.epoch, found.partition, found.base_id) == (2, 5, 1_000_009)
    assert fold.taken(0) == {0, 5}
    assert fold.channels == 1


def test_ids_and_offsets_follow_from_where_the_extent_begins() -> None:
    fold, _ = folded([claim(base_offset=3, base_id=101)])
    found = fold.find(CHANNEL)
    assert found is not None
    assert (found.id_of(3), found.id_of(10)) == (101, 108)
    assert (found.offset_of(101), found.offset_of(108)) == (3, 10)


@pytest.mark.parametrize(
    "wrong",
    [
        claim("no id"),
        claim(CHANNEL.lower()),
        claim(topic="signals"),
        claim(topic="channel-log-00\u0663"),
        claim(partition=-1),
        claim(partition=POOL_PARTITIONS_MAX),
        claim(epoch=0),
        claim(epoch=-1),
        claim(epoch=ID_MAX + 1),
        claim(base_offset=-1),
        claim(base_offset=ID_MAX + 1),
        claim(base_id=0),
        claim(base_id=ID_MAX + 1),
    ],
)
def test_a_claim_that_makes_no_sense_is_ignored_and_takes_nothing(wrong: Claim) -> None:
    fold, valid = folded([wrong, claim()])
    assert valid == [False, True]
    assert fold.next_offset == 2
    assert fold.taken(0) == {0}


def test_a_claim_that_was_folded_before_changes_nothing() -> None:
    fold, _ = folded([claim(), claim(OTHER_CHANNEL, 1)])
    assert not fold.apply(1, claim(ids.derived("x"), 2))
    assert fold.next_offset == 2
    assert fold.taken(0) == {0, 1}


def test_what_is_taken_is_known_for_each_pool() -> None:
    fold, _ = folded([claim(), claim(OTHER_CHANNEL, 3, topic="channel-log-001")])
    assert [fold.taken(number) for number in range(3)] == [{0}, {3}, set()]
    assert fold.is_taken(1, 3)
    assert not fold.is_taken(1, 0)
    assert not fold.is_taken(2, 0)


def test_what_is_no_id_is_not_found() -> None:
    assert Directory().find("") is None
    assert Directory().find("general") is None


def test_the_bounds_of_pools_and_the_choices_of_a_channel_fit_into_their_bits() -> None:
    assert 1 << directory.POOL_BITS >= POOLS_MAX
    assert 1 << directory.PARTITION_BITS >= POOL_PARTITIONS_MAX
    assert len(directory._KINDS) <= 1 << directory.KIND_BITS
    assert len(directory._VISIBILITIES) <= 1 << directory.VISIBILITY_BITS


claims = st.lists(
    st.builds(
        claim,
        st.sampled_from([CHANNEL, OTHER_CHANNEL, ids.derived("x"), "no id"]),
        st.integers(-1, 3) | st.sampled_from([POOL_PARTITIONS_MAX - 1, POOL_PARTITIONS_MAX]),
        epoch=st.integers(0, 3),
        topic=st.sampled_from(["channel-log-000", "channel-log-999", "names"]),
        base_offset=st.integers(-1, 2),
        base_id=st.integers(0, 2),
        kind=st.sampled_from(["broadcast", "group", "direct"]),
        visibility=st.sampled_from(["public", "private"]),
    ),
    max_size=20,
)


@given(claims)
def test_the_fold_is_the_rule_written_plainly(sequence: list[Claim]) -> None:
    fold, valid = folded(sequence)
    present: dict[str, tuple[int, Claim]] = {}
    taken: set[tuple[str, int]] = set()
    for offset, one in enumerate(sequence):
        sane = one.channel != "no id" and one.topic != "names" and one.epoch >= 1
        sane = sane and 0 <= one.partition < POOL_PARTITIONS_MAX
        sane = sane and one.base_offset >= 0 and one.base_id >= 1
        free = (one.topic, one.partition) not in taken
        newer = one.channel not in present or one.epoch > present[one.channel][1].epoch
        assert valid[offset] == (sane and free and newer)
        if valid[offset]:
            present[one.channel] = (offset, one)
            taken.add((one.topic, one.partition))
    assert fold.channels == len(present)
    for channel, (offset, one) in present.items():
        found = fold.find(channel)
        assert found is not None
        said = {name: getattr(one, name) for name in Placement._fields if name != "claim_offset"}
        assert found._asdict() == said | {"claim_offset": offset}


@given(claims)
def test_two_folds_of_one_sequence_agree(sequence: list[Claim]) -> None:
    (one, valid), (other, same) = folded(sequence), folded(sequence)
    assert valid == same
    for channel in {claim.channel for claim in sequence}:
        assert one.find(channel) == other.find(channel)


def test_a_channel_costs_150_bytes_at_most() -> None:
    """Also at 174,763 channels: the map has just grown, and is at its emptiest."""
    names = [pool(number, POOL_PARTITIONS_MAX).name for number in range(CHANNELS // 1000)]
    fold = Directory()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(CHANNELS):
            # Ids as large as ids get: small numbers would take less memory.
            one = claim(f"7ZZZZ{number:021d}", number % 1000, topic=names[number // 1000])
            assert fold.apply(number, one)
            if number + 1 in (174_764, CHANNELS):
                taken = tracemalloc.get_traced_memory()[0] - before
                assert taken <= BYTES_PER_CHANNEL_MAX * (number + 1)
    finally:
        tracemalloc.stop()
    assert fold.channels == CHANNELS
