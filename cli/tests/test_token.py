"""`rostrum token`: what it signs counts at a real gateway, for as long as it says and no longer."""

import os
from pathlib import Path

import httpx
import jwt
import pytest

from cli.signing import users
from cli.tests.site import TEXTS, Site, lines, ran
from libs.runtime.keys import SECRET_FILE, Keys, fresh_secret
from libs.wire.ids import is_id
from libs.wire.tokens import LIFE_S_MAX


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a key."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / SECRET_FILE).write_bytes(fresh_secret())
    return tmp_path


def test_its_tokens_read_what_is_public_at_a_gateway(site: Site) -> None:
    answer = site.run("token", "--users", "3")
    assert answer.exit_code == 0
    tokens = answer.stdout.splitlines()
    assert len(set(tokens)) == 3
    for token in tokens:
        reply = httpx.get(
            f"{site.suite.url}/v1/channels/{site.channel}/messages",
            headers={"authorization": f"Bearer {token}"},
        )
        assert (reply.status_code, len(reply.json()["entries"]) >= len(TEXTS)) == (200, True)


def test_the_warning_is_loud_and_not_among_the_tokens(site: Site) -> None:
    answer = site.run("token")
    assert len(answer.stdout.splitlines()) == 1
    assert answer.stderr.startswith("WARNING: whoever has these tokens is these users")
    assert f"({SECRET_FILE}) can sign in as anybody" in answer.stderr


def test_what_is_in_it_is_what_session_signs(folder: Path) -> None:
    answer = ran(folder, "token", "--users", "2", "--prefix", "x", "--ttl", "60", "--json")
    first, second = lines(answer.stdout)
    assert [first["user"], second["user"]] == list(users("x", 2))
    said = jwt.decode(first["token"], options={"verify_signature": False})
    assert (said["sub"], said["sid"]) == (first["user"], first["session"])
    assert is_id(said["sub"])
    assert is_id(said["sid"])
    assert said["exp"] - said["iat"] == 60
    assert first["expires_at"] == said["exp"]
    key = Keys((folder / "secrets" / SECRET_FILE).read_bytes()).public()[0]
    assert jwt.get_unverified_header(first["token"]) == {
        "alg": "EdDSA",
        "typ": "at+jwt",
        "kid": key["kid"],
    }


def test_the_same_prefix_is_the_same_users_and_another_is_others() -> None:
    assert list(users("a", 3)) == list(users("a", 3))
    assert not set(users("a", 100)) & set(users("b", 100))


@pytest.mark.parametrize(
    "options", [("--ttl", "0"), ("--ttl", str(LIFE_S_MAX + 1)), ("--users", "0")]
)
def test_what_no_gateway_takes_is_wrong_use(folder: Path, options: tuple[str, ...]) -> None:
    answer = ran(folder, "token", *options)
    assert (answer.exit_code, answer.stdout) == (2, "")


def test_without_the_key_nothing_is_made_and_it_says_where_to_run(tmp_path: Path) -> None:
    answer = ran(tmp_path, "token")
    assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1)
    assert f"secrets/{SECRET_FILE} is missing" in answer.stderr
    assert "--data or ROSTRUM_DATA" in answer.stderr
    assert os.listdir(tmp_path) == []


def test_a_key_of_another_form_is_one_line(folder: Path) -> None:
    (folder / "secrets" / SECRET_FILE).write_text("not a key")
    answer = ran(folder, "token")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "must hold Ed25519 keys in PKCS #8 PEM" in answer.stderr
    (folder / "secrets" / SECRET_FILE).write_text("")
    assert "is empty" in ran(folder, "token").stderr
