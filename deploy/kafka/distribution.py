"""The jars of Kafka, brought by Maven into a cache folder, and the Java that runs them."""

import fcntl
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / "build" / "kafka"

VERSION = "4.4.0"
FALLBACK = "4.3.1"
JAVA_MIN = 17
# 43 MB over a slow line; from a warm local repository it takes 5 s.
BRING_S = 600
# A mirror that does not answer for a moment was seen on a machine that had just started.
BRING_TRIES = 4
BRING_AGAIN_S = 10.0
JAVA_ANSWERS_S = 30

# Short runs on few cores: the quick compiler and the simplest collector, and classes from an
# archive. Measured: 7.2 s to start without these, 1.5 to 3 s with them; 150 MB of memory.
FLAGS = (
    *("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"),
    "-Xshare:auto",
)


class CannotStart(Exception):
    """Why there is no broker, and what to do about it."""


class Distribution:
    """One version of Kafka in the cache: `libs` are its jars, `archive` its class data."""

    def __init__(self, version: str = VERSION, cache: Path = CACHE) -> None:
        self.version = version
        self.folder = cache / version
        self.libs = self.folder / "libs"
        self.archive = self.folder / "classes.jsa"

    def bring(self) -> None:
        """Have the jars here; at most one process brings them. Raises `CannotStart`."""
        _check_java()
        with self.held():
            if not self.libs.is_dir():
                self._bring()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Changes to the folder are one process's at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def command(self, main: str, *arguments: str, flags: Sequence[str] = ()) -> list[str]:
        """The command line of one of its programs."""
        shared = [f"-XX:SharedArchiveFile={self.archive}"] if self.archive.exists() else []
        log4j = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
        classes = ("-cp", f"{self.libs}/*")
        return ["java", *FLAGS, *(flags or shared), log4j, *classes, main, *arguments]

    def _bring(self) -> None:
        if shutil.which("mvn") is None:
            raise CannotStart("mvn is missing: install Maven (Debian: apt install maven)")
        half = self.folder / "libs.part"
        shutil.rmtree(half, ignore_errors=True)
        options = (f"-Dkafka.version={self.version}", f"-DoutputDirectory={half}")
        where = ("mvn", "-q", "-B", "-f", str(HERE / "pom.xml"))
        command = (*where, "dependency:copy-dependencies", "-DincludeScope=runtime", *options)
        code, said = _run(command, BRING_S)
        for _ in range(BRING_TRIES - 1):
            if code == 0:
                break
            time.sleep(BRING_AGAIN_S)
            code, said = _run(command, BRING_S)
        if code != 0:
            hint = f"; where a mirror has no {VERSION}, try {FALLBACK}"
            raise CannotStart(f"Maven did not bring Kafka {self.version}{hint}:\n{said[-2000:]}")
        half.rename(self.libs)


def _check_java() -> None:
    wanted = f"install Java {JAVA_MIN} (Debian: apt install openjdk-17-jre-headless)"
    if shutil.which("java") is None:
        raise CannotStart(f"java is missing: {wanted}")
    _, said = _run(["java", "-version"], JAVA_ANSWERS_S)
    found = re.search(r'version "(\d+)', said)
    if not found or int(found[1]) < JAVA_MIN:
        raise CannotStart(f"java is older than {JAVA_MIN}: {wanted}")


def _run(command: Sequence[str], timeout_s: float) -> tuple[int, str]:
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotStart(f"{command[0]} took longer than {timeout_s:.0f} s") from error
    return done.returncode, done.stdout.decode("utf-8", "replace")
