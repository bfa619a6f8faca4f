"""Settings: all faults at once, each with its variable and what to do."""

from dataclasses import FrozenInstanceError, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import pytest

from libs.runtime.settings import (
    ProcessSettings,
    Says,
    SettingsFault,
    describe,
    environment,
    load,
    variable,
)


@dataclass(frozen=True)
class Shop:
    """Settings as a service declares them."""

    wait_s: Annotated[float, Says(gt=0, le=60, description="How long a customer waits")] = 5.0
    store_url: Annotated[str, Says(description="Where things are")] = "redis://:pw@host:6379/0"


WANTED: dict[str, type[Any]] = {"": ProcessSettings, "corner-shop": Shop}


def test_every_setting_has_a_default_that_works_embedded() -> None:
    loaded = load(WANTED, {})
    assert loaded[""] == ProcessSettings()
    assert loaded[""].data == Path("var")
    assert loaded["corner-shop"] == Shop()


def test_the_environment_fills_settings_by_the_name_of_the_service() -> None:
    loaded = load(WANTED, {"ROSTRUM_PORT": "9000", "ROSTRUM_CORNER_SHOP_WAIT_S": "0.5", "PATH": ""})
    assert loaded[""].port == 9_000
    assert loaded["corner-shop"].wait_s == 0.5
    assert variable("corner-shop", "wait_s") == "ROSTRUM_CORNER_SHOP_WAIT_S"
    assert variable("", "port") == "ROSTRUM_PORT"


def test_all_faults_are_told_at_once_each_with_its_variable_and_the_mend() -> None:
    with pytest.raises(SettingsFault) as told:
        load(
            WANTED,
            {
                "ROSTRUM_PORT": "many",
                "ROSTRUM_LOG_LEVEL": "loud",
                "ROSTRUM_CORNER_SHOP_WAIT_S": "61",
                "ROSTRUM_CORNER_SHOP_WAITS": "1",
                "ROSTRUM_COLOUR": "red",
            },
        )
    port, level, wait, unknown, nothing_near = sorted(told.value.faults, key=len_of_order)
    assert port.startswith("ROSTRUM_PORT='many': Input should be a valid integer")
    assert level.startswith("ROSTRUM_LOG_LEVEL='loud': ")
    assert "debug|info|warning|error" in level
    assert wait == "ROSTRUM_CORNER_SHOP_WAIT_S='61': Input should be less than or equal to 60"
    near = "unknown setting; did you mean ROSTRUM_CORNER_SHOP_WAIT_S?"
    assert unknown == f"ROSTRUM_CORNER_SHOP_WAITS: {near}"
    assert nothing_near == "ROSTRUM_COLOUR: unknown setting; no service that runs here has it"
    assert str(told.value).splitlines() == told.value.faults


def len_of_order(fault: str) -> int:
    starts = ("_PORT=", "_LOG_LEVEL=", "_WAIT_S=", "_WAITS:", "_COLOUR:")
    return next(number for number, start in enumerate(starts) if start in fault)


def test_variables_of_services_that_run_elsewhere_are_left_alone() -> None:
    environ = {"ROSTRUM_BAKERY_OVENS": "3"}
    assert load(WANTED, environ, others=["bakery", "corner-shop"])["corner-shop"] == Shop()
    with pytest.raises(SettingsFault):
        load(WANTED, environ)
    # A service that runs here is in `others` too, and its unknown variables still count.
    with pytest.raises(SettingsFault, match="CORNER_SHOP_OVENS"):
        load(WANTED, {"ROSTRUM_CORNER_SHOP_OVENS": "3"}, others=["bakery", "corner-shop"])


def test_a_description_has_a_line_per_setting_and_hides_secrets() -> None:
    lines = describe("corner-shop", Shop())
    assert lines == [
        "ROSTRUM_CORNER_SHOP_WAIT_S=5.0  # How long a customer waits",
        "ROSTRUM_CORNER_SHOP_STORE_URL=redis://:***@host:6379/0  # Where things are",
    ]
    settings = ProcessSettings(log_url="sqlite://:memory:", store_url="redis://us%40r:p%40w@h/0")
    shown = "\n".join(describe("", settings))
    assert "p%40w" not in shown
    assert "redis://us%40r:***@h/0" in shown
    assert "ROSTRUM_LOG_URL=sqlite://:memory:" in shown
    assert all(len(line.split("  # ")[1]) > 5 for line in shown.splitlines())


def test_settings_do_not_change() -> None:
    for settings in (ProcessSettings(), Shop()):
        with pytest.raises(FrozenInstanceError):
            setattr(settings, fields(settings)[0].name, 1)


def test_the_environment_is_read_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRUM_PORT", "8123")
    before = environment()
    monkeypatch.setenv("ROSTRUM_PORT", "8124")
    assert before["ROSTRUM_PORT"] == "8123"
    assert environment()["ROSTRUM_PORT"] == "8124"
