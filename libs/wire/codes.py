"""Every error code, once: what it means, and what a client should do.

    Problem
    ├── Refused          retry: no        the request is wrong or not allowed; change it first
    │     400 cursor_malformed  json_malformed  frame_malformed  hello_missing  protocol_unknown
    │     401 token_missing  token_invalid  token_expired  ticket_invalid
    │     401 credentials_wrong  refresh_invalid
    │     403 access_denied  access_ended  post_denied  role_too_low  banned
    │     404 route_unknown  channel_unknown  user_unknown  member_unknown  session_unknown
    │     405 method_unknown
    │     409 handle_taken  cursor_ahead  owner_stays
    │     413 body_too_large
    │     415 media_type_unknown
    │     422 field_invalid  client_id_reused  reply_unknown
    ├── TryAgain         retry: yes       nothing was done; wait `Retry-After`, send the same again
    │     429 limit_hit
    │     500 internal
    │     503 service_away  not_written  rebuilding  draining
    │     507 no_room
    └── OutcomeUnknown   retry: same-key  it may have been done; send it again, same client_id
          503 outcome_unknown

A problem travels as RFC 9457 JSON between client, gateway and services, and is raised again as the
same class by whoever reads it.
"""

from dataclasses import dataclass
from typing import Literal

Retry = Literal["no", "yes", "same-key"]
TYPE_PREFIX = "urn:rostrum:problem:"


@dataclass(frozen=True, slots=True)
class Code:
    """One row: HTTP status, title for people, whether and how to send the request again."""

    name: str
    status: int
    title: str
    retry: Retry


def _rows(retry: Retry, *rows: tuple[int, str, str]) -> dict[str, Code]:
    return {name: Code(name, status, title, retry) for status, name, title in rows}


CODES: dict[str, Code] = {
    **_rows(
        "no",
        (400, "cursor_malformed", "The cursor does not have the form epoch-id"),
        (400, "json_malformed", "The body is not JSON"),
        (400, "frame_malformed", "The frame is not one of the protocol"),
        (400, "hello_missing", "A stream begins with hello"),
        (400, "protocol_unknown", "A WebSocket needs one of our subprotocols"),
        (401, "token_missing", "A bearer token is needed"),
        (401, "token_invalid", "The token is not valid"),
        (401, "token_expired", "The token has expired; refresh the session"),
        (401, "ticket_invalid", "The resume ticket is not valid; send the access token"),
        (401, "credentials_wrong", "Handle or password is wrong"),
        (401, "refresh_invalid", "The refresh token is not valid; sign in again"),
        (403, "access_denied", "You may not read this channel"),
        (403, "access_ended", "Your access to this channel ended"),
        (403, "post_denied", "You may not post in this channel"),
        (403, "role_too_low", "Your role in this channel does not allow this"),
        (403, "banned", "You are banned from this channel"),
        (404, "route_unknown", "There is no such route"),
        (404, "channel_unknown", "There is no such channel"),
        (404, "user_unknown", "There is no such user"),
        (404, "member_unknown", "This user is not a member of the channel"),
        (404, "session_unknown", "There is no such session of yours"),
        (405, "method_unknown", "The route does not know this method"),
        (409, "handle_taken", "The handle belongs to somebody else"),
        (409, "cursor_ahead", "The cursor is ahead of the channel"),
        (409, "owner_stays", "The owner cannot leave, be removed, banned or given another role"),
        (413, "body_too_large", "The body is too large"),
        (415, "media_type_unknown", "Bodies are application/json"),
        (422, "field_invalid", "A field does not hold what it should"),
        (422, "client_id_reused", "This client_id was used for another request"),
        (422, "reply_unknown", "reply_to names no message of this channel"),
    ),
    **_rows(
        "yes",
        (429, "limit_hit", "Too many requests"),
        (500, "internal", "The service failed; the fault is ours"),
        (503, "service_away", "A service that is needed does not answer"),
        (503, "not_written", "The log did not take the record; nothing was written"),
        (503, "rebuilding", "The answer is being rebuilt from the log"),
        (503, "draining", "This instance is going away"),
        (507, "no_room", "No partition is free for another channel"),
    ),
    **_rows(
        "same-key",
        (503, "outcome_unknown", "The log did not answer in time; it may have taken the record"),
    ),
}


class Problem(Exception):
    """An answer that is not what was asked for.

    `code` is a key of `CODES`; `detail` says what happened and what to do, for people; `field`
    names the faulty input; `retry_after_s` is a hint in seconds.
    """

    retry: Retry

    def __init__(
        self, code: str, detail: str, *, field: str | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = CODES[code]
        if self.code.retry != self.retry:
            raise ValueError(f"{code} is not a code of {type(self).__name__}")
        self.detail = detail
        self.field = field
        self.retry_after_s = retry_after_s

    def document(self, trace_id: str) -> dict[str, object]:
        """The RFC 9457 document: type, title, status, code, detail, retry, trace_id, field."""
        document: dict[str, object] = {
            "type": TYPE_PREFIX + self.code.name,
            "title": self.code.title,
            "status": self.code.status,
            "code": self.code.name,
            "detail": self.detail,
            "retry": self.code.retry,
            "trace_id": trace_id,
        }
        if self.field is not None:
            document["field"] = self.field
        return document


class Refused(Problem):
    """The request is wrong or not allowed: sending it again changes nothing."""

    retry: Retry = "no"


class TryAgain(Problem):
    """Nothing was done, and the same request may work later."""

    retry: Retry = "yes"


class OutcomeUnknown(Problem):
    """It may have been done: send it again with the same `client_id`, never with a new one."""

    retry: Retry = "same-key"


CLASSES: dict[Retry, type[Problem]] = {
    "no": Refused,
    "yes": TryAgain,
    "same-key": OutcomeUnknown,
}


def problem(
    code: str, detail: str, *, field: str | None = None, retry_after_s: int | None = None
) -> Problem:
    """A problem of the class that `code` belongs to; an unknown code is `internal`."""
    if code not in CODES:
        return TryAgain("internal", f"unknown code {code}: {detail}")
    return CLASSES[CODES[code].retry](code, detail, field=field, retry_after_s=retry_after_s)
