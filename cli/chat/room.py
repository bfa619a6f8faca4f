"""A channel as the chat knows it: what is held of it, what was read, what waits to be sent."""

from dataclasses import dataclass, field, replace

from cli.chat.history import Entry, History
from cli.chat.posts import Fate, Post, Written
from cli.chat.wants import Load
from rostrum import Cursor, Message, Page

# Of a channel that is not shown: a screen or two, so that showing it needs no page.
KEPT_UNSHOWN = 100
# As many as a page has: what is missing at the end is loaded; more is jumped over when asked for.
NEAR = 100


@dataclass
class Room:
    """`head` is the channel's last id, `first` the lowest that it keeps, `read` the last one that
    the person saw. `at_end`: they look at the newest message that is held; `is_jumping`: and want
    the channel's end there. `ended` says why the channel is followed no more."""

    id: str
    title: str
    epoch: int
    head: int
    read: int
    first: int = 1
    history: History = field(init=False)
    posts: dict[str, Post] = field(default_factory=dict)
    draft: str = ""
    reply_to: Message | None = None
    at_end: bool = True
    is_jumping: bool = False
    loading: Load | None = None
    ended: str | None = None

    def __post_init__(self) -> None:
        self.history = History(self.read)

    @property
    def cursor(self) -> Cursor:
        """Where the person is: a restart goes on from here."""
        return Cursor(self.epoch, self.read)

    @property
    def unread(self) -> int:
        """How many entries came that the person did not see."""
        return max(self.head - self.read, 0)

    @property
    def missing(self) -> int:
        """How many entries there are after those that are held."""
        return max(self.head - self.history.last, 0)

    @property
    def is_far(self) -> bool:
        """Whether the end is a jump away, and not only a page."""
        return self.missing > NEAR

    @property
    def has_older(self) -> bool:
        """Whether the channel keeps entries before those that are held."""
        return self.history.after >= self.first

    def take(self, entry: Entry, head: int, *, is_shown: bool) -> None:
        """An entry came. While somebody reads older messages, what they read is not pushed out."""
        self.head = max(self.head, head, entry.id)
        is_read_further_up = is_shown and not self.at_end
        if not (is_read_further_up and self.history.is_full):
            self.history.append([entry])
        if not is_shown:
            self.history.trim(KEPT_UNSHOWN)

    def jump(self, epoch: int, head: int, first: int) -> None:
        """There is more than is sent: what is held stays, and the end is a jump away."""
        if epoch != self.epoch:
            self.begin(epoch, head, first)
        self.head, self.first = head, first

    def begin(self, epoch: int, head: int, first: int) -> None:
        """The channel's ids began anew: what is known of the old ones means nothing."""
        self.epoch, self.head, self.first, self.read = epoch, head, first, head
        self.history.begin((), head)
        self.loading, self.reply_to = None, None
        self.at_end, self.is_jumping = True, False

    def put(self, load: Load, page: Page) -> None:
        """A page came. One that fits no more, since what is held has changed meanwhile, is nothing
        but late."""
        cursor = Cursor.of(page.cursor)
        if cursor.epoch != self.epoch:
            return
        self.head, self.first = max(self.head, page.head), page.first
        if load.kind == "latest":
            self.history.begin(page.entries, cursor.id)
        elif load.kind == "older":
            self.history.prepend(page.entries)
            self.first = page.first if page.entries else self.history.after + 1
        elif page.entries and page.entries[0].id > self.history.last + 1:
            # What was between is kept no more.
            self.history.begin(page.entries, cursor.id)
        else:
            self.history.append(page.entries)

    def mark(self) -> bool:
        """What is held was seen to its end. Returns whether that is news."""
        news = self.history.last > self.read
        self.read = max(self.read, self.history.last)
        return news

    def leave(self) -> None:
        """Another channel is shown. What ends somewhere in the past is let go: whoever returns
        begins where they are, with what is older or newer around it."""
        self.at_end, self.is_jumping = True, False
        if self.missing:
            self.history.begin((), self.read)
        self.history.trim(KEPT_UNSHOWN)

    def became(self, client_id: str, fate: Fate) -> Post | None:
        """The post, now of this fate; None when it is not waited for any more."""
        post = self.posts.get(client_id)
        if post is not None:
            post = self.posts[client_id] = replace(post, fate=fate)
            self.settle()
        return self.posts.get(client_id)

    def settle(self, came: str = "") -> None:
        """The person's post `came` is in the channel, and so is what was written up to its end."""
        self.posts.pop(came, None)
        for post in list(self.posts.values()):
            if isinstance(post.fate, Written) and post.fate.id <= self.history.last:
                del self.posts[post.client_id]
