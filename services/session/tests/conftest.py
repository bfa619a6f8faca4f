"""A world for each test, and one instance in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.session.tests.desk import Desk, World, opened_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Log and store."""
    async with opened_world(tmp_path) as made:
        yield made


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    """An instance that is ready."""
    async with world.open() as opened:
        yield opened
