"""Secrets are made once, for their owner alone, however many processes start at once."""

import asyncio
import sys
from pathlib import Path

import pytest

from libs.runtime.secrets import SecretMissing, Secrets, entropy, random_key

ROOT = Path(__file__).parents[3]
READ = """
import sys
from pathlib import Path
from libs.runtime.secrets import Secrets, random_key

sys.stdin.readline()
sys.stdout.write(Secrets(Path(sys.argv[1]), may_make=True).get("k", random_key).hex())
"""
PROCESSES = 4


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "secrets"
    made = Secrets(folder, may_make=True).get("identity.key", random_key)
    assert len(made) == 32
    assert (folder / "identity.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == ["identity.key"]
    assert Secrets(folder, may_make=True).get("identity.key", never) == made
    assert Secrets(folder, may_make=False).get("identity.key", never) == made


def never() -> bytes:
    raise AssertionError("made although it is there")


async def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    readers = [await reader(tmp_path / "secrets") for _ in range(PROCESSES)]
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*(child.communicate(b"go\n") for child in readers))
    said = {out for out, _ in answers}
    assert len(said) == 1
    assert len(bytes.fromhex(said.pop().decode())) == 32
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["k"]


async def reader(folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", READ, str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )


def test_whoever_loses_the_race_reads_the_winner(tmp_path: Path) -> None:
    def overtaken() -> bytes:
        (tmp_path / "k").write_bytes(b"the winner's")
        return b"the loser's"

    assert Secrets(tmp_path, may_make=True).get("k", overtaken) == b"the winner's"
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_a_missing_secret_is_named_where_none_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match=r"identity\.key is missing: mount"):
        Secrets(tmp_path / "s", may_make=False).get("identity.key", random_key)
    assert not (tmp_path / "s").exists()


def test_an_empty_file_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "k").touch()
    with pytest.raises(SecretMissing, match="k is empty"):
        Secrets(tmp_path, may_make=True).get("k", random_key)


def test_random_bytes_differ() -> None:
    assert len(entropy(10)) == 10
    assert len({random_key() for _ in range(100)}) == 100
