"""A real gateway for all tests of the client: every service in one process, with its own folder."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.gateways import QUICK
from harness.suite import Suite


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """One that all tests share: no two of them use the same handle."""
    async with Suite(tmp_path_factory.mktemp("gateway"), **QUICK) as running:
        yield running


@pytest.fixture
def url(gateway: Suite) -> str:
    """Where it is."""
    return gateway.url
