from hypothesis import given
from hypothesis import strategies as st

from cli.importing.plan import Taken
from cli.importing.report import EXAMPLES_MAX, NAMES_MAX, OTHERS, Report


@given(st.lists(st.tuples(st.booleans(), st.text(max_size=2)), max_size=50))
def test_each_message_is_counted_once(events: list[tuple[bool, str]]) -> None:
    report = Report(len(events))
    for is_taken, name in events:
        if is_taken:
            report.take(Taken(1, name, ["x"]), before=0)
        else:
            report.skip(name, 1)
    told = report.document()
    assert told["taken"] == sum(told["taken_by_kind"].values())
    assert told["not_taken"] == sum(r["count"] for r in told["not_taken_by_reason"].values())
    assert told["taken"] + told["not_taken"] == len(events) == report.seen


def test_names_and_examples_are_bounded() -> None:
    report = Report(0)
    for number in range(3 * NAMES_MAX):
        report.skip(f"reason {number}", number)
        report.take(Taken(number, f"kind {number}", ["x"]), before=0)
    assert len(report.not_taken) == len(report.taken) == NAMES_MAX + 1
    assert report.not_taken[OTHERS].count == report.taken[OTHERS] == 2 * NAMES_MAX
    assert len(report.not_taken[OTHERS].ids) == EXAMPLES_MAX
