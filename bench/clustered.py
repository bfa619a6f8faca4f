"""Our services as processes of their own, on a real broker and Redis of this machine."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.contestant import pids_of
from bench.embedded import free_port
from bench.rostrum import SETTINGS, Rostrum
from bench.starting import wait_until
from deploy.kafka.child import Home
from deploy.local import servers
from deploy.local.layout import Layout, is_ready
from libs.wire.services import GATEWAY, GROUP_MEMBERSHIP

# One person has made all channels that are posted to.
CHANNELS_OF_A_PERSON = f"{GROUP_MEMBERSHIP.replace('-', '_')}_channels_per_user"
CHANNELS_MAX = "2000"


class Clustered(Rostrum):
    """One of each service, and so many `gateways` on `cpu` (None: anywhere)."""

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
        seats = range(self._gateways)
        try:
            self.bootstrap, redis = self._servers(folder)
            layout = self._services(folder, redis)
            self.targets = [_address(layout.url(GATEWAY, at)) for at in seats]
            admins = [_address(layout.admin_url(GATEWAY, at)) for at in seats]
            self._begin(folder, layout.port, admins)
            self._ending.callback(self.owner.close)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """See `Contestant`. What was started last ends first."""
        self._ending.close()

    def pids(self) -> Sequence[int]:
        """See `Contestant`. The gateways': they are what writes to all."""
        return pids_of(self._gateway_programs)

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

    def _services(self, folder: Path, redis: str) -> Layout:
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
        layout = make(free_port(lambda port: make(port).ports()))
        programs = {seat: layout.program(seat, folder, inherit=False) for seat in layout.seats}
        self._gateway_programs = [
            program for (name, _), program in programs.items() if name == GATEWAY
        ]
        for program in programs.values():
            self._ending.callback(program.kill)
            program.start()
        for program in programs.values():
            wait_until(program, partial(is_ready, program))
        return layout

    def _home(self) -> Home:
        return Home(before=tuple(self.pinned([])))


def _address(url: str) -> str:
    return url.removeprefix("http://")
