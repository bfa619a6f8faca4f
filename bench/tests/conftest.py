"""What the tests of the bench share."""

import os
from collections.abc import Iterator

import pytest

from bench.build import CannotBuild, program
from bench.embedded import Embedded
from deploy.kafka.distribution import CannotStart, Distribution


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """Client and floor, made once. What they are made with is missing: a skip, and with `CI=true`
    a failure."""
    try:
        program("client")
        program("floor")
    except CannotBuild as fault:
        if fault.is_missing and os.environ.get("CI") != "true":
            pytest.skip(reason=str(fault))
        raise


@pytest.fixture(scope="session")
def broker() -> None:
    """What a broker is made of, brought once. Where it cannot be had: a skip, and with `CI=true` a
    failure."""
    try:
        Distribution().bring()
    except CannotStart as fault:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(reason=f"no broker: {fault}")


@pytest.fixture(scope="module")
def rostrum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Our own deployment in one process."""
    contestant = Embedded(None)
    contestant.start(tmp_path_factory.mktemp("rostrum"))
    yield contestant
    contestant.stop()
