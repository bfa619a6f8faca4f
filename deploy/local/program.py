"""A program that runs as a child: started, waited for, asked to end, killed, paused."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.kafka.child import spawn
from deploy.kafka.distribution import CannotStart

TAIL_LINES = 30


class Program:
    """A command, and the file to which all that it prints is added."""

    def __init__(self, name: str, command: Sequence[str], output: Path) -> None:
        self.name = name
        self.output = output
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._from = 0

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Begin to start, in the main thread (see `spawn`), unless it runs already."""
        if self.pid is None:
            self._from = self.output.stat().st_size if self.output.exists() else 0
            self._process = spawn(self._command, output=self.output)

    def said(self) -> str:
        """What it printed since its last start."""
        if not self.output.exists():
            return ""
        with self.output.open("rb") as printed:
            printed.seek(self._from)
            return printed.read().decode("utf-8", "replace")

    def has_said(self, *words: str) -> bool:
        """Whether it printed one of these since its last start. Raises `CannotStart` when it
        ended."""
        found = any(word in self.said() for word in words)
        if not found and self.pid is None:
            raise CannotStart(f"{self.name} ended:\n{self.tail()}")
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def ask_to_end(self) -> None:
        """SIGTERM; `wait` waits."""
        self.signal(signal.SIGTERM)

    def wait(self, within_s: float) -> int | None:
        """The exit code, negative for a signal; one that does not end in time is killed. None when
        it never ran."""
        if self._process is None:
            return None
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.returncode

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does; a paused one too."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def pause(self) -> None:
        """It stands still: connections stay open and nothing is answered."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        self.signal(signal.SIGCONT)

    def tail(self) -> str:
        """The last lines that it printed."""
        return "\n".join(self.said().splitlines()[-TAIL_LINES:]) or "(it printed nothing)"
