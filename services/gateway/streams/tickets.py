"""Resume tickets: what a stream was given, it can begin with again, at any gateway.

A ticket is sealed with the deployment's key and says whose stream it was and until when the token
counts that it began with. So when all connections break at once, coming back costs no signature
check and no call. It counts as long as that token would, and as often as it is shown.
"""

from libs.runtime.identity import Forged, Signer
from libs.runtime.web import Person
from libs.wire.codec import Malformed, Struct, pack, unpack
from libs.wire.codes import Refused

from ..tokens import Checked, Tokens

PURPOSE = "resume ticket"
# Two ids, a time and a seal are 150; what is longer is not looked at.
TICKET_CHARS_MAX = 512


class _Ticket(Struct, array_like=True, frozen=True):
    user: str
    session: str
    expires_s: int


class Tickets:
    """Issues tickets, and takes them back."""

    def __init__(self, signer: Signer, tokens: Tokens) -> None:
        self._signer = signer
        self._tokens = tokens

    def issue(self, checked: Checked) -> str:
        """A ticket for what was checked; URL-safe text."""
        person, expires_s, _ = checked
        return self._signer.seal(PURPOSE, pack(_Ticket(person.user, person.session, expires_s)))

    def redeem(self, ticket: str, person: Person | None = None) -> Checked:
        """Whose ticket it is. `person` is whom a token beside it names: the ticket must be of the
        same user and session. Raises `Refused` (401): `ticket_invalid`, and when its time is over
        or the session ended what the token would be refused with."""
        if len(ticket) > TICKET_CHARS_MAX:
            raise _invalid("it is longer than any of ours")
        try:
            found = unpack(self._signer.unseal(PURPOSE, ticket), _Ticket)
        except (Forged, Malformed) as fault:
            raise _invalid(str(fault)) from fault
        checked = Checked(Person(found.user, found.session), found.expires_s)
        if person is not None and person != checked.person:
            raise _invalid("it is of another user or session than the token")
        refusal = self._tokens.refusal(checked)
        if refusal is not None:
            raise refusal
        return checked


def _invalid(why: str) -> Refused:
    return Refused("ticket_invalid", f"the resume ticket does not hold: {why}")
