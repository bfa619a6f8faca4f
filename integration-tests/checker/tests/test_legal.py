"""What looks like a break of a law and is none, beside what is one."""

from checker.history import AccessBegan, AccessEnded, Deliver, Final, Invoke, Jump, Resume
from checker.judge import judge
from checker.tests.story import MS, S, given, is_of, story, with_fields, with_these, without


def test_whoever_has_access_again_is_given_what_came_in_between() -> None:
    again = [given("eve1", number, late=21 * S) for number in range(11, 21)]
    began = AccessBegan(31 * S, "c", "eve")
    assert judge(with_these(story(), began, *again)).kinds() == set()
    assert judge(with_these(story(), *again)).kinds() == {("L9", "after-access-ended")}
    ended_again = AccessEnded(31 * S + 1, "c", "eve")
    late = Invoke(33 * S, "p", "c", "ann", "k31", "text k31", True, 2)
    assert judge(with_these(story(), began, ended_again, late, *again)).kinds() == set()


def test_after_a_jump_a_reader_may_resume_at_the_head() -> None:
    at_head = Resume(3 * S + 950 * MS, "r2", "s1", "c", 1, 5)
    assert judge(with_these(story(), at_head)).kinds() == set()
    untold = without(story(), is_of(Jump))
    assert judge(with_these(untold, at_head)).kinds() == {("L8", "skipped")}


def test_a_void_whose_post_nobody_was_given_is_judged_by_its_distance() -> None:
    posts = without(story(), is_of(Deliver), is_of(Final), is_of(Resume), is_of(Jump))
    for dup_of, kinds in ((9, set()), (8, {("L5", "void-verdict")})):
        void = with_fields(given("r3", 8, late=0), id=9 + 512, dup_of=dup_of)
        history = with_these(posts, Resume(1, "r3", "s1", "c", 1, 520), void)
        assert judge(history).kinds() - {("history", "no-final")} == kinds
