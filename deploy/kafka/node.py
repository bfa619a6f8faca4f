"""One broker process: started, asked, killed, paused, started again."""

import signal
import subprocess
import time
from pathlib import Path

from deploy.kafka import ask
from deploy.kafka.child import spawn
from deploy.kafka.distribution import CannotStart, Distribution
from deploy.kafka.properties import Place

MAIN = "kafka.Kafka"
# A start takes 1.5 to 7 s here; a machine under load may need several times that.
ANSWERS_S = 60.0
STOPS_S = 30.0
ASKED_EVERY_S = 0.05
ASK_S = 2.0
TAIL_LINES = 30


class Node:
    """A node whose folder is formatted and holds `server.properties`."""

    def __init__(self, distribution: Distribution, place: Place, folder: Path) -> None:
        self.place = place
        self.output = folder / "broker.log"
        self._distribution = distribution
        self._properties = folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where clients reach it, `host:port`."""
        return f"{self.place.home.host}:{self.place.port}"

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process and running else None

    def start(self, *, flags: tuple[str, ...] = ()) -> None:
        """Begin to start, in the main thread (see `spawn`); `wait_until_it_answers` waits."""
        if self.pid is None:
            command = self._distribution.command(MAIN, str(self._properties), flags=flags)
            self._process = spawn([*self.place.home.before, *command], output=self.output)

    def wait_until_it_answers(self, *, brokers: int = 1, within_s: float = ANSWERS_S) -> None:
        """Return when it answers and knows so many brokers. Raises `CannotStart`."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self.pid is None:
                raise CannotStart(f"node {self.place.id} ended:\n{self.tail()}")
            if self._known() >= brokers:
                return
            time.sleep(ASKED_EVERY_S)
        raise CannotStart(f"{self} does not answer within {within_s:.0f} s:\n{self.tail()}")

    def stop(self) -> None:
        """Ask it to end and wait; one that does not is killed."""
        self._signal(signal.SIGTERM)
        try:
            self._wait(STOPS_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does; a paused one too."""
        self._signal(signal.SIGKILL)
        self._wait(STOPS_S)

    def pause(self) -> None:
        """It stands still: connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def tail(self) -> str:
        """The last lines that it printed."""
        if not self.output.exists():
            return "(it printed nothing)"
        return "\n".join(self.output.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:])

    def __str__(self) -> str:
        return f"node {self.place.id} at {self.address}"

    def _known(self) -> int:
        try:
            return ask.brokers(self.place.home.host, self.place.port, ASK_S)
        except OSError:
            return 0

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _wait(self, timeout_s: float) -> None:
        if self._process is not None:
            self._process.wait(timeout_s)
