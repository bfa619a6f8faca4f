"""Requests of the bench itself, one after the other over one connection."""

import http.client
import json
import time
from types import TracebackType
from typing import Any

from bench.failure import Failure

# A server that wakes thousands of connections answers when it comes to it.
ANSWER_S = 60.0
# Servers end connections that say nothing for some seconds.
IDLE_S_MAX = 1.0


class Unexpected(Failure):
    """An answer that is none, or has another status than was hoped for."""


class Desk:
    """One connection to a server on loopback, made anew when the server ends it."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
        self._used_s = 0.0
        self.token = token

    def __enter__(self) -> "Desk":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the next request makes a new one."""
        self._connection.close()

    def post(self, path: str, body: bytes, kind: str = "application/octet-stream") -> bytes:
        """The body of the answer. Raises `Unexpected` unless it is a success, `OSError`."""
        headers = {"content-type": kind}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        if time.monotonic() - self._used_s > IDLE_S_MAX:
            self.close()
        try:
            self._connection.request("POST", path, body, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except http.client.HTTPException as fault:
            raise Unexpected(f"POST {path}: {fault!r}") from fault
        self._used_s = time.monotonic()
        if answer.status // 100 != http.client.OK // 100:
            raise Unexpected(f"POST {path}: {answer.status} {text.decode(errors='replace')}")
        return text

    def post_json(self, path: str, body: object) -> Any:
        """The same in JSON, both ways."""
        answer = self.post(path, json.dumps(body).encode(), "application/json")
        return json.loads(answer) if answer else None
