"""One example of every record type; their bytes are written down in `golden/records.json`."""

from libs.wire import records
from libs.wire.records import Record

CHANNEL = "01M7Z0J9G0CHANNEW00000000A"
OTHER_CHANNEL = "01M7Z0J9G0CHANNEW00000000B"
ANN = "01M7Z0J9G0VSER00000000000A"
BEN = "01M7Z0J9G0VSER00000000000B"
SESSION = "01M7Z0J9G0SESS10N00000000A"
AT_MS = 1_795_248_000_123

EXAMPLES: tuple[Record, ...] = (
    records.Message(
        channel=CHANNEL,
        author=ANN,
        client_id="c-1",
        text="hé @ben",
        reply_to=7,
        reply_author=BEN,
        mentions=(BEN,),
    ),
    records.Claim(
        channel=CHANNEL,
        epoch=2,
        topic="channel-log-004",
        partition=17,
        base_offset=3,
        base_id=1_000_009,
        kind="direct",
        owner=ANN,
        visibility="private",
        title="Ann and Ben",
        peer=BEN,
    ),
    records.NameClaim(handle="ann", owner=ANN, owner_kind="user"),
    records.ChannelSettings(
        channel=CHANNEL, title="News", posting="admins", handle="news", slow_mode_s=30
    ),
    records.Membership(channel=CHANNEL, user=ANN, joined=True, at_ms=AT_MS),
    records.RoleGiven(channel=CHANNEL, user=BEN, by=ANN, role="admin"),
    records.Ban(channel=CHANNEL, user=BEN, by=ANN, banned=True),
    records.AccessChanged(channel=CHANNEL, user=None),
    records.Signal(channel=CHANNEL, epoch=1, id=1842, at_ms=AT_MS, record=b"\x00\xff"),
    records.Account(
        user=ANN, handle="ann", display_name="Ann", password_hash="$argon2id$x", at_ms=AT_MS
    ),
    records.SessionState(
        session=SESSION,
        user=ANN,
        device_name="Ann's phone",
        device_kind="phone",
        refresh_hash=bytes(range(32)),
        previous_hash=b"",
        created_ms=AT_MS,
        rotated_ms=AT_MS + 1,
        ended=True,
    ),
    records.Revocation(session=SESSION, user=ANN),
    records.Heartbeat(topic="governance", partition=3, at_ms=AT_MS),
)
