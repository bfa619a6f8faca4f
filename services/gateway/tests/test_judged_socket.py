"""Anything is sent on a WebSocket: see `judged_socket`."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.tests.judged_socket import one_ground
from services.gateway.tests.scripts import scripts
from services.gateway.tests.socket_seeds import PARTS, SEEDS, SILENT


def test_what_a_fuzzer_begins_with_holds() -> None:
    with one_ground() as live:
        for script in SEEDS.values():
            live(script)


def test_whatever_is_sent_holds() -> None:
    with one_ground() as live:

        @settings(deadline=None, max_examples=200)
        @given(scripts(PARTS, [*SEEDS.values()]), st.booleans())
        def holds(script: bytes, is_silent: bool) -> None:
            live(SILENT * is_silent + script)

        holds()
