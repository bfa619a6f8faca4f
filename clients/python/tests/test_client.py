"""Every method of the client at a real gateway."""

from pathlib import Path

import msgspec
import pytest

from clients.python.tests.people import PASSWORD, person
from clients.python.tests.scripted import nowhere
from rostrum import (
    Client,
    Cursor,
    EpochChanged,
    FileSessions,
    Message,
    Refused,
    Session,
    SignedOut,
    Unreachable,
    User,
)

UNKNOWN = "0" * 26


async def test_who_signs_in_is_who_signed_up(url: str) -> None:
    async with Client(url) as client:
        made = await client.sign_up("Cato", PASSWORD, name="Cato the Elder")
        session = await client.sign_in("cato", PASSWORD, device="laptop")
        assert made == session.user == await client.me()
        assert made == User(id=made.id, handle="cato", name="Cato the Elder")
        with pytest.raises(Refused) as refused:
            await client.sign_up("cato", PASSWORD, name="Another")
        assert (refused.value.code, refused.value.field) == ("handle_taken", "handle")
        assert not refused.value.may_be_done


async def test_a_wrong_password_says_so(url: str) -> None:
    async with Client(url) as client:
        with pytest.raises(Refused, match="credentials_wrong"):
            await client.sign_in("nobody", "wrong horse")
        with pytest.raises(SignedOut, match="sign_in"):
            await client.me()


async def test_a_session_is_there_in_the_next_run_until_it_is_signed_out(
    url: str, tmp_path: Path
) -> None:
    sessions = FileSessions(tmp_path / "session")
    async with person(url, "dora", sessions=sessions) as client:
        first = await client.me()
    async with Client(url, sessions=sessions) as client:
        assert await client.me() == first
        token = client.session.access_token
        await client.sign_out()
        await client.sign_out()
        assert not client.is_signed_in
    assert sessions.load() is None
    async with Client(url, session=Session.of_token(token)) as late:
        with pytest.raises(SignedOut):
            await late.me()


async def test_a_token_that_is_refused_is_renewed_in_passing(url: str) -> None:
    async with person(url, "emma") as client:
        good = client.session
    broken = msgspec.structs.replace(good, access_token=good.access_token[:-8] + "AAAAAAAA")
    async with Client(url, session=broken) as client:
        assert await client.me() == good.user
        assert client.session.access_token != broken.access_token
        assert client.session.refresh_token != good.refresh_token


async def test_a_bare_token_is_enough_to_post(url: str) -> None:
    async with person(url, "fay") as client:
        channel = await client.create_channel("Notes")
        token = client.session.access_token
    session = Session.of_token(token)
    assert (session.user_id, session.refresh_token) == (client.session.user_id, None)
    assert session.expires_at is not None
    async with Client(url, session=session) as bare:
        assert (await bare.post(channel.id, "by token")).id == 1


async def test_an_address_that_leads_nowhere_is_left_for_one_that_answers(url: str) -> None:
    async with Client([nowhere(), url]) as client:
        await client.sign_up("gwen", PASSWORD, name="Gwen")
        assert client.http.gateway() == url


async def test_channels_are_made_once_found_changed_and_listed(url: str) -> None:
    async with person(url, "hana") as client:
        made = await client.create_channel(
            "News", kind="broadcast", visibility="public", handle="hana_news", client_id="c1"
        )
        again = await client.create_channel(
            "News", kind="broadcast", visibility="public", handle="hana_news", client_id="c1"
        )
        assert (again.id, made.role, made.posting) == (made.id, "owner", "admins")
        changed = await client.change_channel(made.id, title="Old news", slow_mode_s=3)
        assert (changed.title, changed.slow_mode_s, changed.posting) == ("Old news", 3, "admins")
        assert await client.find_channel("hana_news") == changed == await client.channel(made.id)
        assert await client.find_channel("hana_olds") is None
        titles = {f"Room {number}" for number in range(3)}
        for title in titles:
            await client.create_channel(title)
        assert {channel.title async for channel in client.channels()} == titles | {"Old news"}
        with pytest.raises(Refused, match="channel_unknown"):
            await client.channel(UNKNOWN)


async def test_members_come_are_given_roles_and_go(url: str) -> None:
    async with person(url, "ida") as owner, person(url, "jan") as guest:
        channel = (await owner.create_channel("Open", visibility="public")).id
        guest_id = guest.session.user_id
        joined = await guest.join(channel)
        assert (joined.role, joined.cursor) == ("member", "1-0")
        assert (await owner.add_member(channel, guest_id, "admin")).role == "admin"
        members = {member.user: member async for member in guest.members(channel)}
        assert members[guest_id].role == "admin"
        assert members[guest_id].joined_at is not None
        await guest.leave(channel)
        await owner.add_member(channel, guest_id)
        await owner.remove_member(channel, guest_id)
        assert [member.user async for member in owner.members(channel)] == [owner.session.user_id]
        await owner.ban(channel, guest_id)
        with pytest.raises(Refused, match="banned"):
            await guest.join(channel)
        await owner.unban(channel, guest_id)
        assert (await guest.join(channel)).role == "member"


async def test_two_who_talk_share_a_direct_channel(url: str) -> None:
    async with person(url, "kim") as one, person(url, "lea") as other:
        made = await one.create_channel("", kind="direct", members=[other.session.user_id])
        again = await other.create_channel("", kind="direct", members=[one.session.user_id])
        assert made.id == again.id


async def test_a_post_is_a_message_with_its_mentions_and_what_it_answers(url: str) -> None:
    async with person(url, "mia") as client:
        channel = (await client.create_channel("Talk")).id
        first = await client.post(channel, "hello @mia", client_id="k1")
        again = await client.post(channel, "hello @mia", client_id="k1", was_sent=True)
        answer = await client.post(channel, "and hello to you", reply_to=first.id)
        assert (again.id, again.is_repeat, first.is_repeat) == (first.id, True, False)
        page = await client.page(channel)
        message, reply = page.entries
        assert isinstance(message, Message)
        assert isinstance(reply, Message)
        assert (message.client_id, message.sender) == ("k1", client.session.user_id)
        assert message.mentions == (client.session.user_id,)
        assert (message.at, message.at.utcoffset()) == (first.at, first.at.utcoffset())
        assert reply.reply_to == message.id
        assert (page.cursor, page.head, page.first, page.more) == (answer.cursor, 2, 1, False)
        with pytest.raises(Refused, match="client_id_reused"):
            await client.post(channel, "something else", client_id="k1")
        with pytest.raises(Refused, match="reply_unknown"):
            await client.post(channel, "to whom?", reply_to=99)
        with pytest.raises(Refused, match="field_invalid"):
            await client.post(channel, "")


async def test_history_gives_every_entry_once_in_either_direction(url: str) -> None:
    async with person(url, "nora") as client:
        channel = (await client.create_channel("Long")).id
        for number in range(1, 232):
            await client.post(channel, str(number))
        forwards = [entry.id async for entry in client.history(channel)]
        assert forwards == list(range(1, 232))
        backwards = [entry.id async for entry in client.history(channel, newest_first=True)]
        assert backwards == forwards[::-1]
        some = [entry.id async for entry in client.history(channel, after="1-99", before=203)]
        assert some == list(range(100, 203))
        last = client.history(channel, after=228, before=231, newest_first=True)
        assert [entry.id async for entry in last] == [230, 229]
        nothing = client.history(channel, after=231)
        assert [entry.id async for entry in nothing] == []


async def test_pages_lie_where_they_were_asked_for(url: str) -> None:
    async with person(url, "olga") as client:
        channel = (await client.create_channel("Ten")).id
        for number in range(1, 11):
            await client.post(channel, str(number))
        latest = await client.page(channel, limit=3)
        assert ([entry.id for entry in latest.entries], latest.more) == ([8, 9, 10], True)
        after = await client.page(channel, after=str(Cursor(1, 4)), limit=2)
        assert ([entry.id for entry in after.entries], after.cursor) == ([5, 6], "1-6")
        before = await client.page(channel, before=3)
        assert ([entry.id for entry in before.entries], before.more) == ([1, 2], False)
        around = await client.page(channel, around=5, limit=3)
        assert 5 in {entry.id for entry in around.entries}
        with pytest.raises(ValueError, match="one of"):
            await client.page(channel, after=1, before=3)
        with pytest.raises(ValueError, match="not a cursor"):
            await client.page(channel, after="1")
        with pytest.raises(EpochChanged, match="epoch 1 now"):
            await client.page(channel, after="2-4")


async def test_nobody_there_is_said_with_the_address() -> None:
    url = nowhere()
    async with Client(url, session=Session.of_token("t")) as client:
        with pytest.raises(Unreachable, match=url):
            await client.http.ask("GET", "/v1/me", User, within_s=0.1)


async def test_a_client_that_was_not_entered_says_so() -> None:
    client = Client("http://localhost:1")
    with pytest.raises(RuntimeError, match="async with"):
        await client.sign_in("ada", PASSWORD)


async def test_a_client_may_be_left_and_entered_again(url: str) -> None:
    async with person(url, "wanda") as client:
        pass
    async with client:
        assert (await client.me()).handle == "wanda"


def test_a_session_and_a_store_of_sessions_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not both"):
        Client(
            "http://localhost:1",
            session=Session.of_token("t"),
            sessions=FileSessions(tmp_path / "session"),
        )
