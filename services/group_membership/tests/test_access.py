"""`/internal/access`, and what is told to gateways."""

from libs.log.port import Log
from libs.runtime.identity import HEADER, Identity
from libs.testing.eventually import eventually
from libs.wire import api, ids
from libs.wire.api import AccessQuestion, Pair
from libs.wire.codec import pack
from libs.wire.records import AccessChanged, Heartbeat, decode
from libs.wire.topics import ACCESS_CHANGES
from services.group_membership.access import check_reads
from services.group_membership.model import Channel, Standing
from services.group_membership.rows import PAIRS_PER_TRIP
from services.group_membership.store import partitions_of
from services.group_membership.tests.instance import (
    ANNA,
    BEN,
    CARL,
    CLOCK,
    SIGNER,
    SOON_S,
    Instance,
    user,
)


async def told(log: Log) -> set[tuple[str, str | None]]:
    """All changes of access that were announced."""
    found = set()
    for partition in partitions_of(ACCESS_CHANGES):
        for stored in await log.read(partition, 0, limit=1_000):
            record = decode(stored.value)
            assert isinstance(record, AccessChanged | Heartbeat)
            if isinstance(record, AccessChanged):
                found.add((record.channel, record.user))
    return found


async def test_answers_come_in_the_order_of_the_question_and_repeat_with_it(
    service: Instance,
) -> None:
    public = (await service.made(ANNA, client_id="p", visibility="public"))["id"]
    private = (await service.made(ANNA, client_id="q", members=[BEN]))["id"]
    nothing = ids.derived("nothing")
    pairs = [(BEN, private), (CARL, private), (CARL, public), (ANNA, nothing), (BEN, private)]
    answers = await service.access(*pairs)
    assert [(one.user, one.channel) for one in answers] == pairs
    assert [one.refusal for one in answers] == [
        None,
        "access_denied",
        None,
        "channel_unknown",
        None,
    ]
    assert [one.may_read for one in answers] == [True, False, True, False, True]
    assert [one.may_post for one in answers] == [True, False, False, False, True]
    assert [one.epoch for one in answers] == [1, 1, 1, 0, 1]
    assert [one.claim_offset for one in answers] == [1, 1, 0, -1, 1]


async def test_everyone_posts_where_the_channel_says_so(service: Instance) -> None:
    channel = (await service.made(ANNA, visibility="public", posting="everyone"))["id"]
    assert (await service.may(CARL, channel)).may_post
    await service.done(
        ANNA, "PUT", f"/v1/channels/{channel}/members/{CARL}", json={"role": "restricted"}
    )
    carl = await service.may(CARL, channel)
    assert (carl.may_read, carl.may_post) == (True, False)


async def test_a_full_question_is_answered_and_a_fuller_one_refused(service: Instance) -> None:
    channel = (await service.made(ANNA, visibility="public"))["id"]
    pairs = [(user(number), channel) for number in range(api.PAIRS_MAX)]
    answers = await service.access(*pairs)
    assert len(answers) == api.PAIRS_MAX > PAIRS_PER_TRIP
    assert sum(one.role == "owner" for one in answers) == 1
    over = AccessQuestion(tuple(Pair(*pair) for pair in [*pairs, (ANNA, channel)]))
    header = {HEADER: SIGNER.sign(Identity("chat"), CLOCK.now_ms())}
    answer = await service.http.post(api.ACCESS, content=pack(over), headers=header)
    assert (answer.status_code, answer.json()["code"]) == (422, "field_invalid")
    wrong = await service.http.post(api.ACCESS, content=b"\xc1", headers=header)
    assert wrong.json()["code"] == "field_invalid"


async def test_each_change_of_access_is_told_to_gateways(service: Instance, log: Log) -> None:
    channel = (await service.made(ANNA, visibility="public", posting="owner"))["id"]
    await service.done(BEN, "PUT", f"/v1/channels/{channel}/members/me")
    await service.done(ANNA, "PUT", f"/v1/channels/{channel}/bans/{CARL}")
    wanted = {(channel, None), (channel, BEN), (channel, CARL)}

    async def all_told() -> bool:
        return await told(log) == wanted

    await eventually(all_told, within_s=SOON_S, what="three changes told")


def test_a_standing_without_refusal_reads(claimed: Channel) -> None:
    check_reads(Standing(ANNA, claimed, joined=False, given=None, banned=False))
