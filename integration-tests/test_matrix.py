"""The access matrix: everybody asks for everything, and is answered what the table says."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from harness.cluster import Cluster
from harness.people import People
from harness.suite import Suite
from matrix.rows import Row, rows
from matrix.stage import Stage, staged
from matrix.table import OPEN, SOCKETS
from services.catalog import ROUTES

# The rules are the same on Kafka; that their ways there hold too is shown with the long tests.
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize(
        "suite", ["embedded", pytest.param("kafka", marks=pytest.mark.long)], indirect=True
    ),
]
ALL = list(rows())
# Rows of what gives entries to whom asks: law L9 is about these.
GIVES_ENTRIES = frozenset(
    {
        "GET /v1/channels/{channel}/messages",
        "GET /v1/channels/{channel}/poll",
        "POST /v1/poll",
        "GET /v1/stream",
        *SOCKETS,
    }
)


def _rows(*, giving_entries: bool) -> list[Row]:
    return [row for row in ALL if (row.request.route in GIVES_ENTRIES) == giving_entries]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embedded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """An embedded suite with quick hashes: passwords are not what is tested."""
    quick = {"session_hash_memory_kib": "8192", "session_hash_passes": "1"}
    async with Suite(tmp_path_factory.mktemp("data"), **quick) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(people: People) -> Stage:
    """Everybody, and a channel of each kind."""
    return await staged(people)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def document(suite: Suite | Cluster) -> dict[str, bool]:
    """The routes of the OpenAPI document, and whether each is open."""
    async with httpx.AsyncClient(base_url=suite.url) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    return {
        f"{method.upper()} {path}": "security" not in operation
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


@pytest.mark.law("L9")
@pytest.mark.parametrize("row", _rows(giving_entries=True), ids=str)
async def test_entries_are_for_those_who_may_read(stage: Stage, row: Row) -> None:
    """Whoever was banned, left a private channel or signed out is given nothing more."""
    assert await stage.observed(row) == row.cells


@pytest.mark.parametrize("row", _rows(giving_entries=False), ids=str)
async def test_everybody_is_answered_what_the_matrix_says(stage: Stage, row: Row) -> None:
    """Status and code, for each kind of person."""
    assert await stage.observed(row) == row.cells


async def test_every_route_is_in_a_row_and_every_row_is_of_a_route(
    document: dict[str, bool],
) -> None:
    """A new route without a row fails here, be it documented or not."""
    known = {row.request.route for row in ALL}
    assert known - SOCKETS == set(document)
    assert known >= {f"{route.method} {route.path}" for route in ROUTES}


async def test_what_the_document_calls_open_is_in_the_list_of_open_routes(
    document: dict[str, bool],
) -> None:
    """All else needs a token: to be open is written by hand, in two places."""
    assert {route for route, is_open in document.items() if is_open} == OPEN
