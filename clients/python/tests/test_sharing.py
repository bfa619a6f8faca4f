"""Several programs that share a session file do not sign each other out, killed or not."""

import asyncio
import random
from asyncio.subprocess import Process
from pathlib import Path

from clients.python.tests.people import person
from clients.python.tests.programs import started
from rostrum import Client, FileSessions

PROGRAMS = 4
RENEWALS = 8
KILLS = 6
WITHIN_S = 60.0

RENEW = """
import asyncio, sys
from rostrum import Client, FileSessions

async def renew(url, path, times):
    async with Client(url, sessions=FileSessions(path)) as client:
        for _ in range(times):
            await client.http.token(newer_than=client.session.access_token)
            await client.me()
            print("renewed", flush=True)

asyncio.run(renew(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_programs_that_renew_one_session_at_once_all_stay_signed_in(
    url: str, tmp_path: Path
) -> None:
    path = tmp_path / "session"
    async with person(url, "pia", sessions=FileSessions(path)):
        pass
    programs = [await started(RENEW, url, str(path), str(RENEWALS)) for _ in range(PROGRAMS)]
    outputs = await asyncio.gather(*(program.communicate() for program in programs))
    assert [program.returncode for program in programs] == [0] * PROGRAMS
    assert [output.count(b"renewed") for output, _ in outputs] == [RENEWALS] * PROGRAMS
    async with Client(url, sessions=FileSessions(path)) as client:
        assert (await client.me()).handle == "pia"


async def test_a_program_killed_amid_renewals_takes_the_session_from_nobody(
    url: str, tmp_path: Path
) -> None:
    """The refresh token that it had sent counts once more for 10 s: the next program sends it."""
    path = tmp_path / "session"
    async with person(url, "quinn", sessions=FileSessions(path)):
        pass
    dice = random.Random(1)
    for _ in range(KILLS):
        program = await started(RENEW, url, str(path), "1000000")
        await seen(program, dice.randrange(1, 20))
        program.kill()
        await program.wait()
    async with Client(url, sessions=FileSessions(path)) as client:
        before = client.session.refresh_token
        await client.http.token(newer_than=client.session.access_token)
        assert client.session.refresh_token != before
        assert (await client.me()).handle == "quinn"


async def seen(program: Process, lines: int) -> None:
    assert program.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        for _ in range(lines):
            assert await program.stdout.readline() == b"renewed\n"
