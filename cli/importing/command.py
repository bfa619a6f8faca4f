"""The command `rostrum import`."""

from dataclasses import dataclass
from pathlib import Path

import click

from cli import show
from cli.address import GATEWAY, Where, address
from cli.asking import asked, client_of, ident_of
from cli.bar import bar
from cli.importing import showing
from cli.importing.choice import Unclear, chosen
from cli.importing.outline import Chat
from cli.importing.plan import Planner
from cli.importing.posting import Importer, Stopped
from cli.importing.progress import OtherImport, Progress, Wanted
from cli.importing.reading import NoExport, messages, survey
from cli.importing.report import Report
from cli.importing.wording import Wording
from cli.show import Trouble
from rostrum import Client

NEW = "new: "
SUFFIX = ".progress"


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done: the file and chat, the channel or the title of a new one, and how."""

    file: Path
    chat: Chat
    target: str
    planner: Planner
    progress: Path
    digest: str

    @property
    def wanted(self) -> Wanted:
        """What a progress file has to be of."""
        how = self.planner.wording
        options = {"plain": how.is_plain, "service": self.planner.with_service,
                   "no-media-notes": not how.has_media_notes}  # fmt: skip
        given = " ".join(name for name, is_given in options.items() if is_given)
        chat = f"{self.chat.number}: {self.chat.ident} {self.chat.name or self.chat.kind}"
        return Wanted(self.digest, chat, self.target, given or "none")


EXAMPLE = """
\b
Examples:
  rostrum import result.json --create "Harbour Allotments"
  rostrum import result.json --chat 5100000 --channel @allotments --json
"""


@click.command("import", epilog=EXAMPLE)
@address(GATEWAY)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--channel", metavar="ID|@HANDLE", help="Post to this channel.")
@click.option("--create", metavar="TITLE", help="Post to a new private group with this title.")
@click.option("--chat", metavar="ID|NAME", help="Which chat, in the export of a whole account.")
@click.option("--plain", is_flag=True, help="Texts alone: without a first line of who and when.")
@click.option("--service", is_flag=True, help="Post what happened, such as a changed title, too.")
@click.option(
    "--no-media-notes", is_flag=True, help="No notes such as [photo] for what is no text."
)
@click.option(
    "--progress",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"File that remembers how far the import is; FILE{SUFFIX} unless given.",
)
@show.json_option
def import_(
    *,
    where: Where,
    file: Path,
    channel: str | None,
    create: str | None,
    chat: str | None,
    plain: bool,
    service: bool,
    no_media_notes: bool,
    progress: Path | None,
    as_json: bool,
) -> None:
    """Post the messages of a Telegram Desktop export (result.json) to a channel, in their order.

    The posts are yours, by the session or token that is given. Each begins with a line that says
    who wrote it and when. An import that was stopped goes on when the same command is run again.
    """
    if (channel is None) == (create is None):
        raise click.UsageError("say where to: either --channel or --create")
    planner = Planner(Wording(is_plain=plain, has_media_notes=not no_media_notes), service)
    try:
        found = survey(file)
        job = Job(
            file,
            chosen(found, chat),
            channel if channel is not None else f"{NEW}{create}",
            planner=planner,
            progress=progress or file.with_name(file.name + SUFFIX),
            digest=found.digest,
        )
        _run(where, job, as_json=as_json)
    except (NoExport, Unclear, OtherImport) as fault:
        raise Trouble(str(fault)) from fault
    except BrokenPipeError:
        # Whoever reads the report has enough.
        raise
    except OSError as fault:
        raise Trouble(f"{file} cannot be read: {fault}") from fault


def _run(where: Where, job: Job, *, as_json: bool) -> None:
    report = Report(job.chat.count)
    progress = Progress(job.progress, job.wanted)
    stopped = None
    try:
        asked(_imported(client_of(where), job, progress, report))
    except Stopped as fault:
        stopped = str(fault)
    except KeyboardInterrupt:
        stopped = "interrupted; run the same command again to go on from here"
    finally:
        channel = progress.channel
        progress.close()
    document = {"channel": channel, "is_complete": stopped is None, **report.document()}
    show.document(document) if as_json else showing.told(document)
    if stopped is not None:
        raise Trouble(f"{report.seen:,} of {report.messages:,} messages so far: {stopped}")


async def _imported(client: Client, job: Job, progress: Progress, report: Report) -> None:
    async with client:
        author = (await client.me()).id
        await _settle(client, author, job, progress)
        with bar(job.chat.name or job.chat.kind, job.chat.count) as step:
            importer = Importer(
                client, author, progress, planner=job.planner, report=report, on_message=step
            )
            await importer.run(messages(job.file, job.chat))


async def _settle(client: Client, author: str, job: Job, progress: Progress) -> None:
    """The channel to be filled, made or looked up once for all runs."""
    if progress.channel is not None:
        progress.check(author)
        return
    if job.target.startswith(NEW):
        title = job.target.removeprefix(NEW)
        channel = await client.create_channel(title, client_id=progress.identity)
    else:
        channel = await client.channel(await ident_of(client, job.target))
    progress.begin(channel.id, channel.cursor, author)
