"""A channel that takes posts as chat does, and loses answers as networks do: by plan."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from clients.python.tests.scripted import Reply, Request, problem, said

AT = "2026-11-21T08:00:00.123Z"


@dataclass(frozen=True)
class Step:
    """What happens to one attempt: whether it is written, and what is answered.

    `answer`: "yes", a code of a problem, "proxy" for a 502 of somebody else, "cut" for a
    connection that breaks amid the answer, after `cut` bytes or as many as leave it unfinished."""

    is_written: bool
    answer: str
    cut: int = 0


# Codes with their status and retry; only those of an unknown outcome may have been written.
NOT_WRITTEN = {
    "limit_hit": (429, "yes"),
    "service_away": (503, "yes"),
    "draining": (503, "yes"),
    "not_written": (503, "yes"),
}
UNKNOWN = {"outcome_unknown": (503, "same-key")}
CODES = {**NOT_WRITTEN, **UNKNOWN}


class Channel:
    """Follows the steps, then answers every post. A post is known by its `client_id` alone."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = iter(steps)
        self.written: dict[str, int] = {}
        self.texts: list[str] = []
        self.attempts = 0

    async def handle(self, request: Request) -> Reply:
        """Answer one attempt."""
        self.attempts += 1
        step = next(self._steps, Step(is_written=True, answer="yes"))
        client_id = request.body["client_id"]
        is_repeat = client_id in self.written
        if step.is_written and not is_repeat:
            self.written[client_id] = len(self.written) + 1
            self.texts.append(request.body["text"])
        if step.answer in CODES:
            status, retry = CODES[step.answer]
            return problem(status, step.answer, retry)
        if step.answer == "proxy":
            return Reply(502, b"<html>bad gateway</html>", "text/html")
        number = self.written.get(client_id, 1)
        body = {"id": number, "cursor": f"1-{number}", "at": AT}
        answer = said(body, 200 if is_repeat else 201)
        if step.answer == "cut":
            return replace(answer, cut=step.cut % len(answer.raw()))
        return answer
