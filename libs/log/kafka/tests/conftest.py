"""One broker for all tests of this folder but those that break theirs."""

from collections.abc import Iterator

import pytest

from libs.log.kafka.tests.broker import a_broker, version, wait_until_it_answers
from libs.log.tests.conftest import pytest_configure as pytest_configure

ASKED = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def bootstrap(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[str]:
    """A broker's address."""
    with a_broker(tmp_path_factory.mktemp("kafka") / "nodes") as found:
        wait_until_it_answers(found.bootstrap)
        pytestconfig.stash[ASKED] = f"{version(found.bootstrap)}, {found.whence}"
        yield found.bootstrap


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if ASKED in config.stash:
        terminalreporter.write_line(f"the broker of the tests: {config.stash[ASKED]}")
