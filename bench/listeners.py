"""The load client as a child: parked, woken, ended. It answers in lines of JSON."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from bench.build import program
from bench.ways import Listening, Load

# An ended client has closed all its connections; tens of thousands take a second.
END_S = 60.0


class ClientFailed(Exception):
    """The client gave up; it says why."""


@dataclass(frozen=True)
class Parked:
    """All wait: it took `seconds` from the first connect, as many as `per_s` in each of them."""

    parked: int
    seconds: float
    per_s: float


@dataclass(frozen=True)
class Woken:
    """When a wake came, in ms since `sent_ns`, when what woke them was sent. `parts` is the time
    within which such a part (in percent) of all that were woken had come; `again_ms` is when all
    polled again as the server told, at most `again_late_ms` late; None when nobody asked."""

    sent_ns: int
    woken: int
    first_ms: float
    last_ms: float
    parts: Mapping[float, float]
    faults: Mapping[str, int]
    again_ms: float | None = None
    again_late_ms: float | None = None


class Listeners:
    """A client that listens. Enter it to park its connections; leaving it ends it. Whatever comes
    otherwise than it should raises `ClientFailed`, unless `may_fault`."""

    def __init__(self, listening: Listening, load: Load, *, may_fault: bool = False) -> None:
        self._words = [*listening.words(), *load.words(), *load.options]
        self._connections = load.connections
        self._can_count = bool(listening.counts)
        self._may_fault = may_fault
        self._process: subprocess.Popen[str] | None = None
        self.faults: Mapping[str, int] = {}

    def __enter__(self) -> "Listeners":
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [str(program("client")), *self._words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            self.parked = self._parked()
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

    def wake(
        self, first: int, send: Callable[[], object], *, count: int = 1, again: bool = False
    ) -> Woken:
        """Wait until the ids `first` and after, `count` of them, came to all, `send` having sent
        them; with `again` until all wait again as well, where the server counts them."""
        again = again and self._can_count
        self._say(f"wake {first} {count}{' again' if again else ''}")
        self._heard("armed")
        began_ns = time.monotonic_ns()
        send()
        self._say(f"sent {began_ns}")
        told = self._heard("woken")
        if told["woken"] == 0:
            raise ClientFailed(f"nobody was woken: {told}")
        woken = Woken(
            sent_ns=began_ns,
            woken=told["woken"],
            first_ms=told["first_ms"],
            last_ms=told["last_ms"],
            parts={float(part): ms for part, ms in told["ms"].items()},
            faults=told["faults"],
        )
        return self._again(woken) if again else woken

    def end(self) -> Mapping[str, int]:
        """Read what is left, and close all. Returns how often each kind of fault was seen."""
        if self._process is None:
            return self.faults
        self._say("end")
        self._heard("ended")
        self._process.wait(END_S)
        self._kill()
        return self.faults

    def _parked(self) -> Parked:
        told = self._heard("parked")
        if told["parked"] < self._connections and not self._may_fault:
            raise ClientFailed(f"{self._connections - told['parked']} did not park: {told}")
        return Parked(told["parked"], told["seconds"], told["per_s"])

    def _again(self, woken: Woken) -> Woken:
        told = self._heard("parked_again")
        if told["parked"] < woken.woken:
            raise ClientFailed(f"not all polled again: {told}")
        return Woken(**{**woken.__dict__, "again_ms": told["ms"], "again_late_ms": told["late_ms"]})

    def _say(self, line: str) -> None:
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None

    def _heard(self, event: str) -> dict[str, Any]:
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
            raise ClientFailed(f"{told['faults']}, the first: {told['first_fault']}")
        return told

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
