"""All that the chat knows and shows. No terminal, network or clock: what it wants done, it says.

The person's side (`show`, `say`, `scrolled`, ...) and the network's (`received`, `paged`, ...) are
called by whoever has them; both may make the model `want` something.
"""

from collections.abc import Callable, Sequence

from cli.chat import link, words
from cli.chat.history import Entry
from cli.chat.link import Connecting, Link
from cli.chat.names import Names
from cli.chat.posts import Failed, Post, Waiting, Written
from cli.chat.room import KEPT_UNSHOWN, Room
from cli.chat.wants import Do, Forget, Keep, Load, Send, Want
from cli.chat.words import Say, Word
from rostrum import Channel, Cursor, Message, Page, Posted, User

# With fewer messages than fill a screen, a channel that is shown asks for older ones by itself.
SCREENFUL = 50
NOWHERE = "there is no channel to post to: /join or /create one"


class Chat:
    """The state of the program. `want` is called with what shall be done, `new_id` makes a
    `client_id` that no post had."""

    def __init__(
        self, want: Callable[[Want], None], new_id: Callable[[], str], *, me: User | None = None
    ) -> None:
        self.me: User | None = None
        self.rooms: dict[str, Room] = {}
        self.shown: Room | None = None
        self.link: Link = Connecting()
        self.notice = ""
        self.names = Names()
        self._want = want
        self._new_id = new_id
        if me is not None:
            self.met(me)

    # What comes from the network. What comes late, of a channel that was left, is nothing.

    def found(self, channel: Channel, mark: str | None = None) -> Room:
        """A channel is to be followed, from `mark` (a cursor that was kept), else from now on."""
        now = Cursor.of(channel.cursor)
        at = now if mark is None else Cursor.of(mark)
        if at.epoch != now.epoch or at.id > now.id:
            at = now
        title = channel.title or channel.handle or channel.id
        fresh = Room(channel.id, title, now.epoch, head=now.id, read=at.id)
        room = self.rooms.setdefault(channel.id, fresh)
        room.jump(now.epoch, max(now.id, room.head), room.first)
        room.ended = None
        return room

    def received(self, channel: str, entry: Entry, head: int) -> None:
        """The next entry of a channel came."""
        room = self.rooms.get(channel)
        if room is not None:
            room.take(entry, head, is_shown=room is self.shown)
            self._meet(room, [entry])

    def jumped(self, channel: str, cursor: str, *, head: int, first: int) -> None:
        """More came than is sent: rule 4 of the protocol."""
        room = self.rooms.get(channel)
        if room is not None:
            room.jump(Cursor.of(cursor).epoch, head, first)

    def was_reset(self, channel: str, cursor: str, *, head: int, first: int) -> None:
        """The ids of a channel began anew: rule 5."""
        room = self.rooms.get(channel)
        if room is not None:
            room.begin(Cursor.of(cursor).epoch, head, first)
            self._want(Keep(channel, room.cursor))
            self._fill(room)

    def ended(self, channel: str, why: str) -> None:
        """A channel is followed no more."""
        room = self.rooms.get(channel)
        if room is not None:
            room.ended = why

    def paged(self, load: Load, page: Page) -> None:
        """A page came that was wanted."""
        room = self.rooms.get(load.channel)
        if room is None or room.loading != load:
            return
        room.loading = None
        room.put(load, page)
        if room is not self.shown:
            room.history.trim(KEPT_UNSHOWN)
        self._meet(room, page.entries)

    def not_paged(self, load: Load, why: str) -> None:
        """It did not come."""
        room = self.rooms.get(load.channel)
        if room is not None:
            room.loading = None
        self.notice = why

    def left_behind(self, channel: str, post: Post) -> None:
        """An earlier run did not get this post to its end."""
        room = self.rooms.get(channel)
        if room is not None:
            room.posts.setdefault(post.client_id, post)

    def posted(self, channel: str, client_id: str, posted: Posted) -> None:
        """A post stands in the channel. It is shown as sent until it comes back from there."""
        room = self.rooms.get(channel)
        if room is not None:
            room.became(client_id, Written(posted.id))

    def not_posted(self, channel: str, client_id: str, why: str) -> None:
        """A post was given up."""
        room = self.rooms.get(channel)
        if room is not None:
            room.became(client_id, Failed(why))

    def linked(self, way: str | None, why: str = "") -> None:
        """By which way entries come now; None: by none, and `why` says why."""
        self.link = link.after(self.link, way, why)

    def met(self, me: User) -> None:
        """Who the person is."""
        self.me = me
        self.names.know(me.id, me.handle)

    def left(self, channel: str) -> None:
        """The person is no member any more."""
        room = self.rooms.pop(channel, None)
        if room is not None and room is self.shown:
            self.shown = None
            self.step(0)

    # What comes from the person.

    def show(self, channel: str) -> None:
        """Look at this channel."""
        before, self.shown = self.shown, self.rooms[channel]
        if before is not None and before is not self.shown:
            before.leave()
        self._fill(self.shown)
        self._see(self.shown)

    def offer(self, channel: str) -> None:
        """Look at this channel, unless something is half typed for another one."""
        if self.shown is None or not self.shown.draft.strip():
            self.show(channel)
        else:
            self.notice = f"{self.rooms[channel].title} is in the list now"

    def step(self, by: int) -> None:
        """Look at the channel that is `by` further down the list, which is a ring."""
        order = list(self.rooms)
        if order:
            here = order.index(self.shown.id) if self.shown is not None else 0
            self.show(order[(here + by) % len(order)])

    def say(self, typed: str) -> bool:
        """Enter was pressed. Returns whether what was typed is taken: else it stays to be edited,
        and `notice` says why."""
        self.notice = ""
        match words.understood(typed):
            case None:
                return True
            case words.Wrong(why):
                self.notice = why
                return False
            case Say(text):
                return self._say(text)
            case words.Help():
                self.notice = words.HELP
            case (words.Retry() | words.Drop()) as word:
                self._decide(word)
            case word:
                self._want(Do(word, None if self.shown is None else self.shown.id))
        return True

    def reply_to(self, message: int | None) -> None:
        """What is typed next answers this message; None: it answers nothing."""
        if self.shown is not None:
            found = None if message is None else self.shown.history.find(message)
            self.shown.reply_to = found

    def scrolled(self, *, at_top: bool, at_end: bool) -> None:
        """What is looked at: the oldest message that is held, the newest, both or neither."""
        room = self.shown
        if room is None:
            return
        room.at_end = at_end
        room.is_jumping = room.is_jumping and at_end
        if at_top and room.has_older:
            self._load(Load(room.id, "older", room.history.after + 1))
        if at_end and room.missing:
            self._load(Load(room.id, "newer", room.history.last))
        self._see(room)

    def jump(self) -> None:
        """Look at the channel's end."""
        room = self.shown
        if room is None:
            return
        room.at_end = room.is_jumping = True
        if room.is_far:
            # A page of the past is not waited for.
            room.loading = None
        self._see(room)

    def _say(self, text: str) -> bool:
        room = self.shown
        if room is None or room.ended is not None:
            self.notice = NOWHERE if room is None else f"{room.title}: {room.ended}"
            return False
        reply_to = None if room.reply_to is None else room.reply_to.id
        post = Post(self._new_id(), text, reply_to)
        room.posts[post.client_id] = post
        room.reply_to = None
        self._want(Send(room.id, post))
        self.jump()
        return True

    def _decide(self, word: Word) -> None:
        room = self.shown
        if room is None:
            return
        for post in [one for one in room.posts.values() if isinstance(one.fate, Failed)]:
            if isinstance(word, words.Drop):
                del room.posts[post.client_id]
                self._want(Forget(post.client_id))
            elif (again := room.became(post.client_id, Waiting())) is not None:
                self._want(Send(room.id, again))

    def _meet(self, room: Room, entries: Sequence[Entry]) -> None:
        """New entries are known: they tell names, and which posts of the person arrived."""
        for entry in entries:
            if isinstance(entry, Message):
                self.names.learn(entry)
                is_mine = self.me is not None and entry.sender == self.me.id
                room.settle(entry.client_id if is_mine else "")
        self._see(room)

    def _see(self, room: Room) -> None:
        """What is at the end of the channel that is shown was seen; what is near is loaded."""
        if room is not self.shown or not room.at_end:
            return
        room.is_jumping = room.is_jumping and room.missing > 0
        if room.is_jumping and room.is_far:
            self._load(Load(room.id, "latest"))
        elif room.missing and not room.is_far:
            self._load(Load(room.id, "newer", room.history.last))
        if room.mark():
            self._want(Keep(room.id, room.cursor))

    def _fill(self, room: Room) -> None:
        """A channel that is shown has a screenful, if there is one."""
        if room is self.shown and room.has_older and len(room.history) < SCREENFUL:
            self._load(Load(room.id, "older", room.history.after + 1))

    def _load(self, load: Load) -> None:
        """One page at a time: the next one depends on what this one brings."""
        room = self.rooms[load.channel]
        if room.loading is None and room.ended is None:
            room.loading = load
            self._want(load)
