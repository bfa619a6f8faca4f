"""A deployment that the tests of a module share: an embedded suite with people and a channel."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cli.tests.site import Site, populated
from harness.people import People
from harness.suite import Suite


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """It runs."""
    async with Suite(tmp_path_factory.mktemp("site")) as suite, People(suite.url) as people:
        yield await populated(suite, people)
