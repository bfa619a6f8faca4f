"""A small service in a process of its own: `python -m libs.runtime.tests.toy '<json>'`.

The object has `data`, `port` and `admin`, and what the toy does beyond serving: `mode` is `crash`
(its loop raises when /crash is asked), `stuck` (its drain never ends), `secret` (it wants a secret
that nobody mounted, in a mode that makes none), or empty.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from libs.log.port import Partition
from libs.runtime.process import Plan, Seat, run
from libs.runtime.secrets import Secrets, random_key
from libs.runtime.service import Ports, Running, Service
from libs.runtime.settings import ProcessSettings
from libs.runtime.web import api
from libs.wire.records import Heartbeat, encode
from libs.wire.topics import NAMES

GREETING = "The toy is ready"


class Toy:
    """Ready once it has written to the log and read back from Redis."""

    def __init__(self, options: dict[str, Any], ports: Ports) -> None:
        self._options = options
        self._ports = ports
        self._lacks = ["toy: not started"]
        self._crash = asyncio.Event()

    async def run(self) -> None:
        await self._ports.log.append(Partition(NAMES.name, 0), encode(Heartbeat()))
        await self._ports.store.set("toy", 1)
        self._lacks = []
        await self._crash.wait()
        raise ZeroDivisionError("the toy fell apart")

    async def idle(self) -> None:
        """Never ends; cut when the process stops."""
        await asyncio.Event().wait()

    def lacks(self) -> list[str]:
        return self._lacks

    async def drain(self, _: float) -> None:
        print("drained", flush=True)
        if self._options["mode"] == "stuck":
            await asyncio.Event().wait()

    async def crash(self) -> str:
        self._crash.set()
        return "soon"

    async def hello(self) -> str:
        # Started by nobody but this request: the process has to end it.
        self._ports.tasks.spawn(self.idle(), name="toy.idle")
        return "hello"


def build(options: dict[str, Any], ports: Ports) -> Running:
    if options["mode"] == "secret":
        Secrets(Path(options["data"]), may_make=False).get("toy.key", random_key)
    toy = Toy(options, ports)
    app = api("toy", signer=ports.signer, clock=ports.clock)
    app.get("/hello")(toy.hello)
    app.get("/crash")(toy.crash)
    return Running(app, {"run": toy.run, "idle": toy.idle}, lacks=toy.lacks, drain=toy.drain)


def main(options: dict[str, Any]) -> int:
    settings = ProcessSettings(data=Path(options["data"]), drain_s=0)
    if "log_url" in options:
        settings = ProcessSettings(log_url=options["log_url"], data=settings.data, drain_s=0)
    seat = Seat("toy", Service(dict, build), options, ("127.0.0.1", options["port"]))
    return run(
        Plan(
            settings=settings,
            seats=[seat],
            addresses={"toy": (f"http://127.0.0.1:{options['port']}",)},
            admin_port=options["admin"],
            greeting=GREETING,
        )
    )


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
