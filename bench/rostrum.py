"""Our own deployments as contestants, started as operators start them."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.callers import Calling
from bench.contestant import Contestant, pids_of
from bench.desk import Desk, Unexpected
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
from libs.wire.tokens import LIFE_S_MAX
from services.catalog import CATALOG

ROOT = Path(__file__).parents[1]
READY = "Rostrum listens on "
ADMIN_OFFSET = 1_000
PORT_TRIES = 50
# Made by the deployment at its first start.
SIGNING_KEY = Path("secrets") / "session-signing.pem"
# The gauge is set once a second, and a little is added for the loop that may be late.
COUNT_AGE_S = 1.1
PARKED = "rostrum_gateway_parked"
# In life those who come at once come to many gateways, and many persons post: here it is one. All
# else is as it is shipped.
OFTEN, MANY = "100000", "1000000"
SETTINGS = {
    "connects_per_s": OFTEN,
    "connects_burst": MANY,
    "posts_per_s": OFTEN,
    "posts_burst": MANY,
}
# Half of the life of a token: no turn takes as long.
RENEW_S = LIFE_S_MAX / 2
PERSON = {"handle": "owner", "password": "correct horse battery"}
AUTHORIZED = "Authorization: Bearer {token}"


class Embedded(Contestant):
    """All services in one process, with their own log: `python -m services all`."""

    name = "Rostrum"
    ways = frozenset(Way)

    def __init__(self, cpu: int | None) -> None:
        super().__init__(cpu)
        self._ending = ExitStack()

    def start(self, folder: Path) -> None:
        """See `Contestant`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self.next_id = folder, 1
        self._port = free_port(_ports)
        settings = {variable(GATEWAY, name): value for name, value in SETTINGS.items()}
        settings |= {variable("", "port"): str(self._port), variable("", "data"): str(folder)}
        self._program = Program(self.name, self._command(settings), folder / "rostrum.log")
        self._ending.callback(self._program.kill)
        self._program.start()
        wait_until_said(self._program, READY)
        self.owner = Owner(self._port)
        self._ending.callback(self.owner.close)
        self._channel = channel_of(self.owner)

    def stop(self) -> None:
        """See `Contestant`."""
        self._ending.close()

    def listening(self, way: Way, connections: int) -> Listening:
        """See `Contestant`."""
        return self.watching(way, connections, channels=1)

    def watching(self, way: Way, connections: int, *, channels: int) -> Listening:
        """See `Contestant`."""
        self.owner.stay()
        tokens = self._folder / f"{way.value}-{connections}.tokens"
        write_tokens(tokens, self._folder / SIGNING_KEY, connections)
        admin = f"127.0.0.1:{self._port + ADMIN_OFFSET}"
        count = Count(admin, "/metrics", PARKED, COUNT_AGE_S)
        return listening_to(
            way,
            [self._channel, *channels_of(self.owner, channels - 1)],
            after=self.next_id - 1,
            targets=self.targets,
            counts=[count],
            tokens=tokens,
        )

    def send(self, way: Way) -> None:
        """See `Contestant`."""
        post_next(self, self.owner, self._channel)

    def reading(self) -> Calling:
        """See `Contestant`."""
        return reading_at(self.owner, self._channel, self._folder, self.targets)

    def pids(self) -> Sequence[int]:
        """See `Contestant`."""
        return pids_of([self._program])

    @property
    def targets(self) -> list[str]:
        """Where the gateway listens."""
        return [f"127.0.0.1:{self._port}"]

    def _command(self, settings: Mapping[str, str]) -> list[str]:
        variables = (f"{name}={value}" for name, value in settings.items())
        run = (sys.executable, "-m", "services", "all")
        return self.pinned(["env", "-C", str(ROOT), *variables, *run])


def listening_to(
    way: Way,
    channels: Sequence[str],
    *,
    after: int,
    targets: Sequence[str],
    counts: Sequence[Count],
    tokens: Path,
) -> Listening:
    """How clients listen to channels of ours, to the first of them from the entry `after` on."""
    channel, *others = channels
    if way is Way.POLL:
        path = f"/v1/channels/{channel}/poll?after={EPOCH}-{{id}}&wait=50"
        headers, steps, protocol = [AUTHORIZED], _NO_STEPS, ""
    elif way is Way.SSE:
        path = f"/v1/stream?channels={','.join(channels)}"
        headers = [AUTHORIZED, f"Last-Event-ID: {channel}={EPOCH}-{{id}}"]
        steps, protocol = [Hear("watched")] * len(channels), ""
    else:
        path, headers = "/v1/ws", [] if way is Way.JSON else [AUTHORIZED]
        last = "{id}" if way is Way.JSON else after
        cursors = dict.fromkeys(others, f"{EPOCH}-0") | {channel: f"{EPOCH}-{last}"}
        steps = _socket_steps(way, cursors)
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


def _socket_steps(way: Way, cursors: Mapping[str, str]) -> list[Say | Hear]:
    watch = Watch(cursors={**cursors})
    if way is Way.PACKED:
        # Its token is in the header: in msgpack its length would have to be said before it.
        hello, watching = Say(pack(Hello())), Say(pack(watch))
    else:
        hello = Say('{"type":"hello","token":"{token}"}')
        watching = Say(to_json(watch).decode())
    return [hello, Hear("welcome"), watching, *[Hear("watched")] * len(cursors)]


def reading_at(owner: "Owner", channel: str, folder: Path, targets: Sequence[str]) -> Calling:
    """How its owner looks at a channel, which another service answers. Pages would be fewer: they
    are limited for each client."""
    owner.stay()
    tokens, channels = folder / "reader.tokens", folder / "reader.channels"
    tokens.write_text(owner.token, "ascii")
    channels.write_text(channel, "ascii")
    return Calling(
        targets,
        "/v1/channels/{channel}",
        headers=[AUTHORIZED],
        tokens=tokens,
        channels=channels,
    )


def free_port(wanted: Callable[[int], Sequence[int]]) -> int:
    """A port with which all those are free that `wanted` says belong to it. Raises `OSError`."""
    for _ in range(PORT_TRIES):
        (port,) = free_ports(1)
        if not any(map(is_open, wanted(port))):
            return port
    raise OSError(f"no free ports of 127.0.0.1 that belong together in {PORT_TRIES} tries")


def _ports(port: int) -> list[int]:
    return [port + entry.port_offset for entry in CATALOG] + [port + ADMIN_OFFSET]


def post_next(contestant: Contestant, desk: Desk, channel: str) -> None:
    """Post the contestant's next message, and count it."""
    body = {"client_id": client_id(contestant.next_id), "text": TEXT}
    posted = desk.post_json(f"/v1/channels/{channel}/messages", body)
    if posted["id"] != contestant.next_id:
        raise Unexpected(f"the post became {posted['id']}, not {contestant.next_id}")
    contestant.next_id += 1


class Owner(Desk):
    """Somebody who signs up at the gateway there, and in."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.post_json("/v1/accounts", {**PERSON, "display_name": "Owner"})
        self._sign_in()

    def stay(self) -> None:
        """Get a new token before the present one expires; it takes some tenths of a second."""
        if time.monotonic() - self._signed_in_s > RENEW_S:
            self._sign_in()

    def _sign_in(self) -> None:
        device = {"name": "bench", "kind": "cli"}
        self.token = self.post_json("/v1/sessions", {**PERSON, "device": device})["access_token"]
        self._signed_in_s = time.monotonic()


def channel_of(desk: Desk, name: str = "bench") -> str:
    """A channel that everybody may read, with its owner at the desk; the same one when asked
    again."""
    wanted = {"client_id": name, "kind": "broadcast", "visibility": "public", "title": name}
    return str(desk.post_json("/v1/channels", wanted)["id"])


def channels_of(desk: Desk, count: int) -> list[str]:
    """So many channels of whoever is at the desk; the same ones when asked again."""
    return [channel_of(desk, f"bench-{at}") for at in range(count)]
