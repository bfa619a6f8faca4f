"""The load client as a child: it is told lines and answers in lines of JSON."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from bench.build import program
from bench.failure import Failure
from bench.ways import Load

# An ended client has closed all its connections; tens of thousands take a second.
END_S = 60.0


class ClientFailed(Failure):
    """The client gave up; it says why."""


class Child:
    """The client with these options. Enter it to open its connections; leaving it ends it.

    `parked` is what it said once all were open, `faults` is how often each kind was seen so far. A
    fault raises `ClientFailed` with the next answer, unless `may_fault`.
    """

    def __init__(self, words: Sequence[str], load: Load, *, may_fault: bool) -> None:
        self._words = [*words, *load.words(), *load.options]
        self._connections = load.connections
        self._may_fault = may_fault
        self._process: subprocess.Popen[str] | None = None
        self.faults: Mapping[str, int] = {}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [str(program("client")), *self._words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            self.parked = self.hear("parked")
            self._all_parked()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.end()
        finally:
            self._kill()

    def end(self) -> Mapping[str, int]:
        """Read what is left, and close all. Returns the faults."""
        if self._process is not None:
            self.say("end")
            self.hear("ended")
            self._process.wait(END_S)
            self._kill()
        return self.faults

    def say(self, line: str) -> None:
        """Tell it something. Raises `ClientFailed`."""
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None

    def hear(self, event: str) -> dict[str, Any]:
        """Its next answer, which is this event. Raises `ClientFailed`."""
        process = self._running()
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise self._failed()
        told: dict[str, Any] = json.loads(line)
        self.faults = told.get("faults", self.faults)
        if told["event"] == "late":
            raise self._failed(told)
        if told["event"] != event:
            raise ClientFailed(f"the client said {told['event']!r} where {event!r} was to come")
        if self.faults and not self._may_fault:
            raise ClientFailed(f"{self.faults}, the first: {told.get('first_fault')}")
        return told

    def _all_parked(self) -> None:
        missing = self._connections - self.parked["parked"]
        if missing and not self._may_fault:
            raise ClientFailed(f"{missing} did not park: {self.parked}")

    def _failed(self, told: object = "") -> ClientFailed:
        process = self._running()
        _, errors = process.communicate()
        why = errors.strip() or f"the client ended with {process.returncode}"
        return ClientFailed(f"{why} {told}".strip())

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            raise ClientFailed("the client does not run: enter it first")
        return self._process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()
