"""`python -m cli.importing.sample`: the invented chat, on standard output."""

import sys

import click

from cli.importing.sample import SHIPPED, writing


@click.command()
@click.option("--messages", default=SHIPPED, show_default=True, help="How many messages it has.")
@click.option("--account", is_flag=True, help="The form of a whole account, with three chats.")
def write(messages: int, account: bool) -> None:
    """Write an invented chat in the form of Telegram Desktop's result.json."""
    form = writing.whole_account if account else writing.one_chat
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    for piece in form(messages):
        sys.stdout.write(piece)


if __name__ == "__main__":
    write()
