"""Anything is sent on an HTTP connection: see `judged_line`."""

import asyncio

import pytest
from hypothesis import given, settings

from services.gateway.tests.judged_line import live
from services.gateway.tests.line_seeds import PARTS, SEEDS
from services.gateway.tests.scripts import scripts


@pytest.mark.parametrize("name", SEEDS)
def test_what_a_fuzzer_begins_with_holds(name: str) -> None:
    asyncio.run(live(SEEDS[name]))


@settings(deadline=None, max_examples=400)
@given(scripts(PARTS, [*SEEDS.values()]))
def test_whatever_is_sent_holds(script: bytes) -> None:
    asyncio.run(live(script))
