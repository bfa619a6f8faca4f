"""What keeps the laws is judged clean, however strange it looks."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from checker.judge import judge
from checker.tests.world import World

SEEDS = range(200)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    posts=st.integers(1, 80),
    readers=st.integers(0, 4),
    trouble=st.floats(0, 1),
)
def test_whatever_may_go_wrong_is_judged_clean(
    seed: int, posts: int, readers: int, trouble: float
) -> None:
    history = World(seed, posts, readers, trouble).history()
    kinds = judge(history).kinds()
    assert kinds <= {("history", "empty")}


def test_the_worlds_hold_all_that_is_strange_and_legal() -> None:
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        counts = judge(World(seed, trouble=0.6).history()).figures.counts
        seen.update({name: getattr(counts, name) for name in counts.__struct_fields__})
    strange = "failed unknown unanswered first_id_back voids retry_first jumps resets not_kept"
    assert all(seen[name] > 10 for name in strange.split()), seen
