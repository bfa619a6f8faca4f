"""What the services need: a broker whose data stay, and a Redis whose data need not."""

import shutil
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from deploy.kafka import ask
from deploy.kafka.child import LOOPBACK, Home
from deploy.kafka.cluster import META, Cluster, archive_classes
from deploy.kafka.distribution import CannotStart, Distribution
from deploy.kafka.node import Node
from deploy.kafka.properties import free_ports, rendered
from deploy.local.program import Program

# Somebody on this machine who does not answer in this time is asked again.
ASK_S = 1.0
ASKED_EVERY_S = 0.02
# It takes some milliseconds; a machine under load may need a thousand times that.
REDIS_ANSWERS_S = 30.0
REDIS_PORT = 6379
KAFKA_PORT = 9092


def broker(folder: Path) -> Node:
    """One broker, ready to be started, with what an earlier one left in `folder`. Raises
    `CannotStart`."""
    distribution = Distribution()
    distribution.bring()
    archive_classes(distribution)
    cluster = Cluster(distribution, folder.resolve())
    (place,) = cluster.places
    if (place.data / META).exists():
        # Under new ports: the old ones may be taken.
        (place.data.parent / "server.properties").write_text(rendered(place, [place]), "utf-8")
    else:
        # A format that was cut short left nothing of worth.
        shutil.rmtree(place.data.parent, ignore_errors=True)
        cluster.format()
    return cluster.nodes[0]


def redis(folder: Path, home: Home = LOOPBACK) -> tuple[Program, str]:
    """A Redis, ready to be started, and its URL. It keeps nothing: what is in it comes from the
    log. Raises `CannotStart`."""
    if shutil.which("redis-server") is None:
        raise CannotStart("redis-server is missing: install it (Debian: apt install redis-server)")
    (port,) = free_ports(1)
    command = (
        *home.before,
        *("redis-server", "--bind", home.host, "--port", str(port), "--dir", str(folder)),
        # Where it binds is its protection; it would refuse whoever is not on its own loopback.
        *("--save", "", "--appendonly", "no", "--protected-mode", "no"),
    )
    return Program("redis", command, folder / "redis.log"), f"redis://{home.host}:{port}/0"


def redis_answers(url: str) -> bool:
    """Whether a Redis answers a ping; one that wants a password first does as well."""
    parts = urlsplit(url)
    address = parts.hostname or "127.0.0.1", parts.port or REDIS_PORT
    try:
        with socket.create_connection(address, ASK_S) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False


def wait_for_redis(url: str) -> None:
    """Return when it answers. Raises `CannotStart` when it does not for long."""
    deadline = time.monotonic() + REDIS_ANSWERS_S
    while not redis_answers(url):
        if time.monotonic() > deadline:
            raise CannotStart(f"Redis does not answer within {REDIS_ANSWERS_S:.0f} s")
        time.sleep(ASKED_EVERY_S)


def brokers_known(bootstrap: str) -> int:
    """How many brokers the first of these knows; 0 when it does not answer."""
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    try:
        return ask.brokers(host or "127.0.0.1", int(port or KAFKA_PORT), ASK_S)
    except OSError:
        return 0


def log_url(bootstrap: str) -> str:
    """The log's address for services, once the broker answers: a single one is named as such."""
    single = "?unsafe_single=1" if brokers_known(bootstrap) == 1 else ""
    return f"kafka://{bootstrap}{single}"
