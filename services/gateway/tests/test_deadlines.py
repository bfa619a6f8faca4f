from hypothesis import given
from hypothesis import strategies as st

from services.gateway.deadlines import Wheel

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.floats(0, 60)),
        st.tuples(st.just("turn"), st.floats(0, 3)),
        st.tuples(st.just("remove"), st.floats(0, 1)),
    ),
    max_size=60,
)


class Model:
    """A wheel that is turned at least once a second, and what it should hold."""

    def __init__(self, start_s: float) -> None:
        self.now_s = start_s
        self.wheel: Wheel[int] = Wheel(start_s)
        self.due: dict[int, tuple[float, int]] = {}
        self.names = 0

    def add(self, wait_s: float) -> None:
        self.names += 1
        at_s = self.now_s + wait_s
        self.due[self.names] = (at_s, self.wheel.add(self.names, at_s))

    def remove(self, share: float) -> None:
        if self.due:
            item = sorted(self.due)[int(share * (len(self.due) - 1))]
            self.wheel.remove(item, self.due.pop(item)[1])

    def turn(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s = min(self.now_s + 1, until_s)
            for item in self.wheel.expire(self.now_s):
                at_s, _ = self.due.pop(item)
                assert at_s <= self.now_s, "early"
            late = [at_s for at_s, _ in self.due.values() if self.now_s - at_s > 1]
            assert not late


@given(st.floats(0, 1e6), STEPS)
def test_each_item_expires_once_never_early_and_at_most_a_second_late(
    start_s: float, steps: list[tuple[str, float]]
) -> None:
    model = Model(start_s)
    for what, amount in steps:
        {"add": model.add, "turn": model.turn, "remove": model.remove}[what](amount)
        assert len(model.wheel) == len(model.due)
    model.turn(62)
    assert not model.due
    assert len(model.wheel) == 0


def test_removing_what_is_not_there_does_nothing() -> None:
    wheel: Wheel[str] = Wheel(0)
    second = wheel.add("a", 5)
    wheel.remove("b", second)
    wheel.remove("a", second + 1)
    assert list(wheel.expire(10)) == ["a"]
    wheel.remove("a", second)
    assert len(wheel) == 0


def test_items_may_be_removed_and_added_while_others_expire() -> None:
    wheel: Wheel[int] = Wheel(0)
    seconds = {item: wheel.add(item, 1.5) for item in range(3)}
    seen = []
    for item in wheel.expire(2):
        seen.append(item)
        wheel.remove(item, seconds[item])
        wheel.add(item + 100, 1.5)
    assert seen == [0, 1, 2]
    assert list(wheel.expire(3)) == [100, 101, 102]
