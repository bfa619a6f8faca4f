"""All is well only when everything runs and is ready."""

from functools import partial
from pathlib import Path

import pytest
from faults.site import Site

from deploy.local.program import Program
from harness.cluster import Cluster, Servers


class Dead(Program):
    """A program that ended, and counts how often it is started."""

    def __init__(self) -> None:
        super().__init__("dead", [], Path("nowhere"))
        self.starts = 0

    def start(self) -> None:
        self.starts += 1


class Parts(Site):
    """A site of which nothing runs."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster


async def test_who_ended_is_started_again_and_is_not_ready(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, Servers("127.0.0.1:1", "redis://127.0.0.1:1/0"), instances=1)
    dead = Dead()
    cluster.programs["session", 0] = dead
    ready = partial(Parts(cluster)._is_ready, "session", 0)
    with pytest.raises(AssertionError, match="Connect"):
        await ready()
    assert dead.starts == 1
