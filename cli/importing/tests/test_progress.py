import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from cli.importing.progress import Known, OtherImport, Progress, Wanted

WANTED = Wanted(file="d1", chat="7", target="new: Shed", options="")


def test_what_was_told_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    first = Progress(path, WANTED)
    identity = first.identity
    assert (first.channel, first.last_entry) == (None, 0)
    first.begin("channel", "1-40", "mira")
    first.took(5, 0, 41, place=0)
    first.took(5, 1, 42, place=0)
    first.refuse(6, "field_invalid", place=1)
    first.close()
    again = Progress(path, WANTED)
    assert (again.identity, again.channel, again.start) == (identity, "channel", "1-40")
    assert again.known(5) == Known({0: 41, 1: 42}, None, 0)
    assert again.known(6) == Known({}, "field_invalid", 1)
    assert again.known(7) == Known({}, None, None)
    assert (again.entry_of(5, before=1), again.entry_of(6, before=2)) == (41, None)
    assert again.entry_of(5, before=0) is None
    assert again.last_entry == 42


@pytest.mark.parametrize("field", ["file", "chat", "target", "options"])
def test_another_import_does_not_open_it_and_is_told_why(tmp_path: Path, field: str) -> None:
    path = tmp_path / "progress"
    Progress(path, WANTED).close()
    with pytest.raises(OtherImport, match=f"whose {field} is .*, not other; name another file"):
        Progress(path, replace(WANTED, **{field: "other"}))
    Progress(path, WANTED).close()


def test_a_channel_that_the_import_made_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    progress = Progress(path, WANTED)
    progress.begin("channel", "1-0", "mira")
    progress.close()
    Progress(path, replace(WANTED, target="channel")).close()


def test_who_began_goes_on_and_nobody_else(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress", WANTED)
    progress.begin("channel", "1-0", "mira")
    progress.check("mira")
    with pytest.raises(OtherImport, match="belongs to an import by the user mira"):
        progress.check("jonas")
    progress.close()


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    holder = Progress(tmp_path / "progress", WANTED)
    with pytest.raises(OtherImport, match="is in use: another import runs with it"):
        Progress(tmp_path / "progress", WANTED)
    holder.close()


def test_what_is_no_progress_file_is_left_as_it_is(tmp_path: Path) -> None:
    text, other, missing = tmp_path / "text", tmp_path / "other", tmp_path / "no" / "folder"
    text.write_text("something that matters to somebody " * 100)
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    for path in (text, other, missing):
        before = path.read_bytes() if path.exists() else None
        with pytest.raises(OtherImport, match="cannot be used as a progress file"):
            Progress(path, WANTED)
        assert before == (path.read_bytes() if path.exists() else None)


def test_a_progress_file_of_a_version_to_come_is_refused(tmp_path: Path) -> None:
    Progress(tmp_path / "progress", WANTED).close()
    with sqlite3.connect(tmp_path / "progress") as db:
        db.execute("PRAGMA user_version=2")
    db.close()
    with pytest.raises(OtherImport, match="is of version 2"):
        Progress(tmp_path / "progress", WANTED)
