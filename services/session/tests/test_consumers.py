"""The fold: order between partitions, cuts into batches and repeats change nothing."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.log.port import Partition, Stored
from libs.store import Redis, open_store
from libs.wire.records import Account, Heartbeat, NameClaim, Record, SessionState, encode
from libs.wire.topics import ACCOUNTS, NAMES, SESSIONS, Topic
from services.session.consumers import fold
from services.session.metrics import SKIPPED
from services.session.tests.desk import content

USERS = ["ann", "bob"]


def account(user: str, name: str) -> Account:
    return Account(user=user, handle=user, display_name=name, password_hash="-", at_ms=0)


def state(session: str, at_ms: int, *, ended: bool) -> SessionState:
    return SessionState(
        session=session,
        user=USERS[len(session) % 2],
        device_name="d",
        device_kind="k",
        refresh_hash=b"",
        previous_hash=b"",
        created_ms=0,
        rotated_ms=at_ms,
        ended=ended,
    )


RECORDS = st.one_of(
    st.builds(
        lambda user, name: (ACCOUNTS, user, account(user, name)),
        st.sampled_from(USERS),
        st.sampled_from(["x", "y"]),
    ),
    st.builds(lambda user: (ACCOUNTS, user, None), st.sampled_from(USERS)),
    st.builds(
        lambda handle, user: (
            NAMES,
            handle,
            NameClaim(handle=handle, owner=user, owner_kind="user"),
        ),
        st.sampled_from(["h", "i"]),
        st.sampled_from(USERS),
    ),
    st.builds(
        lambda session, at, ended: (SESSIONS, session, state(session, at, ended=ended)),
        st.sampled_from(["s", "ss", "sss"]),
        st.integers(0, 9),
        st.booleans(),
    ),
    st.just((SESSIONS, "s", Heartbeat())),
)


def stored(records: Sequence[tuple[Topic, str, Record | None]]) -> dict[Partition, list[Stored]]:
    """Records as their partitions hold them."""
    found: dict[Partition, list[Stored]] = {}
    for topic, key, record in records:
        partition = Partition(topic.name, topic.partition_of(key))
        value = b"" if record is None else encode(record)
        at = found.setdefault(partition, [])
        at.append(Stored(partition, len(at), 0, key.encode(), value))
    return found


async def folded(batches: Sequence[Sequence[Stored]]) -> dict[bytes, Any]:
    store = open_store("")
    for batch in batches:
        await put(store, batch)
    return await content(store)


async def put(store: Redis, batch: Sequence[Stored]) -> None:
    async with store.pipeline(transaction=True) as pipe:
        await fold(pipe, batch)
        await pipe.execute()


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORDS, max_size=20), st.randoms(use_true_random=False), st.integers(0, 19))
@pytest.mark.law("L6")
async def test_a_resumed_view_equals_one_folded_from_the_start(
    records: list[tuple[Topic, str, Record | None]], dice: Any, cut: int
) -> None:
    """L6, for the fold alone: a fold that stops anywhere, repeats its last batch and goes on."""
    parts = stored(records)
    whole = await folded(list(parts.values()))
    order = list(parts.values())
    dice.shuffle(order)
    pieces = [piece for part in order for piece in (part[:cut], part[:cut], part[cut:])]
    assert await folded(pieces) == whole


async def test_the_first_claim_of_a_handle_wins() -> None:
    claims: list[tuple[Topic, str, Record | None]] = [
        (NAMES, "h", NameClaim(handle="h", owner=owner, owner_kind="user")) for owner in USERS
    ]
    assert await folded(list(stored(claims).values())) == {b"session:name:h": b"ann"}


async def test_an_ended_session_and_a_lost_account_leave_nothing() -> None:
    gone: list[tuple[Topic, str, Record | None]] = [
        (SESSIONS, "s", state("s", 1, ended=False)),
        (SESSIONS, "s", state("s", 1, ended=True)),
        (ACCOUNTS, "ann", account("ann", "x")),
        (ACCOUNTS, "ann", None),
    ]
    assert await folded(list(stored(gone).values())) == {}


async def test_what_cannot_be_read_is_counted_and_passed_over() -> None:
    """Poison does not stop the view."""
    skipped = SKIPPED.labels(SESSIONS.name)._value.get()
    where = Partition(SESSIONS.name, 0)
    good = encode(state("s", 1, ended=False))
    batch = [
        Stored(where, at, 0, b"s", value) for at, value in enumerate([b"", b"\xc1", b"\x93", good])
    ]
    assert set(await folded([batch])) == {b"session:session:s", b"session:sessions-of:bob"}
    assert SKIPPED.labels(SESSIONS.name)._value.get() == skipped + 3
