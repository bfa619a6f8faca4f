"""Where the tests' broker comes from when Docker says this or that."""

import os
from pathlib import Path

import pytest
from testcontainers.core.container import DockerContainer

from deploy.kafka.cluster import Cluster
from deploy.kafka.distribution import Distribution
from libs.log.kafka.tests import broker

NO_IMAGE = f"Error response from daemon: No such image: {broker.IMAGE}"
NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of this name that comes first."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    return program


def says(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


class Contained(DockerContainer):
    """A container that is not started, and says what it would be started with."""

    made: "Contained"

    def __init__(self, image: str) -> None:
        # Without the original's, which looks for a daemon.
        self.image = image
        self.ports: dict[str, int | None] = {}
        self.env: dict[str, str] = {}
        self.is_running = False
        Contained.made = self

    def __enter__(self) -> "Contained":
        self.is_running = True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_running = False


@pytest.mark.parametrize(
    ("script", "lack"),
    [
        (f"echo '{NO_IMAGE}' >&2; exit 1", NO_IMAGE),
        (f"echo '{NO_DAEMON}' >&2; exit 1", NO_DAEMON),
        ("exit 3", "docker ended with 3"),
        ("sleep 60", "docker does not answer within 1 s"),
    ],
)
def test_without_a_container_the_broker_is_mavens_and_a_line_says_why(
    docker: Path, monkeypatch: pytest.MonkeyPatch, script: str, lack: str
) -> None:
    monkeypatch.setattr(broker, "DOCKER_ANSWERS_S", 1)
    monkeypatch.setattr(broker, "running", not_started)
    says(docker, script)
    with broker.a_broker(docker.parent) as found:
        assert found.whence == f"with jars from Maven (no container: {lack})"


def test_docker_is_asked_for_the_image_and_pulls_nothing(docker: Path) -> None:
    says(docker, f'echo "$@" >> {docker}.asked; exit 0')
    assert broker.docker_lacks(broker.IMAGE) == ""
    asked = Path(f"{docker}.asked").read_text()
    assert asked == f"image inspect --format {{{{.Id}}}} {broker.IMAGE}\n"


def test_with_the_image_the_broker_is_a_container_with_its_port_bound(docker: Path) -> None:
    says(docker, "exit 0")
    with broker.a_container(Contained) as bootstrap:
        made, port = Contained.made, int(bootstrap.rpartition(":")[2])
        assert made.is_running
        assert made.image == broker.IMAGE
        assert made.ports == {str(port): port}
        assert made.env["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{bootstrap}"
    assert not made.is_running


def test_a_broker_that_is_given_comes_first(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says(docker, "exit 0")
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "somewhere:9092")
    with broker.a_broker(docker.parent) as found:
        assert found == ("somewhere:9092", "from KAFKA_BOOTSTRAP")


def not_started(distribution: Distribution, folder: Path, homes: object) -> "Prepared":
    return Prepared(distribution, folder)


class Prepared(Cluster):
    """A cluster that has its address and is not started."""

    def __enter__(self) -> "Prepared":
        return self

    def __exit__(self, *_: object) -> None:
        return None
