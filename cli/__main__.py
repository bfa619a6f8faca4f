"""The command `rostrum`: a group whose commands are imported when they are asked for.

A command is one row of `COMMANDS`: the place of its click command and what it does, so that
`rostrum --help` imports none of them. The function's name is the command's (a trailing `_` stands
for nothing: `import_` is `import`).
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import NamedTuple

import click


class Lazy(NamedTuple):
    """`target` is `module:function`; `says` is the line of `rostrum --help`."""

    target: str
    says: str

    @property
    def name(self) -> str:
        """What is typed."""
        return self.target.partition(":")[2].rstrip("_")

    @property
    def module(self) -> str:
        """Where it lives."""
        return self.target.partition(":")[0]


COMMANDS = (
    Lazy("cli.check:check", "Say of each part of a deployment whether it is as it must be."),
    Lazy("cli.topics:topics", "Show the topics of the log and the free room of the pools."),
    Lazy("cli.channel:channel", "Show a channel as the log has it."),
    Lazy("cli.tail:tail", "Print the entries of a channel, and follow it."),
    Lazy("cli.lag:lag", "Show how far views and consumers are behind the log."),
    Lazy("cli.token:token", "Sign access tokens for a load test."),
    Lazy("cli.load:load", "Put load on your own deployment and judge what arrives."),
    Lazy("cli.importing:import_", "Bring the history of another place into channels."),
    Lazy("cli.exporting:export", "Write channels into files."),
    Lazy("cli.chat.command:chat", "Read and write in a terminal."),
)


class Commands(click.Group):
    """A group of `Lazy` commands. One whose module is missing is not listed, and says so when it is
    called; the others work."""

    def __init__(self, table: Mapping[str, Lazy], **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See click. Those that are there."""
        return [name for name, lazy in self._table.items() if _is_there(lazy)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See click. Raises `click.UsageError` for one that is not there."""
        lazy = self._table.get(cmd_name)
        if lazy is None:
            return None
        if not _is_there(lazy):
            raise click.UsageError(
                f"{cmd_name} is not part of this installation (there is no {lazy.module}); "
                f"there are: {', '.join(self.list_commands(ctx)) or 'none'}"
            )
        found = resolve_name(lazy.target)
        assert isinstance(found, click.Command), lazy.target
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See click. From the table: nothing is imported."""
        rows = [(name, self._table[name].says) for name in self.list_commands(ctx)]
        if not rows:
            return
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _is_there(lazy: Lazy) -> bool:
    try:
        return find_spec(lazy.module) is not None
    except ModuleNotFoundError:
        # The folder that it is to be in is not there either.
        return False


rostrum = Commands(
    {lazy.name: lazy for lazy in COMMANDS},
    name="rostrum",
    help="Look after a deployment of Rostrum. Settings are read from the variables of the services;"
    " each command's --help names the options that count more. Exit codes: 0 all is well, 1"
    " something is wrong or away, 2 wrong use.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
)


def main() -> None:
    """Run the command line of this process and end it."""
    rostrum(prog_name="rostrum")


if __name__ == "__main__":
    main()
