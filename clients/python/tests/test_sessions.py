"""Where sessions are kept: whole after a crash, for the owner's eyes, one renewal at a time."""

import asyncio
import os
import signal
import stat
from pathlib import Path

import pytest

from clients.python.tests.programs import started
from libs.testing.eventually import eventually
from rostrum import FileSessions, NotKept, Session, User, durable
from rostrum.session import SignedIn

SESSION = Session(access_token="a", refresh_token="r", id="s", user=User(id="u", handle="ada"))
WITHIN_S = 20.0


def test_what_was_saved_is_loaded_by_the_next_program(tmp_path: Path) -> None:
    FileSessions(tmp_path / "session").save(SESSION)
    assert FileSessions(tmp_path / "session").load() == SESSION


def test_what_was_forgotten_is_gone(tmp_path: Path) -> None:
    sessions = FileSessions(tmp_path / "session")
    sessions.save(SESSION)
    sessions.save(None)
    sessions.save(None)
    assert sessions.load() is None


async def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        sessions = FileSessions(tmp_path / "session")
        sessions.save(SESSION)
        async with sessions.alone():
            pass
    finally:
        os.umask(before)
    assert modes_in(tmp_path) == {"session": 0o600, "session.lock": 0o600}


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.mark.parametrize("content", [b"", b"{", b'{"access_token": 1}', b"\xff\xfe"])
def test_a_file_that_is_no_session_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session"
    path.write_bytes(content)
    with pytest.raises(NotKept, match="remove it, and sign in again"):
        FileSessions(path).load()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    sessions = FileSessions(tmp_path / "nowhere" / "session")
    with pytest.raises(NotKept, match="nowhere"):
        sessions.save(SESSION)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "session"
    path.mkdir()
    with pytest.raises(NotKept):
        durable.write(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_printed_holds_no_token() -> None:
    session = Session(access_token="secret", refresh_token="secret", user=User(id="u"))
    assert "secret" not in f"{session} {session!r}"


async def test_one_at_a_time_in_one_program(tmp_path: Path) -> None:
    inside = most = 0

    async def enter() -> None:
        nonlocal inside, most
        async with FileSessions(tmp_path / "session").alone():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(enter() for _ in range(5)))
    assert most == 1


async def test_who_holds_it_for_too_long_is_named() -> None:
    with pytest.raises(NotKept, match=r"the file is locked for 0\.1 s by another program"):
        await durable.wait_until(lambda: False, "the file is locked", within_s=0.1)


HOLD = """
import asyncio, sys
from rostrum import FileSessions

async def hold():
    async with FileSessions(sys.argv[1]).alone():
        print("inside", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


async def test_who_dies_inside_lets_the_next_program_in(tmp_path: Path) -> None:
    path = tmp_path / "session"
    holder = await started(HOLD, str(path))
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"inside\n"

    async def enter() -> bool:
        async with FileSessions(path).alone():
            return True

    waiting = asyncio.ensure_future(enter())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    holder.send_signal(signal.SIGKILL)
    await holder.wait()
    await eventually(waiting.done, within_s=WITHIN_S, what="the next one is inside")
    assert waiting.result()


@pytest.mark.parametrize(("life_s", "before_s"), [(600, 60), (180, 60), (30, 10)])
def test_a_token_is_renewed_a_minute_before_its_end_or_a_third(
    life_s: float, before_s: float
) -> None:
    answer = SignedIn(
        session_id="s", access_token="a", refresh_token="r", expires_in=life_s, user=User(id="u")
    )
    session = answer.session(1_000.0)
    assert (session.expires_at, session.renew_at) == (1_000 + life_s, 1_000 + life_s - before_s)


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "gr\u00fc\u00df"])
def test_what_cannot_be_a_token_is_none(token: str) -> None:
    with pytest.raises(ValueError, match="one word"):
        Session.of_token(token)


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a.!!.c", "a..c"])
def test_a_token_that_says_nothing_of_itself_is_used_as_long_as_it_goes(token: str) -> None:
    session = Session.of_token(token)
    assert (session.expires_at, session.user_id) == (None, "")
