"""`python -m services all`: run services in this process; with `--check` print their settings."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from libs.runtime.addresses import ADMIN_OFFSET, Addresses, parse
from libs.runtime.process import Plan, Seat, run
from libs.runtime.settings import (
    ProcessSettings,
    SettingsFault,
    describe,
    environment,
    load,
    variable,
)
from libs.wire.services import GATEWAY

from .catalog import CATALOG, NAMES
from .catalog import load as load_service

SETTINGS_WRONG = 2

GREETING = """Rostrum listens on {url} (documented at {url}/docs). Try:
  curl -s {url}/v1/keys"""


def main(arguments: Sequence[str]) -> int:
    """Run what the command line names. Returns the exit code."""
    wanted = _parse(arguments)
    names = NAMES if wanted.services == ["all"] else tuple(wanted.services)
    services = {name: load_service(name) for name in names}
    kinds: dict[str, type[Any]] = {
        "": ProcessSettings,
        **{name: made.settings for name, made in services.items()},
    }
    try:
        settings = load(kinds, environment(), others=NAMES)
        process: ProcessSettings = settings[""]
        addresses = _addresses(process)
    except SettingsFault as wrong:
        print("Settings are wrong:", *wrong.faults, sep="\n  ", file=sys.stderr)
        return SETTINGS_WRONG
    if wanted.check:
        for name, values in settings.items():
            print(*describe(name, values), sep="\n")
        return 0
    ports = _ports(process)
    if len(names) == 1 and process.own_port:
        ports[names[0]] = process.own_port
    seats = [
        Seat(name, services[name], settings[name], _listen(name, process, ports, len(names)))
        for name in names
    ]
    return run(
        Plan(
            settings=process,
            seats=seats,
            addresses=addresses,
            admin_port=ports[names[0]] + ADMIN_OFFSET,
            greeting=_greeting(process, names, ports),
        )
    )


def _ports(process: ProcessSettings) -> dict[str, int]:
    return {entry.name: process.port + entry.port_offset for entry in CATALOG}


def _addresses(process: ProcessSettings) -> Addresses:
    usual = {name: f"http://127.0.0.1:{port}" for name, port in _ports(process).items()}
    try:
        return parse(process.addresses, usual)
    except ValueError as fault:
        raise SettingsFault([f"{variable('', 'addresses')}: {fault}"]) from fault


def _greeting(process: ProcessSettings, names: Sequence[str], ports: Mapping[str, int]) -> str:
    if GATEWAY in names:
        return GREETING.format(url=f"http://{process.host}:{ports[GATEWAY]}")
    return f"{', '.join(names)} ready on port {ports[names[0]]}"


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m services", description=__doc__)
    parser.add_argument("services", nargs="+", choices=[*NAMES, "all"], metavar="service")
    parser.add_argument("--check", action="store_true", help="print the settings in force and end")
    return parser.parse_args(arguments)


def _listen(
    name: str, process: ProcessSettings, ports: dict[str, int], count: int
) -> tuple[str, int] | None:
    entry = next(entry for entry in CATALOG if entry.name == name)
    if name == GATEWAY or count < len(NAMES):
        return process.host, ports[name]
    if entry.has_sockets:
        return "127.0.0.1", ports[name]
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
