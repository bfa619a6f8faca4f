"""One post, sent until it is answered: however often that is, it is written once."""

from typing import Any

from rostrum.errors import NotPosted, Refused, RostrumError, SignedOut
from rostrum.http import Http
from rostrum.ids import in_path, new_client_id
from rostrum.model import Posted

# A post is sent again for so long: a gateway and its services are restarted in less.
POST_S = 60.0
REPEATED = 200
# What a post is sent with once it may have been written.
AGAIN = {"retry": True}


class Post:
    """A wish to post. `was_sent`: by an earlier run, with the same `client_id`."""

    def __init__(
        self,
        channel: str,
        text: str,
        *,
        reply_to: int | None = None,
        client_id: str | None = None,
        was_sent: bool = False,
    ) -> None:
        self.path = f"/v1/channels/{in_path(channel)}/messages"
        self.client_id = new_client_id() if client_id is None else client_id
        self.was_sent = was_sent
        self.body: dict[str, Any] = {"client_id": self.client_id, "text": text}
        if reply_to is not None:
            self.body["reply_to"] = reply_to
        if was_sent:
            self.body |= AGAIN


async def post_surely(http: Http, wish: Post, within_s: float) -> Posted:
    """Send it until it is answered. Raises `NotPosted` after `within_s` seconds, `Refused` and
    `SignedOut` at once."""
    try:
        answer = await http.ask(
            "POST", wish.path, Posted, body=wish.body, again=AGAIN, within_s=within_s
        )
    except (Refused, SignedOut) as fault:
        fault.may_be_done |= wish.was_sent
        raise
    except RostrumError as fault:
        is_unknown = fault.may_be_done or wish.was_sent
        raise NotPosted(wish.client_id, str(fault), is_unknown=is_unknown) from fault
    found = answer.value
    return Posted(
        id=found.id, cursor=found.cursor, at=found.at, is_repeat=answer.status == REPEATED
    )
