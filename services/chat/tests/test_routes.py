"""What the route answers, code by code."""

import pytest

from libs.log.port import Log
from libs.wire import ids
from libs.wire.api import Access
from services.chat.routes import CREATED, REPEATED
from services.chat.tests.instance import ANNA, BEN, CHANNEL, Instance, entries

FINE = {"client_id": "c1", "text": "hello"}


async def test_a_post_is_answered_with_its_place(chat: Instance, log: Log) -> None:
    answer = await chat.post("hello", "c1")
    assert answer.status_code == CREATED
    (entry,) = await entries(log)
    assert answer.json() == {"id": 1, "cursor": "1-1", "at": entry.at}
    assert (entry.text, entry.sender) == ("hello", ANNA)


async def test_the_same_again_is_answered_with_the_first_id(chat: Instance, log: Log) -> None:
    first = await chat.post("hello", "c1")
    again = await chat.post("hello", "c1", retry=True)
    assert again.status_code == REPEATED
    assert again.json() == first.json()
    assert len(await entries(log)) == 1


async def test_the_same_client_id_of_another_author_is_another_post(chat: Instance) -> None:
    assert (await chat.post(who=ANNA)).json()["id"] == 1
    assert (await chat.post(who=BEN)).json()["id"] == 2


@pytest.mark.parametrize(
    "body",
    [
        FINE | {"client_id": ""},
        FINE | {"client_id": "a b"},
        FINE | {"client_id": "c" * 65},
        FINE | {"client_id": "c1\n"},
        FINE | {"text": ""},
        FINE | {"text": "x" * 4_097},
        FINE | {"text": "\ud800"},
        FINE | {"reply_to": 0},
        FINE | {"reply_to": "1"},
        FINE | {"retry": 1},
        FINE | {"media": []},
        {"text": "hello"},
        [],
    ],
)
async def test_a_body_that_is_not_as_documented_is_refused(chat: Instance, body: object) -> None:
    answer = await chat.send(body)
    assert (answer.status_code, answer.json()["code"]) == (422, "field_invalid")


async def test_the_longest_text_is_taken(chat: Instance) -> None:
    assert (await chat.post("\U0001f600" * 4_096)).status_code == CREATED


async def test_another_body_under_a_used_client_id_is_refused(chat: Instance) -> None:
    await chat.post("hello", "c1")
    for other in ({"text": "other"}, {"reply_to": 1}):
        answer = await chat.send(FINE | other)
        assert (answer.status_code, answer.json()["code"]) == (422, "client_id_reused")


async def test_a_reply_names_an_entry_of_the_channel(chat: Instance, log: Log) -> None:
    unknown = await chat.post(reply_to=1)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "reply_unknown")
    await chat.post("first", "c0")
    assert (await chat.post(reply_to=1)).status_code == CREATED
    assert [entry.reply_to for entry in await entries(log)] == [None, 1]


@pytest.mark.parametrize(
    ("access", "code"),
    [
        (Access(ANNA, CHANNEL, may_read=True), "post_denied"),
        (Access(ANNA, CHANNEL, may_post=True), "access_denied"),
        (Access(ANNA, CHANNEL, refusal="banned"), "banned"),
        (Access(ANNA, CHANNEL, refusal="rebuilding"), "rebuilding"),
        (Access(ANNA, CHANNEL, refusal="channel_unknown"), "channel_unknown"),
    ],
)
async def test_who_may_not_post_is_told_why(chat: Instance, access: Access, code: str) -> None:
    chat.members.answers[ANNA] = access
    assert (await chat.post()).json()["code"] == code


async def test_without_group_membership_nothing_is_written(chat: Instance, log: Log) -> None:
    chat.members.away = True
    answer = await chat.post()
    assert (answer.status_code, answer.json()["code"]) == (503, "service_away")
    assert await entries(log) == []


async def test_a_channel_without_a_claim_is_unknown(chat: Instance) -> None:
    answer = await chat.send(FINE, channel=ids.derived("channel", "nowhere"))
    assert (answer.status_code, answer.json()["code"]) == (404, "channel_unknown")


async def test_nobody_posts_without_an_identity(chat: Instance) -> None:
    answer = await chat.http.post(f"/v1/channels/{CHANNEL}/messages", json=FINE)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")
