"""`rostrum channel`: what the log says of one channel."""

from dataclasses import dataclass
from typing import Any

import click

from cli import show
from cli.address import LOG, Where, address
from cli.finding import Found, claim_of, find, records
from cli.looking import looking_at, run
from cli.show import json_option
from libs.log.port import Inspection, Partition
from libs.wire.records import ChannelSettings, Claim
from libs.wire.roles import DEFAULT_POSTING, Members
from libs.wire.topics import CHANNELS, GOVERNANCE, MEMBERS

# Members that are named with their roles; the others are counted.
NAMED_MAX = 20
EXAMPLE = """
\b
Examples:
  rostrum channel 01KA3Q5V8Z0J6T4M2N7R9X1C3E
  rostrum channel @news --no-members --json
"""


@dataclass(frozen=True)
class _Known:
    found: Found
    claim: Claim
    created_ms: int
    settings: ChannelSettings | None
    last_ms: int | None
    members: Members | None


@click.command(epilog=EXAMPLE)
@address(LOG)
@click.argument("channel")
@click.option(
    "--members/--no-members",
    "with_members",
    default=True,
    help="Count members; this reads every membership of the deployment.",
)
@json_option
def channel(where: Where, channel: str, with_members: bool, as_json: bool) -> None:
    """Show the CHANNEL with this id or handle as the log has it.

    Its place (topic, partition, base offset, base id, epoch), its ids (head, first), kind,
    visibility, title, who may post, and its members by role. All of it is read from the log, whose
    processes need not run; who was added a moment ago counts already.
    """
    known = run(_look(where, channel, with_members))
    told = _told(known)
    if as_json:
        show.document(told)
        return
    roles = told.pop("roles")
    show.facts(told)
    if roles:
        show.say("")
        show.rows([{"role": role, "user": user} for role, user in roles])
        rest = told["members"] - len(roles)
        if rest > 0:
            show.say(f"and {rest:,} more")


async def _look(where: Where, name: str, with_members: bool) -> _Known:
    async with looking_at(where) as log:
        found = await find(log, name)
        claim, created_ms = await claim_of(log, found)
        last = await log.read(found.partition, found.ends.next - 1, limit=1) if found.head else []
        return _Known(
            found=found,
            claim=claim,
            created_ms=created_ms,
            settings=await _settings(log, claim.channel),
            last_ms=last[0].at_ms if last else None,
            members=await _members(log, claim) if with_members else None,
        )


async def _settings(log: Inspection, channel: str) -> ChannelSettings | None:
    """The last ones count."""
    last = None
    async for record in records(log, Partition(CHANNELS.name, CHANNELS.partition_of(channel))):
        if isinstance(record, ChannelSettings) and record.channel == channel:
            last = record
    return last


async def _members(log: Inspection, claim: Claim) -> Members:
    members = Members(claim)
    # A channel's memberships are spread over all partitions, by their users.
    places = [Partition(MEMBERS.name, index) for index in range(MEMBERS.partitions)]
    places.append(Partition(GOVERNANCE.name, GOVERNANCE.partition_of(claim.channel)))
    for place in places:
        async for record in records(log, place):
            members.apply(record)
    return members


def _told(known: _Known) -> dict[str, Any]:
    place, claim, settings = known.found.placement, known.claim, known.settings
    return {
        "channel": claim.channel,
        "title": claim.title if settings is None else settings.title,
        "handle": None if settings is None else settings.handle,
        "kind": claim.kind,
        "visibility": claim.visibility,
        "posting": DEFAULT_POSTING[claim.kind] if settings is None else settings.posting,
        "slow_mode_s": 0 if settings is None else settings.slow_mode_s,
        "owner": claim.owner,
        "peer": claim.peer,
        "created": show.time_of(known.created_ms),
        "topic": place.topic,
        "partition": place.partition,
        "epoch": place.epoch,
        "base_offset": place.base_offset,
        "base_id": place.base_id,
        "claim_offset": place.claim_offset,
        "head": known.found.head,
        "first": known.found.first,
        "last_entry": None if known.last_ms is None else show.time_of(known.last_ms),
        **_of_members(known.members),
    }


def _of_members(members: Members | None) -> dict[str, Any]:
    if members is None:
        return {"members": None, "by_role": None, "banned": None, "roles": []}
    counts = members.counts()
    # Who is more than a member first; they are few, and who is asked for.
    named = sorted((role == "member", role, user) for user, role in members)[:NAMED_MAX]
    return {
        "members": counts.total(),
        "by_role": dict(sorted(counts.items())),
        "banned": len(members.banned),
        "roles": [[role, user] for _, role, user in named],
    }
