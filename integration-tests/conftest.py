"""The suites that tests share.

A test that takes `suite`, `people` or `mortal` runs twice: `embedded` is one process with its own
log, `kafka` a cluster of processes that all modules share, so no two of them use the same handle.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from harness.cluster import Cluster, Servers, healed, servers_of
from harness.people import People
from harness.suite import Suite

EMBEDDED, KAFKA = "embedded", "kafka"
# Fixtures that may start the shared cluster.
SHARED = frozenset({"cluster", "suite", "mortal"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those with brokers of their own first: the shared cluster, once it runs, takes its part of
    the machine until the end."""
    items.sort(key=lambda item: not SHARED.isdisjoint(getattr(item, "fixturenames", ())))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embedded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """An embedded suite."""
    async with Suite(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A broker and a Redis."""
    with servers_of(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Cluster]:
    """Two of each service at that broker. Whoever kills some of it starts it again."""
    async with Cluster(tmp_path_factory.mktemp("cluster"), servers) as running:
        yield running


@pytest.fixture(scope="module", params=[EMBEDDED, KAFKA])
def suite(request: pytest.FixtureRequest) -> Suite | Cluster:
    """A suite in each of the two modes."""
    found = request.getfixturevalue("embedded" if request.param == EMBEDDED else "cluster")
    assert isinstance(found, Suite | Cluster)
    return found


@pytest.fixture(params=[EMBEDDED, pytest.param(KAFKA, marks=pytest.mark.long)])
def mortal(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AbstractAsyncContextManager[Suite | Cluster]:
    """A suite to be entered and killed, in each of the two modes (on Kafka: with the long ones)."""
    if request.param == EMBEDDED:
        return Suite(tmp_path)
    cluster = request.getfixturevalue("cluster")
    assert isinstance(cluster, Cluster)
    return healed(cluster)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(suite: Suite | Cluster) -> AsyncIterator[People]:
    """People at that suite."""
    async with People(suite.url) as everybody:
        yield everybody
