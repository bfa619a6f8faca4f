"""What tests measured, printed when the run ends. A plugin of pytest."""

import pytest

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> list[str]:
    """Lines to be printed when the run ends."""
    return request.config.stash.setdefault(FIGURES, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print them."""
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(f"figure: {line}")
