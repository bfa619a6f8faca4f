"""A suite for each test module, and what the tests measured, printed at the end of the run."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.people import People
from harness.suite import Suite

FIGURES = pytest.StashKey[list[str]]()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def suite(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """An embedded suite."""
    async with Suite(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(suite: Suite) -> AsyncIterator[People]:
    """People at that suite."""
    async with People(suite.url) as everybody:
        yield everybody


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> list[str]:
    """Lines to be printed when the run ends."""
    return request.config.stash.setdefault(FIGURES, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(f"figure: {line}")
