import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.importing.parts import TEXT_CHARS_MAX
from cli.importing.plan import Planner
from cli.importing.posting import FAULTS_OF_A_TEXT, PATIENCE_S, Importer, Key, Stopped
from cli.importing.progress import Progress, Wanted
from cli.importing.report import Report
from cli.importing.tests.channel import AUTHOR, Channel, Killed
from cli.importing.tests.json_values import message
from cli.importing.wording import Wording
from rostrum import NotPosted, SignedOut

WANTED = Wanted("digest", "0", "channel", "none")
LONG = "word " * TEXT_CHARS_MAX
KINDS = st.sampled_from(
    ["text", "reply", "ahead", "long", "empty", "service", "rubbish", "again", "refused"]
)


def _made(kinds: Sequence[str]) -> list[Any]:
    """Messages of these kinds, with gaps between their ids."""
    found: list[Any] = []
    for number, kind in enumerate(kinds):
        ident = 10 + 3 * number
        made = {
            "text": message(ident, f"text {ident}"),
            "reply": message(ident, f"reply {ident}", reply_to_message_id=ident - 3),
            "ahead": message(ident, f"ahead {ident}", reply_to_message_id=ident + 3),
            "long": message(ident, LONG),
            "empty": message(ident, ""),
            "service": {"id": ident, "type": "service", "action": "pin_message"},
            "rubbish": ["rubbish"],
            "again": message(10, f"again {ident}"),
            "refused": message(ident, "refuse me"),
        }
        found.append(made[kind])
    return found


async def _run(folder: Path, channel: Channel, messages: list[Any]) -> Report:
    report = Report(len(messages))
    progress = Progress(folder / "progress", WANTED)
    try:
        if progress.channel is None:
            progress.begin("channel", channel.cursor, AUTHOR)
        planner = Planner(Wording(is_plain=True))
        await Importer(channel, AUTHOR, progress, planner=planner, report=report).run(messages)
    finally:
        progress.close()
    return report


def _refuses(text: str) -> str | None:
    return "field_invalid" if "refuse" in text else None


async def test_entries_have_the_order_of_the_file_and_replies_find_their_entries(
    tmp_path: Path,
) -> None:
    channel = Channel(before=3)
    report = await _run(tmp_path, channel, _made(["text", "reply", "service", "reply", "long"]))
    assert [(entry.id, entry.reply_to) for entry in channel.messages][:3] == [
        (4, None),
        (5, 4),
        (6, None),
    ]
    assert channel.texts[:3] == ["text 10", "reply 13", "reply 19"]
    assert len(channel.texts[3:]) == 6
    assert channel.texts[8].startswith("part 6 of 6\n")
    assert report.document() == {
        "messages": 5,
        "taken": 4,
        "taken_by_kind": {"text": 4},
        "not_taken": 1,
        "not_taken_by_reason": {"service: pin_message": {"count": 1, "first_ids": [16]}},
        "entries": 9,
        "entries_of_earlier_runs": 0,
        "split_into_parts": 1,
        "replies_kept": 1,
        "left_away": {"reply to what has no entry": 1},
    }


async def test_a_second_run_posts_nothing_and_tells_the_same(tmp_path: Path) -> None:
    channel = Channel()
    channel.refuses = _refuses
    made = _made(["text", "refused", "ahead", "reply", "long", "again", "rubbish", "empty"])
    first = (await _run(tmp_path, channel, made)).document()
    texts = channel.texts
    channel.on_post = _die
    second = (await _run(tmp_path, channel, made)).document()
    assert channel.texts == texts
    assert second == first | {"entries_of_earlier_runs": first["entries"]}


def _die(moment: str) -> None:
    raise Killed


class _Deaths:
    """Dies at the numbered calls, each once."""

    def __init__(self, at: set[int]) -> None:
        self._at = at
        self._calls = 0

    def __call__(self, moment: str) -> None:
        self._calls += 1
        if self._calls in self._at:
            raise Killed


@given(st.lists(KINDS, max_size=8), st.sets(st.integers(1, 30), max_size=4), st.booleans())
@settings(deadline=None)
async def test_wherever_it_is_killed_nothing_is_there_twice_or_missing(
    kinds: list[str], deaths: set[int], forgets: bool
) -> None:
    """Before or after the channel took an entry, and also when the channel does not recognise a
    repetition any more: what was taken is found in it."""
    made, quiet, shaken = _made(kinds), Channel(before=2), Channel(before=2)
    quiet.refuses = shaken.refuses = _refuses
    shaken.on_post, shaken.forgets = _Deaths(deaths), forgets
    with tempfile.TemporaryDirectory() as undisturbed, tempfile.TemporaryDirectory() as killed:
        expected = await _run(Path(undisturbed), quiet, made)
        for _ in range(len(deaths)):
            await _until_killed(Path(killed), shaken, made)
        report = await _run(Path(killed), shaken, made)
    assert [(entry.text, entry.reply_to) for entry in shaken.messages] == [
        (entry.text, entry.reply_to) for entry in quiet.messages
    ]
    told, whole = report.document(), expected.document()
    del told["entries_of_earlier_runs"], whole["entries_of_earlier_runs"]
    assert told == whole
    assert report.seen == len(made)


async def _until_killed(folder: Path, channel: Channel, made: list[Any]) -> None:
    try:
        await _run(folder, channel, made)
    except Killed:
        return


async def test_rows_that_the_disk_lost_are_found_in_the_channel(tmp_path: Path) -> None:
    """Also when the channel does not recognise a repetition any more."""
    channel, made = Channel(before=2), _made(["text", "reply", "long", "text"])
    channel.forgets = True
    await _run(tmp_path, channel, made)
    texts = channel.texts
    with closing(sqlite3.connect(tmp_path / "progress", isolation_level=None)) as db:
        db.execute("DELETE FROM entries WHERE entry > 4")
    report = await _run(tmp_path, channel, made)
    assert channel.texts == texts
    assert report.entries_before == len(texts)


async def test_what_others_post_under_its_client_ids_is_not_taken_for_its_own(
    tmp_path: Path,
) -> None:
    channel, made = Channel(), _made(["text", "reply"])
    channel.on_post = _Deaths({3})
    with pytest.raises(Killed):
        await _run(tmp_path, channel, made)
    key = Key.of(channel.messages[0].client_id)
    assert key is not None
    channel.disturb(str(Key(key.identity, 1, 13, 0)))
    await _run(tmp_path, channel, made)
    assert channel.texts == ["text 10", "reply 13"]
    assert channel.messages[1].reply_to == 1


@given(st.integers(0, 2**40), st.integers(-(2**63), 2**63), st.integers(0, 9_999))
def test_a_key_is_a_client_id_that_the_api_takes(place: int, ident: int, part: int) -> None:
    key = Key("0123456789abcdef", place, ident, part)
    assert len(str(key)) <= 64
    assert Key.of(str(key)) == key
    assert Key.of("01KA3Q7M0000000000000000K1") is None


@pytest.mark.parametrize("code", sorted(FAULTS_OF_A_TEXT))
async def test_a_text_that_is_refused_does_not_stop_the_others(tmp_path: Path, code: str) -> None:
    channel = Channel()
    channel.refuses = lambda text: code if "10" in text else None
    report = await _run(tmp_path, channel, _made(["text", "text"]))
    assert channel.texts == ["text 13"]
    assert report.not_taken[f"refused: {code}"].ids == [10]


async def test_what_is_refused_as_a_whole_stops_the_import(tmp_path: Path) -> None:
    channel = Channel()
    channel.refuses = lambda text: "banned"
    with pytest.raises(Stopped, match=r"banned: .*; run the same command again to go on"):
        await _run(tmp_path, channel, _made(["text"]))
    channel.refuses = lambda text: None
    assert (await _run(tmp_path, channel, _made(["text"]))).taken.total() == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (NotPosted("id", "away", is_unknown=True), f"not acknowledged for {PATIENCE_S:.0f} s"),
        (SignedOut("the session ended"), "the session ended; run the same command again"),
    ],
)
async def test_a_deployment_that_is_away_stops_the_import(
    tmp_path: Path, fault: Exception, said: str
) -> None:
    channel = Channel()

    def fail(moment: str) -> None:
        raise fault

    channel.on_post = fail
    with pytest.raises(Stopped, match=said):
        await _run(tmp_path, channel, _made(["text"]))


async def test_ids_that_begin_anew_stop_the_import(tmp_path: Path) -> None:
    channel = Channel()
    progress_made = _made(["text", "reply"])
    channel.on_post = _Deaths({3})
    with pytest.raises(Killed):
        await _run(tmp_path, channel, progress_made)
    channel.epoch, channel.entries = 2, []
    with pytest.raises(Stopped, match="began anew"):
        await _run(tmp_path, channel, progress_made)
