"""`python -m services all`: run services in this process; with `--check` print their settings.

`gateway --workers 3` runs it in three processes on one port.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from libs.runtime.addresses import ADMIN_OFFSET, Addresses, parse
from libs.runtime.process import CANNOT_START, Plan, Seat, run
from libs.runtime.settings import (
    ProcessSettings,
    SettingsFault,
    describe,
    environment,
    load,
    variable,
)
from libs.runtime.workers import supervise
from libs.wire.services import GATEWAY

from .catalog import CATALOG, NAMES
from .catalog import load as load_service

SETTINGS_WRONG = 2
# Their admin listeners are so far apart: those of other services of the deployment lie in between,
# and those of another instance of the gateway come after the last one.
WORKER_STEP, WORKERS_MAX = 10, 9

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
    if wanted.workers:
        return supervise(
            [_worker(at) for at in range(wanted.workers)],
            frozenset((SETTINGS_WRONG, CANNOT_START)),
            process.log_level,
        )
    ports = _ports(process)
    if len(names) == 1 and process.own_port:
        ports[names[0]] = process.own_port
    seats = [
        Seat(name, services[name], settings[name], _listen(name, process, ports, len(names)))
        for name in names
    ]
    admin_port = ports[names[0]] + ADMIN_OFFSET
    greeting = _greeting(process, names, ports)
    at, parent = wanted.worker or (0, None)
    if parent is not None:
        admin_port += WORKER_STEP * at
        greeting = f"gateway worker ready on port {ports[GATEWAY]}, its health on {admin_port}"
    return run(
        Plan(
            settings=process,
            seats=seats,
            addresses=addresses,
            admin_port=admin_port,
            greeting=greeting,
            parent=parent,
        )
    )


def _worker(at: int) -> list[str]:
    return [sys.executable, "-m", "services", GATEWAY, "--worker", str(at), str(os.getpid())]


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
    workers = range(1, WORKERS_MAX + 1)
    parser.add_argument(
        "--workers",
        type=int,
        choices=workers,
        metavar="count",
        help=f"processes of the gateway on one port, {workers[0]} to {workers[-1]}; the admin "
        f"listeners are {WORKER_STEP} ports apart",
    )
    # One of them, as `--workers` starts it: which, and whose child it is.
    parser.add_argument("--worker", type=int, nargs=2, help=argparse.SUPPRESS)
    wanted = parser.parse_args(arguments)
    if (wanted.workers or wanted.worker) and wanted.services != [GATEWAY]:
        parser.error("only the gateway alone runs in several workers: others own what they write")
    return wanted


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
