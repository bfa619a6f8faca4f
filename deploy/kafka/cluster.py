"""One broker or three: formatted, started, and taken down without a trace."""

import base64
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.kafka.child import LOOPBACK, Home
from deploy.kafka.distribution import CannotStart, Distribution
from deploy.kafka.node import ANSWERS_S, Node
from deploy.kafka.properties import PARTS, Place, free_ports, rendered

STORAGE = "kafka.tools.StorageTool"
FORMAT_S = 60
META = "meta.properties"


class Cluster:
    """A node below a folder for each of `homes`; `nodes` in order of their ids."""

    def __init__(
        self, distribution: Distribution, folder: Path, homes: Sequence[Home] = (LOOPBACK,)
    ) -> None:
        count = len(homes)
        if count not in PARTS:
            raise ValueError(f"{count} nodes: there are property files for 1 and for 3")
        ports = free_ports(2 * count)
        self.places = [
            Place(at + 1, ports[2 * at], ports[2 * at + 1], folder / str(at + 1) / "data", home)
            for at, home in enumerate(homes)
        ]
        self.nodes = [Node(distribution, each, each.data.parent) for each in self.places]
        self._distribution = distribution

    @property
    def bootstrap(self) -> str:
        """Where clients begin: `host:port[,host:port]`."""
        return ",".join(node.address for node in self.nodes)

    def format(self) -> None:
        """Make the folders. One run of the storage tool does for all: the others get a copy under
        their own ids, which saves a start of Java each. Raises `CannotStart`."""
        for place in self.places:
            place.data.parent.mkdir(parents=True)
            server = place.data.parent / "server.properties"
            server.write_text(rendered(place, self.places), "utf-8")
        first, *rest = self.places
        _format(self._distribution, first)
        for place in rest:
            shutil.copytree(first.data, place.data)
            meta = place.data / META
            meta.write_text(_as_node(meta.read_text("utf-8"), place.id), "utf-8")

    def start(self, *, flags: tuple[str, ...] = ()) -> None:
        """Start all and wait until each answers and knows the others. Raises `CannotStart`."""
        for node in self.nodes:
            node.start(flags=flags)
        for node in self.nodes:
            node.wait_until_it_answers(brokers=len(self.nodes), within_s=ANSWERS_S)

    def end(self) -> None:
        """Kill all. Three that are asked to stop at once have no quorum left to ask, and hang."""
        for node in self.nodes:
            node.kill()


def _format(distribution: Distribution, place: Place) -> None:
    server = str(place.data.parent / "server.properties")
    command = distribution.command(STORAGE, "format", "-t", _short_id(), "-c", server)
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=FORMAT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotStart(f"formatting took longer than {FORMAT_S} s") from error
    if done.returncode != 0:
        raise CannotStart(f"formatting failed:\n{done.stdout.decode('utf-8', 'replace')[-2000:]}")


def _as_node(meta: str, node_id: int) -> str:
    meta = re.sub(r"(?m)^node\.id=.*$", f"node.id={node_id}", meta)
    return re.sub(r"(?m)^directory\.id=.*$", f"directory.id={_short_id()}", meta)


def _short_id() -> str:
    """An id as Kafka writes them: 22 characters. None begins with a hyphen, which the storage tool
    would take for an option."""
    while (found := base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode()).startswith("-"):
        pass
    return found


def archive_classes(distribution: Distribution) -> None:
    """Have the class-data archive here: a broker that is started, asked and stopped leaves it.
    Starts are two to three times as fast with it. Raises `CannotStart`."""
    with distribution.held():
        if distribution.archive.exists():
            return
        folder, half = distribution.folder / "archiving", distribution.folder / "classes.part"
        shutil.rmtree(folder, ignore_errors=True)
        half.unlink(missing_ok=True)
        cluster = Cluster(distribution, folder)
        try:
            cluster.format()
            cluster.start(flags=(f"-XX:ArchiveClassesAtExit={half}",))
            cluster.nodes[0].stop()
        finally:
            cluster.end()
        if not half.exists():
            raise CannotStart(f"Java left no class-data archive:\n{cluster.nodes[0].tail()}")
        half.rename(distribution.archive)
        shutil.rmtree(folder)


@contextmanager
def running(
    distribution: Distribution, folder: Path, homes: Sequence[Home] = (LOOPBACK,)
) -> Iterator[Cluster]:
    """A cluster that answers, below `folder` (made, and removed at the end). In the main thread.
    Raises `CannotStart`."""
    distribution.bring()
    archive_classes(distribution)
    folder.mkdir(parents=True)
    cluster = Cluster(distribution, folder, homes)
    try:
        cluster.format()
        cluster.start()
        yield cluster
    finally:
        cluster.end()
        shutil.rmtree(folder, ignore_errors=True)
