"""Where services answer, as operators write it."""

import pytest

from libs.runtime.addresses import admin_address, parse

USUAL = {"chat": "http://127.0.0.1:8081", "relay": "http://127.0.0.1:8085"}


def test_without_a_setting_services_are_on_this_machine() -> None:
    assert parse("", USUAL) == {"chat": (USUAL["chat"],), "relay": (USUAL["relay"],)}


def test_one_service_may_have_several_instances() -> None:
    found = parse("chat=http://a:1 http://b:2, relay=https://relay", USUAL)
    assert found == {"chat": ("http://a:1", "http://b:2"), "relay": ("https://relay",)}


@pytest.mark.parametrize(
    "text", ["chat", "chat=", "chat=a:1", "chat=http://a:1/x", "shop=http://a:1", "=http://a:1"]
)
def test_what_is_no_address_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"no service|of the form"):
        parse(text, USUAL)


def test_the_admin_listener_is_beside_the_service() -> None:
    assert admin_address("http://a:8081") == "http://a:9081"
    assert admin_address("http://a") == "http://a:1080"
    assert admin_address("https://a") == "http://a:1443"
