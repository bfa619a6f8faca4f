"""Anything is sent on an HTTP connection: see `judged_line`."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.tests import scripts
from services.gateway.tests.judged_line import live
from services.gateway.tests.line_seeds import PARTS, SEEDS


@pytest.mark.parametrize("name", SEEDS)
def test_what_a_fuzzer_begins_with_holds(name: str) -> None:
    asyncio.run(live(SEEDS[name]))


@settings(deadline=None, max_examples=400)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(PARTS),
            st.sampled_from(scripts.MARKS),
            st.sampled_from(sorted(SEEDS.values())),
            st.binary(max_size=20),
        ),
        max_size=16,
    ).map(b"".join)
)
def test_whatever_is_sent_holds(script: bytes) -> None:
    asyncio.run(live(script))
