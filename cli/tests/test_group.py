"""The group: what it lists, what it does with commands that are missing, how fast its help is."""

import subprocess
import sys
from pathlib import Path

import click
from click.testing import CliRunner

from cli.__main__ import COMMANDS, Commands, Lazy, rostrum

ROOT = Path(__file__).parents[2]

_THERE = Lazy("cli.tests.test_group:there", "is there")
_AWAY = Lazy("cli.nowhere.at_all:away", "is away")
_WITHIN = Lazy("cli.show.within:inner", "is below a module that is no folder")


@click.command()
def there() -> None:
    """Is there."""
    click.echo("here I am")


def _group(*lazy: Lazy) -> Commands:
    return Commands({each.name: each for each in lazy}, name="toy", help="Toys.")


def test_a_command_is_found_by_the_name_of_its_function() -> None:
    assert Lazy("cli.importing:import_", "").name == "import"
    assert CliRunner().invoke(_group(_THERE), ["there"]).output == "here I am\n"


def test_a_command_whose_module_is_missing_breaks_nothing() -> None:
    group = _group(_AWAY, _THERE, _WITHIN)
    listed = CliRunner().invoke(group, ["--help"])
    assert (listed.exit_code, "is there" in listed.output) == (0, True)
    assert "is away" not in listed.output
    assert "is below" not in listed.output
    assert CliRunner().invoke(group, ["there"]).exit_code == 0


def test_a_missing_command_says_that_it_is_missing() -> None:
    answer = CliRunner().invoke(_group(_AWAY, _THERE), ["away"])
    assert answer.exit_code == 2
    assert "not part of this installation (there is no cli.nowhere.at_all)" in answer.output
    assert "there are: there" in answer.output


def test_a_name_that_nobody_knows_is_wrong_use() -> None:
    answer = CliRunner().invoke(rostrum, ["chekc"])
    assert answer.exit_code == 2
    assert "No such command 'chekc'" in answer.output


def test_names_are_not_given_twice() -> None:
    assert len({lazy.name for lazy in COMMANDS}) == len(COMMANDS)


def test_help_imports_no_command_and_no_library_of_one() -> None:
    """Else the help of a group with a screen and a client in it would take a second."""
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from cli.__main__ import rostrum\n"
        "assert CliRunner().invoke(rostrum, ['--help']).exit_code == 0\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'aiohttp', 'rich', 'textual', 'pydantic', 'redis', 'services'}))"
    )
    command = [sys.executable, "-c", code]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout == "[]\n"


def test_python_m_cli_is_the_command() -> None:
    command = [sys.executable, "-m", "cli", "--help"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout.startswith("Usage: rostrum [OPTIONS] COMMAND")
