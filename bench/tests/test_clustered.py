"""Our services as processes of their own: as a contestant, with more than one gateway."""

from functools import partial
from pathlib import Path

import pytest

from bench.clustered import Clustered
from bench.contestant import CONNECTIONS_OF_A_PROCESS
from bench.listeners import Listeners
from bench.rostrum import channels_of
from bench.ways import Load, Way
from deploy.kafka.distribution import CannotStart, Distribution

MANY = 20
LOAD = Load(MANY, deadline_s=60, life_s=120)


@pytest.mark.long
def test_a_post_comes_once_to_each_at_several_gateways(tmp_path: Path) -> None:
    try:
        Distribution().bring()
    except CannotStart as fault:
        pytest.skip(reason=f"no broker: {fault}")
    rostrum = Clustered(None, CONNECTIONS_OF_A_PROCESS + 1)
    rostrum.start(tmp_path)
    try:
        assert (len(rostrum.targets), len(rostrum.pids())) == (2, 2)
        for way in (Way.POLL, Way.PACKED):
            with Listeners(rostrum.listening(way, MANY), LOAD) as listeners:
                send = partial(rostrum.send, way)
                assert listeners.wake(rostrum.next_id, send, again=True).woken == MANY
                assert listeners.end() == {}
        assert len(set(channels_of(rostrum.owner, 3))) == 3
        assert channels_of(rostrum.owner, 3) == channels_of(rostrum.owner, 3)
    finally:
        rostrum.stop()
    assert rostrum.pids() == []
