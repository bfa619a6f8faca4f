"""What the tests of the bench share."""

import os

import pytest

from bench.build import CannotBuild, program


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
