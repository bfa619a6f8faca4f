"""The table, read: requests, rows, and what each column is answered."""

from collections.abc import Iterator
from dataclasses import dataclass

from matrix.table import TABLE


@dataclass(frozen=True)
class Request:
    """What is asked. `path` with its query and `body` hold places such as `{channel}`."""

    method: str
    path: str
    body: str

    @property
    def route(self) -> str:
        """Method and path as the OpenAPI document has them."""
        return f"{self.method} {self.path.partition('?')[0]}"


@dataclass(frozen=True)
class Row:
    """A request on a channel (`-`: on none), at a target (empty: at none), and what each column is
    answered."""

    request: Request
    channel: str
    target: str
    cells: dict[str, str]

    def __str__(self) -> str:
        said = (self.request.route, self.request.body, self.channel, self.target)
        return " ".join(filter(None, said))


def rows() -> Iterator[Row]:
    """All of the table. Raises `ValueError` for a row that has not one cell per column."""
    header, *lines = TABLE.splitlines()
    columns = header.split()
    request = Request("", "", "")
    for line in lines:
        if line.startswith("  "):
            yield _row(request, columns, line)
        elif line and not line.startswith("#"):
            method, path, *body = line.split(" ", 2)
            request = Request(method, path, "".join(body))


def _row(request: Request, columns: list[str], line: str) -> Row:
    case, _, answers = line.partition("|")
    # A channel may have a comma in its name; who or what the request is at comes after the last.
    channel, comma, target = case.strip().rpartition(", ")
    if not comma or not _has_target(request):
        channel, target = case.strip(), ""
    return Row(request, channel, target, dict(zip(columns, answers.split(), strict=True)))


def _has_target(request: Request) -> bool:
    return "{user}" in request.path or "{session}" in request.path
