"""What the gateway follows in the log: changes of access, and sessions that ended."""

from collections.abc import Callable, Sequence

from libs.runtime.changes import Changes
from libs.runtime.logging import logger
from libs.runtime.service import Ports
from libs.wire.records import AccessChanged, Record, Revocation
from libs.wire.services import GATEWAY
from libs.wire.tokens import LIFE_S_MAX
from libs.wire.topics import ACCESS_CHANGES, REVOCATIONS

from .access import AccessMemory
from .hub import Waiter
from .metrics import CHANGES_SILENT
from .tokens import Tokens

_log = logger("gateway.consumers")

# Takes waiters whose access is to be decided anew.
Hold = Callable[[Sequence[Waiter]], None]


class Consumers:
    """Tails both topics; ready once it has begun. Who beats there and falls silent makes no gateway
    not ready: no other would hear more."""

    def __init__(self, ports: Ports, access: AccessMemory, tokens: Tokens, *, hold: Hold) -> None:
        self._access = access
        self._hold = hold
        self._tokens = tokens
        # From now on: no access is remembered from before.
        self.access = Changes(
            ports, ACCESS_CHANGES, self._access_changed, missed=self._missed, reader=GATEWAY
        )
        access.is_followed = lambda: not self.access.lacks()
        access.silent_s = self.access.silent_s
        # From as far back as a token may live.
        self.revocations = Changes(
            ports,
            REVOCATIONS,
            self._revoked,
            missed=self._missed,
            back_ms=LIFE_S_MAX * 1000,
            reader=GATEWAY,
        )
        self._followed = {ACCESS_CHANGES.name: self.access, REVOCATIONS.name: self.revocations}
        self._silent: set[str] = set()

    def lacks(self) -> list[str]:
        """Why changes might be missed now."""
        return [*self.access.lacks(), *self.revocations.lacks()]

    def note_silence(self) -> None:
        """Tell operators, once a second, for how long the quietest source is not heard."""
        for topic, changes in self._followed.items():
            CHANGES_SILENT.labels(topic).set(changes.silent_s())
            if changes.is_silent() and topic not in self._silent:
                _log.warning("changes are silent", topic=topic, source=changes.quietest())
        self._silent = {topic for topic, each in self._followed.items() if each.is_silent()}

    def _missed(self) -> None:
        self._hold(self._access.missed())

    def _access_changed(self, record: Record) -> None:
        if isinstance(record, AccessChanged):
            self._hold(self._access.changed(record.channel, record.user))

    def _revoked(self, record: Record) -> None:
        if isinstance(record, Revocation):
            self._tokens.revoke(record.session)
