"""Server-sent events as bytes."""

from collections.abc import Iterator

# A hundred entries of the longest texts, escaped, twice.
EVENT_BYTES_MAX = 8 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class TooLong(ValueError):
    """An event is longer than any that a gateway sends."""


class EventLines:
    """Takes bytes as they come and gives the data of each event that is complete: lines end as
    gateways end them (LF) or as some proxies do (CR LF). Ids, names and comments are left out."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._is_first = True

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The data of the events that `chunk` completes. Raises `TooLong`, and `UnicodeDecodeError`
        for what is not UTF-8."""
        begin, sought = 0, len(self._rest)
        self._rest += chunk
        while (end := self._rest.find(b"\n", sought)) >= 0:
            yield from self._line(bytes(self._rest[begin:end]).removesuffix(b"\r"))
            begin = sought = end + 1
        del self._rest[:begin]
        if self._size + len(self._rest) > EVENT_BYTES_MAX:
            raise TooLong(f"an event of over {EVENT_BYTES_MAX} bytes")

    def _line(self, line: bytes) -> Iterator[str]:
        if self._is_first:
            line, self._is_first = line.removeprefix(BYTE_ORDER_MARK), False
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value) + 1
        elif not line and self._data:
            data = b"\n".join(self._data).decode()
            self._data, self._size = [], 0
            yield data
