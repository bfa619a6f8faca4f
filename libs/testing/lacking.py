"""What a test needs of the machine and does not find."""

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Skip the test and say why; where all must run (`CI=true`), fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(reason=what)
