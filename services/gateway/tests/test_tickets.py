"""A resume ticket is of one session, counts as long as its token, and is made by nobody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.runtime.identity import Identity, Signer
from libs.runtime.web import Person
from libs.testing.clock import VirtualClock
from libs.wire.codec import pack
from libs.wire.codes import CODES, Refused
from libs.wire.tokens import LIFE_S_MAX
from services.gateway.streams.tickets import PURPOSE, TICKET_CHARS_MAX, Tickets
from services.gateway.tests.fakes import FakeSession, ident
from services.gateway.tests.surroundings import surroundings
from services.gateway.tokens import Checked, Tokens

ANN = Person(ident("ann"), ident("s-ann"))
BOB = Person(ident("bob"), ident("s-bob"))
KEY = bytes(32)


class Desk:
    """Two gateways of one deployment; the clock is theirs."""

    def __init__(self, here: Tokens, there: Tokens, clock: VirtualClock) -> None:
        self.tokens = here
        self.clock = clock
        self.here = Tickets(Signer(KEY), here)
        self.there = Tickets(Signer(KEY), there)

    @property
    def now_s(self) -> int:
        return self.clock.now_ms() // 1000

    def checked(self, person: Person = ANN) -> Checked:
        return Checked(person, self.now_s + LIFE_S_MAX)

    def refused(self, ticket: str, person: Person | None = None) -> str:
        """The code with which a ticket is refused, a 401."""
        with pytest.raises(Refused) as refusal:
            self.here.redeem(ticket, person)
        code = refusal.value.code
        assert code.status == 401
        return code.name


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    clock = VirtualClock()
    async with surroundings(clock) as ports:
        yield Desk(Tokens(ports, 10), Tokens(ports, 10), clock)


async def test_a_ticket_says_what_was_checked_at_any_gateway_as_often_as_it_is_shown() -> None:
    async with desk() as it:
        checked = it.checked()
        ticket = it.here.issue(checked)
        assert len(ticket) < TICKET_CHARS_MAX
        for _ in range(3):
            assert it.here.redeem(ticket) == it.there.redeem(ticket) == checked
            assert it.here.redeem(ticket, ANN) == checked


async def test_a_ticket_expires_with_its_token() -> None:
    async with desk() as it:
        ticket = it.here.issue(it.checked())
        it.clock.advance(LIFE_S_MAX - 1)
        assert it.here.redeem(ticket).person == ANN
        again = it.here.issue(it.here.redeem(ticket))
        it.clock.advance(1)
        assert it.refused(ticket) == it.refused(again) == "token_expired"


async def test_a_ticket_of_a_session_that_ended_is_refused() -> None:
    async with desk() as it:
        anns, bobs = it.here.issue(it.checked()), it.here.issue(it.checked(BOB))
        it.tokens.revoke(ANN.session)
        assert it.refused(anns) == it.refused(anns, ANN) == "token_invalid"
        assert it.here.redeem(bobs).person == BOB


@pytest.mark.parametrize(
    "other",
    [BOB, Person(ANN.user, BOB.session), Person(BOB.user, ANN.session), Person("", "")],
    ids=["another", "another session", "another user", "nobody"],
)
async def test_a_ticket_beside_somebody_elses_token_is_refused(other: Person) -> None:
    async with desk() as it:
        assert it.refused(it.here.issue(it.checked()), other) == "ticket_invalid"


async def test_a_forged_ticket_is_refused() -> None:
    async with desk() as it:
        ours = it.here.issue(it.checked())
        body, _, mac = ours.partition(".")
        bobs, _, _ = it.here.issue(it.checked(BOB)).partition(".")
        later = it.here.issue(Checked(ANN, it.now_s + 86_400)).partition(".")[0]
        ticket = [ANN.user, ANN.session, it.now_s + 60]
        signer = Signer(KEY)
        clock = it.clock.now_ms()
        forged = {
            "of another body": f"{bobs}.{mac}",
            "of a later time": f"{later}.{mac}",
            "without seal": body,
            "with an empty seal": f"{body}.",
            "cut": ours[:-1],
            "with more": ours + "A",
            "sealed twice": f"{ours}.{mac}",
            "of another deployment": Tickets(Signer(b"x" * 32), it.tokens).issue(it.checked()),
            "sealed for something else": signer.seal("another purpose", pack(ticket)),
            "an identity": signer.sign(Identity("gateway", ANN.user, ANN.session), clock),
            "of too few parts": signer.seal(PURPOSE, pack(ticket[:2])),
            "of a time that is text": signer.seal(PURPOSE, pack([*ticket[:2], "soon"])),
            "of a user that is a number": signer.seal(PURPOSE, pack([1, *ticket[1:]])),
            "sealed over garbage": signer.seal(PURPOSE, b"\xc1"),
            "empty": "",
            "a dot": ".",
            "no base64": "!!!.???",
            "no Unicode": "\ud800.x",
            "no ASCII": "caf\xe9.caf\xe9",
            "long": "A" * (TICKET_CHARS_MAX + 1),
            "long and sealed": signer.seal(PURPOSE, pack([*ticket, "x" * TICKET_CHARS_MAX])),
        }
        refused = {name: it.refused(made) for name, made in forged.items()}
        assert refused == dict.fromkeys(forged, "ticket_invalid")


async def test_an_access_token_is_no_ticket_and_a_ticket_is_no_access_token() -> None:
    async with desk() as it:
        token = FakeSession(Signer(KEY), it.clock).token("ann")
        assert it.refused(token) == "ticket_invalid"
        with pytest.raises(Refused, match="does not hold") as refusal:
            await it.tokens.checked(it.here.issue(it.checked()))
        assert refusal.value.code == CODES["token_invalid"]
