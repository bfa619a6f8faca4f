from hypothesis import given
from hypothesis import strategies as st

from services.gateway.aliases import Aliases


@given(st.lists(st.booleans(), max_size=60))
def test_no_alias_is_taken_twice_and_the_lowest_comes_first(takes: list[bool]) -> None:
    aliases, taken = Aliases(), set[int]()
    for is_taking in takes:
        if is_taking or not taken:
            alias = aliases.take()
            assert alias not in taken
            assert alias == min(set(range(len(taken) + 1)) - taken)
            taken.add(alias)
        else:
            aliases.give_back(taken.pop())
