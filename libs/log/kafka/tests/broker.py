"""Where the tests have their broker from: `KAFKA_BOOTSTRAP`, else a container, else Maven's jars.

Without any the tests are skipped and the summary says so; with `CI=true` they fail.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deploy.kafka import ask
from deploy.kafka.child import LOOPBACK, Home
from deploy.kafka.cluster import Cluster, running
from deploy.kafka.distribution import VERSION, CannotStart, Distribution
from deploy.kafka.node import ANSWERS_S
from deploy.kafka.properties import free_ports
from libs.testing.lacking import lacking

IMAGE = f"apache/kafka:{VERSION}"
DOCKER_ANSWERS_S = 5

# The highest metadata.version of each release, as its storage tool tells them.
RELEASES = {25: "4.0", 27: "4.1", 29: "4.2", 30: "4.3", 33: "4.4"}


class Found(NamedTuple):
    """A broker's `host:port` (of several, all), and where it is from."""

    bootstrap: str
    whence: str


@contextmanager
def a_broker(folder: Path) -> Iterator[Found]:
    """A broker, which may still be starting when it is a container."""
    given = os.environ.get("KAFKA_BOOTSTRAP")
    lack = docker_lacks(IMAGE)
    if given:
        yield Found(given, "from KAFKA_BOOTSTRAP")
    elif not lack:
        with a_container() as bootstrap:
            yield Found(bootstrap, f"a container of {IMAGE}")
    else:
        with brokers(folder) as cluster:
            yield Found(cluster.bootstrap, f"with jars from Maven (no container: {lack})")


@contextmanager
def brokers(folder: Path, homes: Sequence[Home] = (LOOPBACK,)) -> Iterator[Cluster]:
    """Brokers of our own, to be killed and paused."""
    with ExitStack() as ending:
        try:
            cluster = ending.enter_context(running(Distribution(), folder, homes))
        except CannotStart as error:
            lacking(f"no Kafka: {error}")
        yield cluster


def version(bootstrap: str) -> str:
    """What the broker says of itself when it is asked which features it supports."""
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    level = ask.features(host, int(port), ANSWERS_S)["metadata.version"]
    release = RELEASES.get(level, "of a release that is not in the table")
    return f"Kafka {release} (metadata.version {level}) at {bootstrap}"


def docker_lacks(image: str) -> str:
    """Why there can be no container of the image; empty when there can. Docker is asked by its
    command line tool: nothing is pulled, and no daemon is a plain no."""
    try:
        asked = subprocess.run(
            ["docker", "image", "inspect", "--format", "{{.Id}}", image],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DOCKER_ANSWERS_S,
            check=False,
        )
    except OSError:
        return "there is no docker"
    except subprocess.TimeoutExpired:
        return f"docker does not answer within {DOCKER_ANSWERS_S} s"
    said = asked.stderr.strip().splitlines() or [f"docker ended with {asked.returncode}"]
    return "" if asked.returncode == 0 else said[-1]


@contextmanager
def a_container(make: Callable[[str], DockerContainer] = DockerContainer) -> Iterator[str]:
    """Start a broker in a container that is removed at the end."""
    # What removes containers of killed tests is an image of its own, which would be pulled.
    testcontainers_config.ryuk_disabled = bool(docker_lacks(testcontainers_config.ryuk_image))
    (port,) = free_ports(1)
    container = make(IMAGE).with_bind_ports(port, port)
    for name, value in settings(port).items():
        container.with_env(name, value)
    with container:
        yield f"127.0.0.1:{port}"


def settings(port: int) -> dict[str, str]:
    """Of a single broker whose clients are outside of its container. Of the image, any of these
    replaces all of its own."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://127.0.0.1:{port + 1}",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@127.0.0.1:{port + 1}",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }


def wait_until_it_answers(bootstrap: str) -> None:
    """A container is there before its broker is."""
    deadline = time.monotonic() + ANSWERS_S
    while True:
        try:
            version(bootstrap)
        except OSError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{bootstrap} does not answer") from error
        else:
            return
