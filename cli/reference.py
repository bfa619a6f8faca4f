"""The help of every command, as a page: what is typed on a terminal, in the order of the group."""

from collections.abc import Iterator

import click

from cli.__main__ import rostrum

# The width for which the help is written; a page is read on more than one.
COLUMNS = 90


def reference() -> str:
    """Markdown: a section for each command, with its help."""
    return "\n".join(_sections())


def _sections() -> Iterator[str]:
    top = click.Context(rostrum, info_name="rostrum", **rostrum.context_settings)
    yield f"```text\n{_help(rostrum, top)}\n```\n"
    for name in rostrum.list_commands(top):
        command = rostrum.get_command(top, name)
        assert command is not None
        own = click.Context(command, info_name=name, parent=top)
        yield f"## rostrum {name}\n\n```text\n{_help(command, own)}\n```\n"


def _help(command: click.Command, context: click.Context) -> str:
    context.terminal_width = COLUMNS
    lines = command.get_help(context).splitlines()
    return "\n".join(line.rstrip() for line in lines).rstrip()
