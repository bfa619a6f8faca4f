"""`rostrum tail` from the log: while it is served, when nobody serves it, and what it decides."""

import asyncio
import json
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.lines import NEWEST
from cli.tests.site import ENDS_S, HANDLE, TEXTS, Site, line_of, lines, ran, started
from libs.log.port import Partition
from libs.log.sqlite import open_sqlite
from libs.wire.fold import WINDOW
from libs.wire.ids import derived
from libs.wire.records import Claim, EntryRecord, Message, encode
from libs.wire.topics import DIRECTORY, TOPICS, pool

CHANNEL = derived("channel")
POOL = pool(0, 4)


def test_the_newest_entries_are_printed_as_programs_and_people_read_them(site: Site) -> None:
    answer = site.run("tail", HANDLE, "--no-follow", "--json")
    assert answer.exit_code == 0
    entries = lines(answer.stdout)
    assert [entry["id"] for entry in entries] == [1, 2, 3]
    assert [entry["text"] for entry in entries] == list(TEXTS)
    assert {entry["from"] for entry in entries} == {site.owner.id}
    assert {entry["type"] for entry in entries} == {"message"}
    people = site.run("tail", site.channel, "--no-follow").output.splitlines()
    assert people[2].split(None, 2)[2] == f"{site.owner.id}  three \\x1b[31mred"


def test_from_and_count_say_which(site: Site) -> None:
    def ids(*options: str) -> list[int]:
        answer = site.run("tail", HANDLE, "--json", *options)
        assert answer.exit_code == 0
        return [entry["id"] for entry in lines(answer.stdout)]

    assert ids("--from", "2", "--no-follow") == [2, 3]
    assert ids("--from", "first", "--count", "2") == [1, 2]
    assert ids("--from", "9", "--no-follow") == []


@pytest.mark.parametrize("start", ["0", "-1", "last", "1-1", "٣", "9" * 19, "9" * 5_000])
def test_a_start_that_is_no_id_is_wrong_use(site: Site, start: str) -> None:
    answer = site.run("tail", HANDLE, "--from", start)
    assert answer.exit_code == 2
    assert "is no id: write a number from 1, or 'first'" in answer.stderr


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_posted_meanwhile_comes_and_ctrl_c_ends_it_well(site: Site) -> None:
    async with started(site.environment(), "tail", HANDLE, "--json") as process:
        for _ in TEXTS:
            await line_of(process)
        posted = await site.owner.post_surely(site.channel, "meanwhile", "meanwhile")
        came = json.loads(await line_of(process))
        assert (came["id"], came["text"]) == (posted, "meanwhile")
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(ENDS_S):
            _, errors = await process.communicate()
    assert (process.returncode, errors.decode().strip()) == (0, "")


def test_nobody_serves_it_and_all_the_same_it_is_read(tmp_path: Path) -> None:
    _log(tmp_path, [_message("a"), _message("b")])
    entries = lines(ran(tmp_path, "tail", CHANNEL, "--no-follow", "--json").stdout)
    assert [(entry["id"], entry["client_id"]) for entry in entries] == [(1, "a"), (2, "b")]


def test_repetitions_foreign_records_and_rubbish_are_void_as_for_everybody(tmp_path: Path) -> None:
    foreign = Message(channel=derived("other"), author="u", client_id="x", text="x")
    newer = EntryRecord(type="poll", channel=CHANNEL, author="u", client_id="y")
    _log(tmp_path, [_message("a"), _message("a"), foreign, b"\xc1", newer, _message("b")])
    entries = lines(ran(tmp_path, "tail", CHANNEL, "--no-follow", "--json").stdout)
    assert [entry["type"] for entry in entries] == [
        *("message", "void", "void", "void", "poll", "message")
    ]
    assert entries[1]["dup_of"] == 1
    people = ran(tmp_path, "tail", CHANNEL, "--no-follow").output.splitlines()
    assert people[1].endswith("(void, repeats 1)")
    assert people[2].endswith("(void)")
    assert people[4].endswith("(poll, of a newer release)")


def test_a_repetition_of_what_is_not_shown_is_one(tmp_path: Path) -> None:
    fill = [_message(f"m{number}") for number in range(WINDOW - 1)]
    _log(tmp_path, [_message("a"), *fill, _message("a"), _message("a")])
    last = lines(ran(tmp_path, "tail", CHANNEL, "--no-follow", "--json").stdout)
    assert len(last) == NEWEST
    assert [(entry["type"], entry.get("dup_of")) for entry in last[-2:]] == [
        ("void", 1),
        ("void", WINDOW + 1),
    ]


def test_more_than_a_page_is_read_in_order(tmp_path: Path) -> None:
    _log(tmp_path, [_message(f"m{number}") for number in range(2_500)])
    answer = ran(tmp_path, "tail", CHANNEL, "--from", "first", "--no-follow", "--json")
    assert [entry["id"] for entry in lines(answer.stdout)] == list(range(1, 2_501))


def test_what_is_gone_is_said_on_standard_error(tmp_path: Path) -> None:
    _log(tmp_path, [_message(f"m{number}") for number in range(8)], trimmed=5)
    answer = ran(tmp_path, "tail", CHANNEL, "--from", "2", "--no-follow", "--json")
    assert [entry["id"] for entry in lines(answer.stdout)] == [6, 7, 8]
    assert answer.stderr == "what is below id 6 is not kept any more\n"
    whole = ran(tmp_path, "tail", CHANNEL, "--from", "first", "--no-follow", "--json")
    assert (len(lines(whole.stdout)), whole.stderr) == (3, "")


def test_an_empty_channel_prints_nothing(tmp_path: Path) -> None:
    _log(tmp_path, [])
    answer = ran(tmp_path, "tail", CHANNEL, "--no-follow")
    assert (answer.exit_code, answer.output) == (0, "")


def test_a_log_that_is_away_is_one_line(tmp_path: Path) -> None:
    answer = ran(tmp_path, "tail", CHANNEL)
    assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1)
    assert "start it, or name it with --log" in answer.stderr


def _message(client_id: str) -> Message:
    return Message(channel=CHANNEL, author=derived("author"), client_id=client_id, text="words")


def _log(folder: Path, records: Sequence[EntryRecord | bytes], *, trimmed: int = 0) -> None:
    """A log with one channel and these records in it, that nobody serves."""
    claim = Claim(
        channel=CHANNEL,
        epoch=1,
        topic=POOL.name,
        partition=1,
        base_offset=0,
        base_id=1,
        kind="group",
        owner=derived("author"),
        visibility="public",
        title="T",
    )

    async def write() -> None:
        log = await open_sqlite(str(folder / "rostrum.db"), now_ms=lambda: 1_795_248_000_000)
        await log.create_topics([*TOPICS, POOL])
        await log.append(Partition(DIRECTORY.name, 0), encode(claim))
        place = Partition(POOL.name, 1)
        raw = [each if isinstance(each, bytes) else encode(each) for each in records]
        await asyncio.gather(*(log.append(place, each) for each in raw))
        if trimmed:
            await log.trim(place, trimmed)
        await log.close()

    asyncio.run(write())
