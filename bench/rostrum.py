"""What our own deployments have in common, as contestants."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.callers import Calling
from bench.contestant import Contestant
from bench.desk import Desk, Unexpected
from bench.messages import EPOCH, TEXT, client_id
from bench.tokens import write_tokens
from bench.ways import Count, Hear, Listening, Say, Way
from libs.wire.codec import pack, to_json
from libs.wire.streams import JSON_PROTOCOL, PACKED_PROTOCOL, Hello, Watch
from libs.wire.tokens import LIFE_S_MAX

# Made by the deployment at its first start.
SIGNING_KEY = Path("secrets") / "session-signing.pem"
PARKED = "rostrum_gateway_parked"
# In life those who come at once come to many gateways, and many persons post: here it is one. And
# nobody else spreads a wake over time. All else is as it is shipped.
OFTEN, MANY = "100000", "1000000"
SPREAD = "wake_spread_ms"
SETTINGS = {
    "connects_per_s": OFTEN,
    "connects_burst": MANY,
    "posts_per_s": OFTEN,
    "posts_burst": MANY,
    SPREAD: "0",
}
# Half of the life of a token: no turn takes as long.
RENEW_S = LIFE_S_MAX / 2
# As many characters as a post may have, of four bytes each.
LONG_TEXT = "\N{GRINNING FACE}" * 4_096
PERSON = {"handle": "owner", "password": "correct horse battery"}
AUTHORIZED = "Authorization: Bearer {token}"


class Rostrum(Contestant):
    """A deployment of ours; whoever starts one says who its `owner` is, and enters `_begin`."""

    name = "Rostrum"
    ways = frozenset(Way)
    has_long = True
    targets: Sequence[str]
    owner: "Owner"

    def listening(self, way: Way, connections: int) -> Listening:
        """See `Contestant`. Gateways take connections in turns."""
        return self.watching(way, connections, channels=1)

    def watching(self, way: Way, connections: int, *, channels: int) -> Listening:
        """See `Contestant`."""
        named = [self._channel, *channels_of(self.owner, channels - 1)]
        return self._listening(way, connections, named, after=self.next_id - 1)

    def idling(self, way: Way, connections: int) -> Listening:
        """See `Contestant`."""
        return self._listening(way, connections, channels_of(self.owner, 1), after=0)

    def send(self, way: Way) -> None:
        """See `Contestant`."""
        self._post(TEXT)

    def send_long(self, way: Way) -> None:
        """See `Contestant`."""
        self._post(LONG_TEXT)

    def _post(self, text: str) -> None:
        body = {"client_id": client_id(self.next_id), "text": text}
        posted = self.owner.post_json(f"/v1/channels/{self._channel}/messages", body)
        if posted["id"] != self.next_id:
            raise Unexpected(f"the post became {posted['id']}, not {self.next_id}")
        self.next_id += 1

    def reading(self) -> Calling:
        """See `Contestant`: its owner looks at a channel, which another service answers. Pages
        would be fewer, for they are limited for each client."""
        self.owner.stay()
        tokens, channels = self._folder / "reader.tokens", self._folder / "reader.channels"
        tokens.write_text(self.owner.token, "ascii")
        channels.write_text(self._channel, "ascii")
        return Calling(
            self.targets,
            "/v1/channels/{channel}",
            headers=[AUTHORIZED],
            tokens=tokens,
            channels=channels,
        )

    def _begin(self, folder: Path, port: int, admins: Sequence[str]) -> None:
        """It runs, with a gateway at `port`; `admins` are the addresses of all gateways' desks."""
        self._folder, self.next_id = folder, 1
        self._counts = [Count(address, "/metrics", PARKED) for address in admins]
        self.owner = Owner(port)
        self._channel = channel_of(self.owner)

    def _listening(
        self, way: Way, connections: int, channels: Sequence[str], *, after: int
    ) -> Listening:
        self.owner.stay()
        tokens = self._folder / f"{way.value}-{connections}.tokens"
        write_tokens(tokens, self._folder / SIGNING_KEY, connections)
        return listening_to(
            way,
            channels,
            after=after,
            targets=self.targets,
            counts=self._counts,
            tokens=tokens,
        )


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
