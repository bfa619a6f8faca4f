"""Suites for tests of several gateways: one process all the same, or a cluster of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.cluster import Cluster, servers_of
from harness.suite import Suite

EMBEDDED, KAFKA = "embedded", "kafka"
# Marks a module: each test runs on one gateway in one process, and with the long ones on several.
AT_SEVERAL = pytest.mark.parametrize(
    "suite", [EMBEDDED, pytest.param(KAFKA, marks=pytest.mark.long)], indirect=True, scope="module"
)
# Passwords are not what is tested.
QUICK = {"session_hash_memory_kib": "8192", "session_hash_passes": "1"}


@asynccontextmanager
async def running(
    mode: str, folder: Path, *, gateways: int, **settings: str
) -> AsyncIterator[Suite | Cluster]:
    """A suite of one process, or a cluster of so many gateways with a broker to itself."""
    if mode == KAFKA:
        async with cluster_of(folder, gateways=gateways, **settings) as cluster:
            yield cluster
    else:
        async with Suite(folder, **QUICK, **settings) as suite:
            yield suite


@asynccontextmanager
async def cluster_of(folder: Path, *, gateways: int, **settings: str) -> AsyncIterator[Cluster]:
    """So many gateways, one of each other service, a broker and a Redis."""
    with servers_of(folder / "servers") as servers:
        made = Cluster(
            folder / "cluster",
            servers,
            instances=1,
            gateways=gateways,
            settings={**QUICK, **settings},
        )
        async with made as cluster:
            yield cluster


def addresses(suite: Suite | Cluster) -> list[str]:
    """Of all gateways."""
    return suite.urls if isinstance(suite, Cluster) else [suite.url]


def name_of(suite: Suite | Cluster) -> str:
    """For figures."""
    return f"{len(suite.urls)} gateways" if isinstance(suite, Cluster) else "one process"
