"""Our own deployments as contestants, started as operators start them."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contestant import Contestant, pids_of
from bench.desk import Desk
from bench.messages import EPOCH, TEXT, client_id
from bench.starting import is_open, wait_until_said
from bench.tokens import write_tokens
from bench.ways import Count, Hear, Listening, Say, Way
from deploy.kafka.properties import free_ports
from deploy.local.program import Program
from libs.runtime.settings import variable
from libs.wire.codec import pack, to_json
from libs.wire.services import GATEWAY
from libs.wire.streams import JSON_PROTOCOL, PACKED_PROTOCOL, Hello, Watch
from services.catalog import CATALOG

ROOT = Path(__file__).parents[1]
READY = "Rostrum listens on "
ADMIN_OFFSET = 1_000
PORT_TRIES = 50
# Made by the deployment at its first start.
SIGNING_KEY = Path("secrets") / "session-signing.pem"
# The gauge is set once a second, and a little is added for the loop that may be late.
COUNT_AGE_S = 1.1
# What one machine asks at once is what a gateway spreads in life. All else is as it is shipped.
SETTINGS = {"connects_per_s": "100000", "connects_burst": "1000000"}
PASSWORD = "correct horse battery"
AUTHORIZED = "Authorization: Bearer {token}"


class Embedded(Contestant):
    """All services in one process, with their own log: `python -m services all`."""

    name = "Rostrum"
    ways = frozenset(Way)

    def start(self, folder: Path) -> None:
        """See `Contestant`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self.next_id = folder, 1
        self._port = free_port()
        settings = {variable(GATEWAY, name): value for name, value in SETTINGS.items()}
        settings |= {variable("", "port"): str(self._port), variable("", "data"): str(folder)}
        self._program = Program(self.name, self._command(settings), folder / "rostrum.log")
        self._program.start()
        wait_until_said(self._program, READY)
        self._owner = owner(self._port)
        self._channel = channel_of(self._owner)

    def stop(self) -> None:
        """See `Contestant`."""
        self._owner.close()
        self._program.kill()

    def listening(self, way: Way, connections: int) -> Listening:
        """See `Contestant`."""
        tokens = self._folder / f"{way.value}-{connections}.tokens"
        write_tokens(tokens, self._folder / SIGNING_KEY, connections)
        admin = f"127.0.0.1:{self._port + ADMIN_OFFSET}"
        count = Count(admin, "/metrics", "rostrum_gateway_parked", COUNT_AGE_S)
        return listening_to(
            way,
            self._channel,
            after=self.next_id - 1,
            targets=[f"127.0.0.1:{self._port}"],
            counts=[count],
            tokens=tokens,
        )

    def send(self, way: Way) -> None:
        """See `Contestant`."""
        body = {"client_id": client_id(self.next_id), "text": TEXT}
        posted = self._owner.post_json(f"/v1/channels/{self._channel}/messages", body)
        if posted["id"] != self.next_id:
            raise AssertionError(f"the post became {posted['id']}, not {self.next_id}")
        self.next_id += 1

    def pids(self) -> Sequence[int]:
        """See `Contestant`."""
        return pids_of([self._program])

    def _command(self, settings: Mapping[str, str]) -> list[str]:
        variables = (f"{name}={value}" for name, value in settings.items())
        run = (sys.executable, "-m", "services", "all")
        return self.pinned(["env", "-C", str(ROOT), *variables, *run])


def listening_to(
    way: Way,
    channel: str,
    *,
    after: int,
    targets: Sequence[str],
    counts: Sequence[Count],
    tokens: Path,
) -> Listening:
    """How clients listen to a channel of ours, from the entry `after` on."""
    if way is Way.POLL:
        path = f"/v1/channels/{channel}/poll?after={EPOCH}-{{id}}&wait=50"
        headers, steps, protocol = [AUTHORIZED], _NO_STEPS, ""
    elif way is Way.SSE:
        path = f"/v1/stream?channels={channel}"
        headers, steps, protocol = [AUTHORIZED], [Hear("watched")], ""
    else:
        path, headers = "/v1/ws", [] if way is Way.JSON else [AUTHORIZED]
        steps = _socket_steps(way, {channel: f"{EPOCH}-{after}"})
        protocol = JSON_PROTOCOL if way is Way.JSON else PACKED_PROTOCOL
    return Listening(
        way,
        targets,
        path,
        after=after,
        headers=headers,
        protocol=protocol,
        steps=steps,
        counts=counts if way is Way.POLL else [],
        tokens=tokens,
        is_packed=way is Way.PACKED,
    )


_NO_STEPS: list[Say | Hear] = []


def _socket_steps(way: Way, cursors: dict[str, str | None]) -> list[Say | Hear]:
    watch = Watch(cursors=cursors)
    if way is Way.PACKED:
        # Its token is in the header: in msgpack its length would have to be said before it.
        hello, watching = Say(pack(Hello())), Say(pack(watch))
    else:
        hello = Say('{"type":"hello","token":"{token}"}')
        watching = Say(to_json(watch).decode())
    return [hello, Hear("welcome"), watching, Hear("watched")]


def free_port() -> int:
    """A port with which those of all services and the admin listener are free."""
    furthest = max(entry.port_offset for entry in CATALOG)
    for _ in range(PORT_TRIES):
        (port,) = free_ports(1)
        wanted = [*range(port, port + furthest + 1), port + ADMIN_OFFSET]
        if not any(map(is_open, wanted)):
            return port
    raise OSError(f"no {furthest + 2} free ports of 127.0.0.1 that belong together")


def owner(port: int) -> Desk:
    """Somebody who signed up at the gateway there, and in."""
    desk = Desk(port)
    person = {"handle": "owner", "password": PASSWORD}
    desk.post_json("/v1/accounts", {**person, "display_name": "Owner"})
    device = {"name": "bench", "kind": "cli"}
    session = desk.post_json("/v1/sessions", {**person, "device": device})
    desk.token = session["access_token"]
    return desk


def channel_of(desk: Desk) -> str:
    """A channel that everybody may read, with its owner at the desk."""
    wanted = {"client_id": "bench", "kind": "broadcast", "visibility": "public", "title": "Bench"}
    return str(desk.post_json("/v1/channels", wanted)["id"])
