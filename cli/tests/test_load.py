"""`rostrum load` at a real deployment, at one that is not one's own, and at gateways that lie."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.loading.options import FOLLOWERS_MAX, POSTS_MAX
from cli.loading.tests.liar import Liar, lying
from cli.tests.site import Site, document, ran, started
from harness.suite import ROOT, Suite
from libs.runtime.keys import SECRET_FILE, Keys, fresh_secret
from libs.runtime.settings import PREFIX

FEW = ("--websocket", "2", "--events", "2", "--poll", "2", "--ramp", "0", "--rate", "20")
SHORT = (*FEW, "--for", "1")
# A run of a second, on a machine with other work: its start, its end, and what it waits.
ENDS_S = 60.0


def test_a_deployment_that_is_well_loses_and_repeats_nothing(site: Site) -> None:
    told = document(site.run("load", *SHORT, "--json"))
    assert (told["ok"], told["findings"], told["errors"]) == (True, [], {})
    assert told["posts"]["acknowledged"] == 20
    assert {row["way"] for row in told["ways"]} == {"websocket", "events", "poll"}
    for row in told["ways"]:
        assert (row["followers"], row["connected"]) == (2, 2)
        assert (row["expected"], row["delivered"], row["lost"]) == (40, 40, 0)
        assert 0 < row["p50_ms"] <= row["p99_ms"]
    assert set(told["judgement"].values()) == {0}


def test_people_read_a_report_and_the_phases_on_standard_error(site: Site) -> None:
    answer = site.run("load", *SHORT)
    assert answer.exit_code == 0
    assert answer.stdout.split()[:4] == ["way", "people", "due", "came"]
    assert "posts: 20 sent, 20 acknowledged" in answer.stdout
    assert answer.stderr.startswith("connecting ...\nposting ...")


def test_several_processes_and_channels_share_the_work(site: Site) -> None:
    options = ("--processes", "2", "--channels", "3", "--follows", "2", "--rate", "60")
    told = document(site.run("load", *SHORT, *options, "--json"))
    assert told["posts"]["acknowledged"] == 60
    # Each of three channels has 20 posts, and each follower two of them.
    assert sum(row["expected"] for row in told["ways"]) == 6 * 2 * 20


def test_the_next_run_uses_the_same_channels(site: Site) -> None:
    before = _pools(site)
    for _ in range(2):
        document(site.run("load", *SHORT, "--prefix", "again", "--channels", "2", "--json"))
    assert _pools(site) == before + 2


def _pools(site: Site) -> int:
    told = document(site.run("topics", "--json"))["topics"]
    return sum(row["taken"] or 0 for row in told)


def test_tokens_take_the_place_of_the_key_where_yes_is_said(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text(site.run("token", "--users", "7", "--prefix", "given").stdout)
    options = ("load", *SHORT, "--tokens", str(path), "--data", str(tmp_path), "--json")
    refused = site.run(*options)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "add --yes if you may load it" in refused.stderr
    assert document(site.run(*options, "--yes"))["ok"]
    path.write_text("\n".join(path.read_text().split()[:6]))
    few = site.run(*options, "--yes")
    assert few.exit_code == 2
    assert "has 6 tokens, and 7 are needed: 1 who post and 6 who follow" in few.stderr


def test_a_deployment_of_another_key_is_refused(site: Site, tmp_path: Path) -> None:
    _key(tmp_path)
    answer = site.run("load", *SHORT, "--data", str(tmp_path))
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "is not the deployment of the key in" in answer.stderr
    assert "give its --tokens and --yes" in answer.stderr


def test_without_a_key_or_a_gateway_nothing_is_loaded(site: Site, tmp_path: Path) -> None:
    without = site.run("load", *SHORT, "--data", str(tmp_path))
    assert (without.exit_code, "is missing" in without.stderr) == (1, True)
    away = site.run("load", *SHORT, "--url", "http://127.0.0.1:9")
    assert (away.exit_code, "name its gateway with --url" in away.stderr) == (1, True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--websocket", "0", "--events", "0", "--poll", "0"), "0 followers: 1 to"),
        (("--websocket", str(FOLLOWERS_MAX)), "20,004 followers: 1 to 20,000 may be"),
        (("--follows", "2"), "more channels than there are"),
        (("--rate", "5000", "--for", "14400"), f"1 to {POSTS_MAX:,} may be"),
        (("--rate", "0.1"), "is 0.1 posts"),
        (("--rate", "0"), "0.0 is not in the range"),
        (("--processes", "0"), "0 is not in the range"),
    ],
)
def test_what_is_nothing_or_too_much_is_wrong_use(
    site: Site, options: tuple[str, ...], says: str
) -> None:
    answer = site.run("load", *SHORT, *options)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert says in answer.stderr


@pytest.mark.parametrize(
    ("lie", "finding"),
    [
        ("loses", "deliveries were lost"),
        ("doubles", "came or were written again"),
        ("swaps", "acknowledged posts are not where they were said to be"),
    ],
)
async def test_a_lie_is_found(tmp_path: Path, lie: str, finding: str) -> None:
    liar = Liar(_key(tmp_path), **{lie: True})
    async with lying(liar) as url:
        code, told = await _loaded(tmp_path, url)
    assert code == 1
    assert told["ok"] is False
    assert any(each.endswith(finding) for each in told["findings"]), told["findings"]


async def test_a_gateway_that_does_not_lie_is_believed(tmp_path: Path) -> None:
    async with lying(Liar(_key(tmp_path))) as url:
        code, told = await _loaded(tmp_path, url)
    assert (code, told["findings"]) == (0, [])


@pytest.mark.long
async def test_a_deployment_that_is_killed_ends_the_run_in_time(tmp_path: Path) -> None:
    """Posts that are not answered are waited for, and told as what they are."""
    async with Suite(tmp_path) as suite:
        environment = {f"{PREFIX}DATA": str(tmp_path), f"{PREFIX}PORT": str(suite.port), "PATH": ""}
        options = ("load", *FEW, "--for", "4", "--settle", "1", "--json")
        async with started(environment, *options) as process:
            assert process.stderr is not None
            while b"posting" not in await process.stderr.readline():
                pass
            await suite.kill()
            async with asyncio.timeout(ENDS_S):
                out, _ = await process.communicate()
    told = json.loads(out)
    assert process.returncode == 1
    assert told["posts"]["unknown"] + told["posts"]["failed"] > 0
    assert told["findings"]


async def _loaded(folder: Path, url: str) -> tuple[int | None, Mapping[str, Any]]:
    """A short run of followers who poll, with the key in the folder."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "load", "--url", url, "--data", str(folder)),
        *(*SHORT, "--websocket", "0", "--events", "0", "--settle", "1", "--json"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(ENDS_S):
        out, _ = await process.communicate()
    return process.returncode, json.loads(out)


def _key(folder: Path) -> str:
    """A new key among the secrets of a folder; its id."""
    (folder / "secrets").mkdir()
    (folder / "secrets" / SECRET_FILE).write_bytes(secret := fresh_secret())
    return Keys(secret).public()[0]["kid"]


def test_a_wrong_setting_is_wrong_use(tmp_path: Path) -> None:
    assert ran(tmp_path, "load", PORT="none").exit_code == 2
