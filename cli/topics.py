"""`rostrum topics`: the topics of the log, and how much room for channels is left."""

from typing import Any

import click

from cli import show
from cli.address import LOG, Where, address
from cli.looking import looking_at, run
from cli.show import Trouble, json_option
from cli.survey import Seen, survey
from libs.wire.topics import HOUR_MS, Cleanup, Topic

EXAMPLE = """
\b
Examples:
  rostrum topics
  rostrum topics members
  rostrum topics --log kafka://k1:9092,k2:9092 --json
"""


@click.command(epilog=EXAMPLE)
@address(LOG)
@click.argument("name", required=False)
@json_option
def topics(where: Where, name: str | None, as_json: bool) -> None:
    """Show the topics of the log, or all settings of the topic NAME.

    Of each topic: its partitions, for how long records are kept, how many there are, and what
    breaks the promises of the log; of pools the partitions that channels have and those that are
    free. Nothing is changed. Exit code 1 when something is wrong.
    """
    seen = [each for each in run(_survey(where)) if name in {None, each.topic.name}]
    if not seen:
        raise click.UsageError(f"there is no topic {name!r}; rostrum topics lists them")
    if as_json:
        show.document({"topics": [_told(each) for each in seen]})
    elif name is not None:
        show.facts({**_row(seen[0]), **seen[0].settings})
    else:
        show.rows([_row(each) for each in seen])
    wrong = [each.topic.name for each in seen if each.breaches]
    if wrong:
        raise Trouble(f"{show.sentence(wrong)}: not as they must be; rostrum check says what to do")


async def _survey(where: Where) -> list[Seen]:
    async with looking_at(where) as log:
        return await survey(log, is_embedded=where.is_embedded)


def kept(topic: Topic) -> str:
    """For how long its records are kept, for people."""
    if topic.cleanup is Cleanup.AGE:
        return f"{topic.kept_ms / HOUR_MS:g} h"
    return "for ever" if topic.cleanup is Cleanup.NEVER else "newest of each key"


def _row(seen: Seen) -> dict[str, Any]:
    return {
        "topic": seen.topic.name,
        "partitions": seen.partitions,
        "taken": seen.taken,
        "free": _free(seen),
        "records": seen.records,
        "kept": kept(seen.topic),
        "state": "; ".join(seen.breaches) or "ok",
    }


def _free(seen: Seen) -> int | None:
    if seen.taken is None or seen.partitions is None:
        return None
    return seen.partitions - seen.taken


def _told(seen: Seen) -> dict[str, Any]:
    return {**_row(seen), "breaches": list(seen.breaches), "settings": dict(seen.settings)}
