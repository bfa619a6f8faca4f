"""What can go wrong, and what to do about it.

RostrumError
├── Problem              a gateway answered, and not with what was asked for
│     ├── Refused            change something first: the same again would be refused again
│     ├── TryAgain           nothing was done; wait `retry_after_s`, send the same again
│     └── OutcomeUnknown     it may have been done; send the same again, never with a new client_id
├── Unreadable           it was answered, in a way that this package does not know
├── Unreachable          no gateway was reached
├── SignedOut            there is no session that holds; sign in
├── NotPosted            a post was given up; says whether it may have been written
├── EpochChanged         the channel's ids begin anew; ids and cursors from before mean nothing
├── NotKept              a file could not be written, read or locked
└── OutboxClosed, OutboxFull
"""

from collections.abc import Mapping
from typing import Any

import msgspec

TOO_MANY = 429
SERVER_FAULT = 500
# An answer that is no problem of ours is quoted up to here: enough to tell a proxy by.
QUOTED_CHARS_MAX = 200


class RostrumError(Exception):
    """Everything that this package raises on purpose, but `ValueError` for arguments.

    `may_be_done`: what was asked for may have been done all the same, by this attempt or by an
    earlier one.
    """

    may_be_done: bool = False


class Problem(RostrumError):
    """A gateway's own words: `code` is stable and for programs, `detail` is for people.

    `status` is the HTTP status (0: it came in a frame), `field` the faulty input, `retry_after_s`
    how long to wait before the same is sent again, in seconds.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int = 0,
        field: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status
        self.field = field
        self.retry_after_s = retry_after_s


class Refused(Problem):
    """The request is wrong or not allowed: change something before it is sent again."""


class TryAgain(Problem):
    """Nothing was done, and the same may work after `retry_after_s`."""


class OutcomeUnknown(Problem):
    """It may have been done: send the same again, a post with the same `client_id`."""

    may_be_done = True


class Unreadable(RostrumError):
    """It was answered, and probably done, but the answer is none that this package knows: install
    the version that belongs to the gateway."""

    may_be_done = True

    def __init__(self, why: str) -> None:
        super().__init__(f"the answer cannot be read ({why}): is the gateway of another version?")


class Unreachable(RostrumError):
    """No gateway was reached. `tried` says for each address why not."""

    def __init__(self, tried: Mapping[str, str], *, within_s: float = 0.0) -> None:
        what = "; ".join(f"{gateway} ({why})" for gateway, why in tried.items())
        since = f" in {within_s:g} s" if within_s else ""
        super().__init__(f"no gateway was reached{since}: {what}: does it run, at this address?")
        self.tried = dict(tried)


class SignedOut(RostrumError):
    """No session, or one that does not hold any more: call `sign_in`."""


class NotPosted(RostrumError):
    """A post was given up. `is_unknown`: it may have been written all the same. Posted again with
    this `client_id` (and `was_sent=True`) it is written once, whatever happened."""

    def __init__(
        self, client_id: str, why: str, *, is_unknown: bool, advice: str | None = None
    ) -> None:
        fate = "may have been written" if is_unknown else "was not written"
        if advice is None:
            again = f" with client_id={client_id!r}, was_sent=True" if is_unknown else ""
            advice = f"post it again{again}"
        super().__init__(f"the post {fate} ({why}): {advice}")
        self.client_id = client_id
        self.is_unknown = self.may_be_done = is_unknown


class EpochChanged(RostrumError):
    """The ids of `channel` began anew, in `epoch`: forget what you know of them, and read from the
    beginning or from the end."""

    def __init__(self, channel: str, epoch: int) -> None:
        super().__init__(
            f"the ids of channel {channel} are of epoch {epoch} now: forget ids and cursors of it "
            "from before, and read it anew"
        )
        self.channel = channel
        self.epoch = epoch


class NotKept(RostrumError):
    """What has to outlive the program could not be stored, read or locked."""


class OutboxFull(RostrumError):
    """So many posts wait in the outbox that no more are taken: `resume` sends what waits."""


class OutboxClosed(RostrumError):
    """The outbox cannot be used: it is closed, in use by another process, or another user's."""


CLASSES: dict[str, type[Problem]] = {
    "no": Refused,
    "yes": TryAgain,
    "same-key": OutcomeUnknown,
}


class _Document(msgspec.Struct):
    """RFC 9457, as far as it is read here."""

    code: str
    detail: str = ""
    retry: str = ""
    field: str | None = None


def problem(
    code: str,
    detail: str,
    *,
    retry: str,
    status: int = 0,
    field: str | None = None,
    retry_after_s: float | None = None,
) -> Problem:
    """A problem of the class that `retry` says; of one that is not known, by its status: what is
    not surely refused may have been done."""
    kind = CLASSES.get(retry) or _class_of(status)
    return kind(code, detail, status=status, field=field, retry_after_s=retry_after_s)


def problem_of(status: int, body: bytes, *, retry_after_s: float | None = None) -> Problem:
    """What an answer of that status (400 and above) says. Whatever stands between the client and
    the gateway may have answered instead: then the code is `not_ours`."""
    try:
        said = msgspec.json.decode(body, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        quoted = body[:QUOTED_CHARS_MAX].decode("utf-8", "replace")
        detail = f"status {status}, which is no answer of a gateway; check the address: {quoted!r}"
        return problem("not_ours", detail, retry="", status=status, retry_after_s=retry_after_s)
    return problem(
        said.code,
        said.detail,
        retry=said.retry,
        status=status,
        field=said.field,
        retry_after_s=retry_after_s,
    )


def problem_in(fields: dict[str, Any]) -> Problem:
    """What a problem inside of an answer or frame says: a map with code, detail, retry and, in
    frames, `retry_after_s`."""
    after = fields.get("retry_after_s")
    return problem(
        str(fields.get("code", "")),
        str(fields.get("detail", "")),
        retry=str(fields.get("retry", "")),
        status=fields["status"] if isinstance(fields.get("status"), int) else 0,
        retry_after_s=float(after) if isinstance(after, int | float) else None,
    )


def _class_of(status: int) -> type[Problem]:
    if status == TOO_MANY:
        return TryAgain
    return OutcomeUnknown if status >= SERVER_FAULT or status == 0 else Refused
