"""Whatever order waiters come and go in, everybody sits where the hub believes."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.gateway.hub import Waiter
from services.gateway.tests.listeners import Listener, hub, room

ROOMS = 3


class Seats(RuleBasedStateMachine):
    """Parks, leaves, expires and drains; the model is the set of those who should be there."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms = [room(head=number, channel=f"c{number}") for number in range(ROOMS)]
        self.hub = hub(*self.rooms)
        self.now_s = 0.0
        self.there: dict[Listener, tuple[int, float]] = {}
        self.peers: dict[str, list[Waiter]] = {name: [] for name in "ab"}

    @rule(where=st.integers(0, ROOMS - 1), user=st.sampled_from("ab"), wait_s=st.floats(0, 10))
    def park(self, where: int, user: str, wait_s: float) -> None:
        waiter = Listener(user, self.rooms[where].head)
        peers: list[Waiter] = self.peers[user]
        self.hub.park(waiter, self.rooms[where], self.now_s + wait_s, peers=peers)
        self.there[waiter] = (where, self.now_s + wait_s)

    @precondition(lambda self: self.there)
    @rule(share=st.floats(0, 1))
    def leave(self, share: float) -> None:
        waiter = list(self.there)[int(share * (len(self.there) - 1))]
        self.hub.leave(waiter)
        del self.there[waiter]
        assert not waiter.bodies

    @rule(seconds=st.floats(0, 4))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds
        due = [each for each, (_, at_s) in self.there.items() if int(at_s) + 1 <= int(self.now_s)]
        assert self.hub.expire(self.now_s) == len(due)
        for waiter in due:
            del self.there[waiter]
            assert len(waiter.bodies) == 1

    @rule()
    def drain(self) -> None:
        pollers = list(self.hub.pollers())
        assert set(pollers) == set(self.there)
        for waiter in pollers:
            self.hub.send_away(waiter, 1)
        self.there.clear()

    @invariant()
    def everybody_has_their_own_seat(self) -> None:
        for number, there in enumerate(self.rooms):
            assert [each.place for each in there.waiters] == list(range(len(there.waiters)))
            assert set(there.waiters) == {
                each for each, (where, _) in self.there.items() if where == number
            }
            assert all(each.room is there for each in there.waiters)
        assert self.hub.parked == len(self.there)

    @invariant()
    def peers_are_those_who_are_parked(self) -> None:
        for user, peers in self.peers.items():
            assert set(peers) == {each for each in self.there if each.user == user}


TestSeats = Seats.TestCase
TestSeats.settings = settings(max_examples=60, stateful_step_count=40)
