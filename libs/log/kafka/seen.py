"""How far this process has seen each partition go.

A broker that stood still while another was elected believes for some moments after its return that
it leads, and answers with an end that is long passed (a page was seen to be empty where 4,437
records were). Such an end is not taken for one.
"""

from collections.abc import Iterable, Mapping

from libs.log.port import Ends, LogUnavailable, Partition


class Seen:
    """An entry per partition that was written to or read: at most as many as the log has."""

    def __init__(self) -> None:
        self._next: dict[Partition, int] = {}

    def note(self, partition: Partition, following: int) -> None:
        """There is a record right below this offset."""
        if following > self._next.get(partition, 0):
            self._next[partition] = following

    def least(self, partition: Partition) -> int:
        """What is asked for from now on ends not below this."""
        return self._next.get(partition, 0)

    def leasts(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """Of each partition that was seen, see `least`."""
        return {each: self._next[each] for each in partitions if each in self._next}


def check(found: Mapping[Partition, Ends], leasts: Mapping[Partition, int]) -> None:
    """Raises `LogUnavailable` for an end that was passed when it was asked for."""
    for partition, least in leasts.items():
        if found[partition].next < least:
            raise LogUnavailable(
                f"{partition} goes to {least} at least, but its leader tells of"
                f" {found[partition].next}: it was away and has not heard yet, or lost records"
            )
