"""The people and channels that the table speaks of, and what they are answered."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from harness.people import PASSWORD, Answer, People, Person
from libs.testing.eventually import eventually
from libs.wire import ids
from libs.wire.codes import CODES
from matrix.listening import listened
from matrix.rows import Row
from matrix.table import WORDS

SIGNED_IN = ("owner", "admin", "member", "restricted", "banned", "left", "stranger")
NOBODY = "nobody"
# Longer than the second in which the gateway hears of an ended session.
ENDED_S = 5
# A service that is rebuilding, or was overtaken by a change of its group, asks for another try.
ANSWERED_S = 20
SLOW_S = 3_600
# Posted in the slow channel beforehand, so that the next post of each comes too soon.
SLOW = "slow group, again at once"
DIRECT, OTHER = "direct", "other"
KINDS: dict[str, dict[str, Any]] = {
    "private group": {},
    "public group": {"visibility": "public"},
    "private broadcast": {"kind": "broadcast"},
    "public broadcast": {"kind": "broadcast", "visibility": "public"},
    "group for its owner": {"posting": "owner"},
    "group for admins": {"posting": "admins"},
    "broadcast for members": {"kind": "broadcast", "posting": "members"},
    "public, for everyone": {"visibility": "public", "posting": "everyone"},
    "private, for everyone": {"posting": "everyone"},
    SLOW: {"slow_mode_s": SLOW_S},
}
# Lists answer 200 whatever is in them: whether the row's channel is, is the answer.
LISTS = frozenset({"GET /v1/channels", "GET /v1/me/channels"})
CODE_WORDS = {code: word for word, code in WORDS.items()}


@dataclass(frozen=True)
class Scene:
    """A channel, who owns it, and the handle that it was asked to have."""

    id: str
    owner: Person
    handle: str = ""


@dataclass
class Stage:
    """Everybody, once; one channel of each kind; new channels and users where a row changes them.

    A user who is only named needs no account: group-membership does not ask who a user is.
    `somebody` is none of the columns, and `elsewhere` the same on another device.
    """

    people: People
    cast: dict[str, Person]
    somebody: Person
    elsewhere: Person
    scenes: dict[str, Scene] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=count)

    async def observed(self, row: Row) -> dict[str, str]:
        """What each column is answered, in the words of the table."""
        if row.channel != "-" and row.channel not in self.scenes:
            raise ValueError(f"no channel is called {row.channel!r}")
        scene = await self._scene(row)
        columns = list(row.cells)
        answers = await asyncio.gather(*(self._ask(row, scene, column) for column in columns))
        return dict(zip(columns, answers, strict=True))

    async def _scene(self, row: Row) -> Scene | None:
        """The row's channel: a new one where those who ask change what they are."""
        changes_asker = row.request.path.endswith("/members/me") or row.target == "self"
        if changes_asker and row.channel in KINDS:
            return await self._made(row.channel)
        return self.scenes.get(row.channel)

    async def _ask(self, row: Row, scene: Scene | None, column: str) -> str:
        asker = self.cast[column]
        places = await self._places(row, scene, asker)
        path, body = row.request.path, row.request.body
        for name, value in places.items():
            path, body = path.replace(name, value), body.replace(name, value)
        wanted = json.loads(body) if body else None
        answer = await _surely(lambda: listened(asker, row.request.method, path, wanted))
        is_listed = row.request.route not in LISTS or scene is None or _lists(answer, scene)
        return _word(answer) if is_listed else "absent"

    async def _places(self, row: Row, scene: Scene | None, asker: Person) -> dict[str, str]:
        """What stands for each place of the request."""
        found = {"{fresh}": self._fresh(), "{password}": PASSWORD, "{handle}": asker.handle}
        found["{device}"] = json.dumps({"name": "test", "kind": "cli"})
        found["{refresh}"] = asker.refresh_token
        if scene is not None:
            found |= {"{channel}": scene.id, "{name}": scene.handle}
            if "{user}" in row.request.path:
                found["{user}"] = await self._target(row, scene, asker)
        if row.target == "own":
            found["{session}"] = (await self.people.sign_in(asker.handle)).session
        if row.target == "another's":
            found["{session}"] = self.elsewhere.session
        return found

    async def _target(self, row: Row, scene: Scene, asker: Person) -> str:
        """Whom the request is at: of all but those who are named once, a new user."""
        if row.target == "self":
            return asker.id
        if row.target == "owner":
            return scene.owner.id
        if row.channel == DIRECT:
            return self.cast[row.target].id
        user = ids.derived("matrix", self._fresh())
        if row.target == "banned":
            await _done(scene.owner, "PUT", f"/v1/channels/{scene.id}/bans/{user}")
        elif row.target != "stranger":
            path = f"/v1/channels/{scene.id}/members/{user}"
            await _done(scene.owner, "PUT", path, {"role": row.target})
        return user

    async def _made(self, kind: str) -> Scene:
        """A new channel of that kind, in which everybody is what their column says."""
        number, owner = self._fresh(), self.cast["owner"]
        users = {column: self.cast[column].id for column in SIGNED_IN}
        handle = f"matrix_{number}"
        members = [users[one] for one in ("admin", "member", "restricted", "banned", "left")]
        made = await owner.create(f"matrix-{number}", members=members, handle=handle, **KINDS[kind])
        channel = f"/v1/channels/{made['id']}"
        await asyncio.gather(
            _done(owner, "PUT", f"{channel}/members/{users['admin']}", {"role": "admin"}),
            _done(owner, "PUT", f"{channel}/members/{users['restricted']}", {"role": "restricted"}),
            _done(owner, "PUT", f"{channel}/bans/{users['banned']}"),
            _done(self.cast["left"], "DELETE", f"{channel}/members/me"),
        )
        return Scene(made["id"], owner, handle)

    async def fill(self) -> None:
        """One channel of each kind."""
        kinds = [*KINDS]
        scenes = await asyncio.gather(*(self._made(kind) for kind in kinds))
        self.scenes = dict(zip(kinds, scenes, strict=True))
        owner, peer = self.cast["owner"], self.cast["member"]
        made = await owner.create("pair", kind="direct", title="", members=[peer.id])
        self.scenes[DIRECT] = Scene(made["id"], owner)
        handle = f"matrix_{self._fresh()}"
        made = await self.somebody.create("other", handle=handle)
        self.scenes[OTHER] = Scene(made["id"], self.somebody, handle)
        slow = self.scenes[SLOW].id
        # Whether all of them may is for the rows to say.
        posts = [partial(self.cast[one].post, slow, "First", "first") for one in SIGNED_IN]
        await asyncio.gather(*(_surely(post) for post in posts))

    def _fresh(self) -> str:
        return str(next(self.numbers))


async def staged(people: People) -> Stage:
    """The stage, set."""
    names = (*SIGNED_IN, "somebody")
    made = await asyncio.gather(*(people.person(f"matrix_{name}") for name in names))
    cast = dict(zip(names, made, strict=True))
    somebody = cast.pop("somebody")
    cast[NOBODY] = await _signed_out(people, cast["owner"])
    stage = Stage(people, cast, somebody, await people.sign_in(somebody.handle))
    await stage.fill()
    return stage


async def _signed_out(people: People, person: Person) -> Person:
    """The same person on another device, whose session has ended and is known to have."""
    gone = await people.sign_in(person.handle)
    await _done(person, "DELETE", f"/v1/sessions/{gone.session}")

    async def is_known() -> bool:
        return (await gone.ask("GET", "/v1/me")).status == 401

    await eventually(is_known, within_s=ENDED_S, what="the ended session is refused")
    return gone


async def _done(person: Person, method: str, path: str, body: Any = None) -> None:
    answer = await _surely(lambda: person.ask(method, path, body))
    assert answer.status in {200, 204}, answer


async def _surely(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """An answer that is no request to ask again."""

    async def asked() -> Answer | None:
        answer = await ask()
        return None if answer.status is None or answer.status >= 500 else answer

    answer = await eventually(asked, within_s=ANSWERED_S, what="an answer")
    assert answer is not None
    return answer


def _word(answer: Answer) -> str:
    """The table's word for an answer; a code that has none as it is."""
    if answer.status is None or answer.status < 400:
        return str(answer.status)
    code: str = answer.body["code"]
    if answer.status != CODES[code].status:
        return f"{answer.status} {code}"
    return CODE_WORDS.get(code, code)


def _lists(answer: Answer, scene: Scene) -> bool:
    if answer.status != 200:
        return True
    items: Sequence[dict[str, Any]] = answer.body["items"]
    return scene.id in {item["id"] for item in items}
