"""What the tests of a module share: an embedded suite with people and a channel, and a Redis."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from cli.tests.site import Site, populated
from deploy.kafka.distribution import CannotStart
from deploy.local import servers
from harness.people import People
from harness.suite import Suite


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """It runs."""
    async with Suite(tmp_path_factory.mktemp("site")) as suite, People(suite.url) as people:
        yield await populated(suite, people)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that has nothing."""
    try:
        program, url = servers.redis(tmp_path_factory.mktemp("redis"))
    except CannotStart as fault:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no Redis: {fault}")
        pytest.skip(reason=f"no Redis: {fault}")
    program.start()
    servers.wait_for_redis(url)
    yield url
    program.kill()
