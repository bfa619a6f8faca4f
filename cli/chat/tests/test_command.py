"""The command before there is a screen: where its files are, and what is wrong with them."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import rostrum
from cli.chat.command import state_of
from cli.chat.courier import CURSORS, WANTS_MAX, Courier
from cli.chat.wants import Forget, Keep
from rostrum import Client, Cursor

ROOT = Path(__file__).parents[3]
NOWHERE = "http://127.0.0.1:9"


def test_marks_that_cannot_be_read_end_it_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / CURSORS).write_text("no JSON")
    words = ["--url", NOWHERE, "--state", str(tmp_path), "--sessions", str(tmp_path / "session")]
    answer = CliRunner().invoke(rostrum, ["chat", *words])
    assert answer.exit_code == 1
    assert "does not hold cursors" in answer.output
    assert "remove it" in answer.output


def test_a_session_that_cannot_be_read_ends_it_too(tmp_path: Path) -> None:
    (tmp_path / "session").write_text("no JSON")
    words = ["--url", NOWHERE, "--state", str(tmp_path), "--sessions", str(tmp_path / "session")]
    answer = CliRunner().invoke(rostrum, ["chat", *words])
    assert answer.exit_code == 1
    assert "sign in again" in answer.output


def test_a_folder_that_cannot_be_made_ends_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    words = ["--url", NOWHERE, "--state", str(tmp_path / "file" / "state")]
    answer = CliRunner().invoke(rostrum, ["chat", *words])
    assert answer.exit_code == 1
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://localhost:8080", "localhost_8080"),
        ("https://chat.example", "chat.example_https"),
        ("http://[::1]:80/../x", "_1_80"),
    ],
)
def test_each_deployment_has_its_own_folder(url: str, name: str) -> None:
    assert state_of(url).name == name


def test_its_help_imports_no_screens() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from cli.__main__ import rostrum\n"
        "assert CliRunner().invoke(rostrum, ['chat', '--help']).exit_code == 0\n"
        "print('textual' in sys.modules, 'aiohttp' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout == "False False\n"


def test_the_model_imports_no_screens() -> None:
    code = "import sys, cli.chat.model, cli.chat.rows\nprint('textual' in sys.modules)"
    command = [sys.executable, "-c", code]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout == "False\n"


def test_wants_that_nobody_takes_are_bounded(tmp_path: Path) -> None:
    courier = Courier(Client(NOWHERE), address=NOWHERE, state=tmp_path)
    for number in range(WANTS_MAX):
        courier.want(Forget(f"c{number}"))
    courier.want(Keep("01KA3Q5V8Z0J6T4M2N7R9X1C3E", Cursor(1, 1)))
    with pytest.raises(OverflowError):
        courier.want(Forget("one more"))
