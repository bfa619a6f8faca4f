"""Our services as processes of their own, on a real broker and Redis of this machine."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.callers import Calling
from bench.contestant import Contestant, pids_of
from bench.rostrum import (
    COUNT_AGE_S,
    PARKED,
    SETTINGS,
    SIGNING_KEY,
    Owner,
    channel_of,
    channels_of,
    free_port,
    listening_to,
    post_next,
    reading_at,
)
from bench.starting import wait_until
from bench.tokens import write_tokens
from bench.ways import Count, Listening, Way
from deploy.kafka.child import Home
from deploy.local import servers
from deploy.local.layout import Layout, is_ready
from libs.wire.services import GATEWAY, GROUP_MEMBERSHIP

# One person has made all channels that are posted to.
CHANNELS_OF_A_PERSON = f"{GROUP_MEMBERSHIP.replace('-', '_')}_channels_per_user"
CHANNELS_MAX = "2000"


class Clustered(Contestant):
    """One of each service, and so many `gateways` on `cpu` (None: anywhere)."""

    name = "Rostrum"
    ways = frozenset(Way)

    def __init__(
        self,
        cpu: int | None,
        gateways: int,
        settings: Mapping[str, str] = SETTINGS,
    ) -> None:
        super().__init__(cpu)
        self._gateways = gateways
        self._settings = settings
        self._ending = ExitStack()

    def start(self, folder: Path) -> None:
        """See `Contestant`. The first time it brings the broker's jars."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self.next_id = folder, 1
        try:
            self.bootstrap, redis = self._servers(folder)
            self._services(folder, redis)
            self.owner = Owner(self._layout.port)
            self._ending.callback(self.owner.close)
            self._channel = channel_of(self.owner)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """See `Contestant`. What was started last ends first."""
        self._ending.close()

    def listening(self, way: Way, connections: int) -> Listening:
        """See `Contestant`. Gateways take connections in turns."""
        return self.watching(way, connections, channels=1)

    def watching(self, way: Way, connections: int, *, channels: int) -> Listening:
        """See `Contestant`."""
        self.owner.stay()
        tokens = self._folder / f"{way.value}-{connections}.tokens"
        write_tokens(tokens, self._folder / SIGNING_KEY, connections)
        admin = [self._layout.admin_url(GATEWAY, at) for at in range(self._gateways)]
        return listening_to(
            way,
            [self._channel, *channels_of(self.owner, channels - 1)],
            after=self.next_id - 1,
            targets=self.targets,
            counts=[Count(_address(url), "/metrics", PARKED, COUNT_AGE_S) for url in admin],
            tokens=tokens,
        )

    def send(self, way: Way) -> None:
        """See `Contestant`."""
        post_next(self, self.owner, self._channel)

    def reading(self) -> Calling:
        """See `Contestant`."""
        return reading_at(self.owner, self._channel, self._folder, self.targets)

    def pids(self) -> Sequence[int]:
        """See `Contestant`. The gateways': they are what writes to all."""
        return pids_of(self._gateway_programs)

    @property
    def targets(self) -> list[str]:
        """Where the gateways listen."""
        return [_address(self._layout.url(GATEWAY, at)) for at in range(self._gateways)]

    @property
    def port(self) -> int:
        """The first gateway's."""
        return self._layout.port

    def kill_last(self) -> None:
        """`kill -9` of the last gateway, which stays away."""
        self._gateway_programs[-1].kill()

    def _servers(self, folder: Path) -> tuple[str, str]:
        node = servers.broker(folder / "kafka")
        self._ending.callback(node.stop)
        redis, redis_url = servers.redis(folder)
        self._ending.callback(redis.kill)
        node.start()
        redis.start()
        node.wait_until_it_answers()
        servers.wait_for_redis(redis_url)
        return node.address, redis_url

    def _services(self, folder: Path, redis: str) -> None:
        gateway = {f"{GATEWAY}_{name}": value for name, value in self._settings.items()}
        stores = {"log_url": servers.log_url(self.bootstrap), "store_url": redis}
        make = partial(
            Layout,
            gateways=self._gateways,
            settings={
                **stores,
                **gateway,
                "data": str(folder),
                CHANNELS_OF_A_PERSON: CHANNELS_MAX,
            },
            homes={(GATEWAY, at): self._home() for at in range(self._gateways)},
        )
        self._layout = make(free_port(lambda port: make(port).ports()))
        programs = {
            seat: self._layout.program(seat, folder, inherit=False) for seat in self._layout.seats
        }
        self._gateway_programs = [
            program for (name, _), program in programs.items() if name == GATEWAY
        ]
        for program in programs.values():
            self._ending.callback(program.kill)
            program.start()
        for program in programs.values():
            wait_until(program, partial(is_ready, program))

    def _home(self) -> Home:
        return Home(before=tuple(self.pinned([])))


def _address(url: str) -> str:
    return url.removeprefix("http://")
