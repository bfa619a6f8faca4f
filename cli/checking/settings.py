"""The settings of all services, as they would be read at their start."""

from collections.abc import Mapping
from typing import Any

from cli.checking.line import Line, ok, wrong
from libs.runtime.settings import CommandSettings, SettingsFault, load, rows
from services.catalog import NAMES
from services.catalog import load as load_service

PART = "settings"
TODO = "change it; python -m services all --check prints all settings and what they are for"


def settings_lines(environ: Mapping[str, str]) -> list[Line]:
    """A line for each fault, or one that all is well."""
    kinds: dict[str, type[Any]] = {"": CommandSettings}
    kinds |= {name: load_service(name).settings for name in NAMES}
    try:
        loaded = load(kinds, environ)
    except SettingsFault as fault:
        return [wrong(PART, each, TODO) for each in fault.faults]
    names = [name for service, kind in loaded.items() for name, _, _ in rows(service, kind)]
    given = sum(name in environ for name in names)
    return [ok(PART, f"{len(names)} settings are valid, {given} of them given")]
