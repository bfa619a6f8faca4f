import pytest

from libs.wire import api
from libs.wire.codec import Malformed, Struct, pack, unpack
from libs.wire.entries import Entry
from libs.wire.tests.examples import ANN, CHANNEL

ENTRY = Entry(id=7, type="void", at="2026-11-21T08:00:00.123Z")


@pytest.mark.parametrize(
    "body",
    [
        api.AccessQuestion(pairs=(api.Pair(user=ANN, channel=CHANNEL),)),
        api.AccessAnswer(answers=(api.Access(user=ANN, channel=CHANNEL, role="owner"),)),
        api.PageQuestion(channel=CHANNEL, claim_offset=3, first=7, limit=api.PAGE_MAX),
        api.Page(channel=CHANNEL, epoch=1, head=7, first=1, entries=(ENTRY,)),
    ],
)
def test_a_body_is_read_as_it_was_written(body: Struct) -> None:
    assert unpack(pack(body), type(body)) == body


def test_an_answer_about_access_allows_nothing_that_it_does_not_say() -> None:
    silent = unpack(pack({"user": ANN, "channel": CHANNEL}), api.Access)
    assert (silent.may_read, silent.may_post, silent.role) == (False, False, None)


def test_a_field_that_is_missing_is_malformed() -> None:
    with pytest.raises(Malformed):
        unpack(pack({"channel": CHANNEL}), api.Page)
