"""Where a deployment is, as options and variables say it."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cli.address import GATEWAY, LOG, SERVICES, STORE, Where, address
from libs.wire.services import CHAT, RELAY


def _asked(*arguments: str, **variables: str) -> Where:
    answer, found = _answer(*arguments, **variables)
    assert answer.exit_code == 0, answer.output
    assert found is not None
    return found


def _answer(*arguments: str, **variables: str) -> tuple[Result, Where | None]:
    found: list[Where] = []

    @click.command()
    @address(GATEWAY, LOG, STORE, SERVICES)
    @click.option("--count", default=1)
    def command(where: Where, count: int) -> None:
        found.append(where)

    environ = {f"ROSTRUM_{name}": value for name, value in variables.items()}
    answer = CliRunner().invoke(command, arguments, env=environ)
    return answer, (found[0] if found else None)


def test_without_a_word_it_is_the_embedded_one_on_this_machine() -> None:
    where = _asked()
    assert where.url == "http://127.0.0.1:8080"
    assert where.log_url == "sqlite:///var/rostrum.db"
    assert where.is_embedded
    assert (where.token, where.store_url) == (None, "")
    assert where.secrets == Path("var/secrets")
    assert where.sessions == Path("~/.config/rostrum/sessions.json").expanduser()


def test_the_variables_of_the_services_count() -> None:
    where = _asked(
        PORT="8090", HOST="0.0.0.0", DATA="/srv/rostrum", STORE_URL="redis://r/0", CHAT_WAIT_S="1"
    )
    assert where.url == "http://127.0.0.1:8090"
    assert where.log_url == "sqlite:////srv/rostrum/rostrum.db"
    assert where.store_url == "redis://r/0"
    assert where.addresses[CHAT] == ("http://127.0.0.1:8091",)


def test_options_count_more_than_variables() -> None:
    where = _asked(
        *("--url", "https://talk.example/", "--log", "kafka://k:9092", "--token", "t"),
        URL="http://other:1",
        LOG_URL="sqlite://:memory:",
        TOKEN="u",
    )
    assert (where.url, where.token) == ("https://talk.example", "t")
    assert (where.log_url, where.is_embedded) == ("kafka://k:9092", False)


def test_services_are_beside_the_gateway_unless_they_are_named() -> None:
    where = _asked("--url", "http://far:9000", "--addresses", "chat=http://c1:1 http://c2:1")
    assert where.addresses[CHAT] == ("http://c1:1", "http://c2:1")
    assert where.addresses[RELAY] == ("http://far:9005",)


@pytest.mark.parametrize("url", ["far:9000", "ftp://far", "http://", "http://far:port"])
def test_an_address_of_no_form_is_wrong_use(url: str) -> None:
    answer, _ = _answer("--url", url)
    assert answer.exit_code == 2
    assert "is no address: write http://host:port" in answer.output


def test_wrong_settings_are_wrong_use_and_all_are_named() -> None:
    answer, _ = _answer(PORT="none", HSOT="x")
    assert answer.exit_code == 2
    assert "ROSTRUM_PORT='none'" in answer.output
    assert "did you mean ROSTRUM_HOST?" in answer.output


def test_addresses_of_no_service_are_wrong_use() -> None:
    found = _asked("--addresses", "chta=http://c:1")
    with pytest.raises(click.UsageError, match="'chta' is no service"):
        found.addresses  # noqa: B018 - asking is what raises


def test_help_names_the_variable_of_each_option() -> None:
    answer, _ = _answer("--help")
    words = " ".join(answer.output.split())
    assert "--redis TEXT Redis of the views: redis://host:port/0. [ROSTRUM_STORE_URL]" in words
    assert "[ROSTRUM_URL]" in words
