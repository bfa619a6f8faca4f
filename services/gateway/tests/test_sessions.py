from libs.wire.codes import Problem
from services.gateway.sessions import Sessions


class Ear:
    """Listens."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def end(self, problem: Problem) -> None:
        self.ended.append(problem.code.name)


def test_a_session_that_ends_ends_all_that_listens_by_it_once() -> None:
    sessions, ears = Sessions(), [Ear(), Ear(), Ear()]
    for session, ear in zip(("a", "a", "b"), ears, strict=True):
        sessions.enter(session, ear)
    sessions.end("a")
    sessions.end("a")
    sessions.end("nobody's")
    assert [ear.ended for ear in ears] == [["token_invalid"], ["token_invalid"], []]


def test_who_left_is_not_told() -> None:
    sessions, ear = Sessions(), Ear()
    sessions.enter("a", ear)
    sessions.leave("a", ear)
    sessions.leave("a", ear)
    sessions.end("a")
    assert ear.ended == []


def test_of_two_the_one_that_stays_is_held_as_if_alone() -> None:
    """A set for each session that had two once would stay as long as the session does."""
    sessions, ears = Sessions(), [Ear(), Ear()]
    for ear in ears:
        sessions.enter("a", ear)
    sessions.leave("a", ears[0])
    assert sessions._listening == {"a": ears[1]}
    sessions.end("a")
    assert [ear.ended for ear in ears] == [[], ["token_invalid"]]
