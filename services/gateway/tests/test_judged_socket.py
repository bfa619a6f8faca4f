"""Anything is sent on a WebSocket: see `judged_socket`."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.tests import scripts
from services.gateway.tests.judged_socket import one_ground
from services.gateway.tests.socket_seeds import PARTS, SEEDS, SILENT

SCRIPTS = st.lists(
    st.one_of(
        st.sampled_from(PARTS),
        st.sampled_from(scripts.MARKS),
        st.sampled_from(sorted(SEEDS.values())),
        st.binary(max_size=20),
    ),
    max_size=16,
).map(b"".join)


def test_what_a_fuzzer_begins_with_holds() -> None:
    with one_ground() as live:
        for script in SEEDS.values():
            live(script)


def test_whatever_is_sent_holds() -> None:
    with one_ground() as live:

        @settings(deadline=None, max_examples=200)
        @given(SCRIPTS, st.booleans())
        def holds(script: bytes, is_silent: bool) -> None:
            live(SILENT * is_silent + script)

        holds()
