"""Where the tests have their broker from: `KAFKA_BOOTSTRAP`, else a container, else Maven's jars.

Without any the tests are skipped and the summary says so; with `CI=true` they fail.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from testcontainers.core.container import DockerContainer

from deploy.kafka import ask
from deploy.kafka.child import LOOPBACK, Home
from deploy.kafka.cluster import Cluster, running
from deploy.kafka.distribution import VERSION, CannotStart, Distribution
from deploy.kafka.node import ANSWERS_S
from deploy.kafka.properties import free_ports

IMAGE = f"apache/kafka:{VERSION}"
DOCKER_ANSWERS_S = 5

# The highest metadata.version of each release, as its storage tool tells them.
RELEASES = {25: "4.0", 27: "4.1", 29: "4.2", 30: "4.3", 33: "4.4"}


@contextmanager
def a_broker(folder: Path) -> Iterator[str]:
    """`host:port` of a broker that answers; of several, all."""
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        yield given
    elif _docker_has_the_image():
        with _container() as bootstrap:
            yield bootstrap
    else:
        with brokers(folder) as cluster:
            yield cluster.bootstrap


@contextmanager
def brokers(folder: Path, homes: Sequence[Home] = (LOOPBACK,)) -> Iterator[Cluster]:
    """Brokers of our own, to be killed and paused."""
    with ExitStack() as ending:
        try:
            cluster = ending.enter_context(running(Distribution(), folder, homes))
        except CannotStart as error:
            if os.environ.get("CI") == "true":
                pytest.fail(f"no Kafka: {error}")
            pytest.skip(reason=f"no Kafka: {error}")
        yield cluster


def version(bootstrap: str) -> str:
    """What the broker says of itself when it is asked which features it supports."""
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    level = ask.features(host, int(port), ANSWERS_S)["metadata.version"]
    release = RELEASES.get(level, "of a release that is not in the table")
    return f"Kafka {release} (metadata.version {level}) at {bootstrap}"


def _docker_has_the_image() -> bool:
    """Asked by its command line tool: nothing is pulled, and no daemon is a plain no."""
    try:
        asked = subprocess.run(
            ["docker", "image", "inspect", IMAGE],
            capture_output=True,
            timeout=DOCKER_ANSWERS_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


@contextmanager
def _container() -> Iterator[str]:
    (port,) = free_ports(1)
    listeners = f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://0.0.0.0:{port + 1}"
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": listeners,
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
    container = DockerContainer(IMAGE).with_bind_ports(port, port)
    for name, value in settings.items():
        container.with_env(name, value)
    with container:
        yield f"127.0.0.1:{port}"


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
