"""The people of the chat and what they talk about: an allotment garden beside a harbour."""

from typing import NamedTuple

CHAT = "Harbour Allotments"


class Person(NamedTuple):
    """`name` is None for somebody whose account was deleted."""

    ident: str
    name: str | None


PEOPLE = (
    Person("user5100001", "Mira Okafor"),
    Person("user5100002", "Jonas Lindqvist"),
    Person("user5100003", "ليلى الحداد"),
    Person("user5100004", "נועם ברקאי"),
    Person("user5100005", "Zoë Ångström-Fuß"),
    Person("user5100006", "春野 みなと"),
    Person("user5100007", "Дарья Ветрова"),
    Person("user5100008", "अनिका जोगी"),
    Person("user5100009", "🌊 Tide Bell"),
    Person("user5100010", None),
    Person("channel5100011", "Harbour News"),
)
NAMED = tuple(person for person in PEOPLE if person.name)

SUBJECTS = (
    "the bean row", "the shed", "our compost", "the water butt", "plot nine", "the old ferry",
    "the gate key", "the apple tree", "the seed swap", "the greenhouse", "the wheelbarrow",
)  # fmt: skip
VERBS = (
    "needs a new roof", "smells of rain", "is open again", "looks better than last year",
    "was painted green", "has gone missing", "leans to the left", "waits for volunteers",
    "is full of snails", "survived the storm", "costs less than we thought",
)  # fmt: skip
TIMES = ("since Tuesday", "this morning", "after the flood", "before low tide", "again", "at last")
OTHERS = (
    "Who has the ladder?",
    "ok",
    "👍",
    "Thank you all! 🎉🎉🎉",
    "See you at six.\nBring gloves, please.",
    "A family of ducks 👨‍👩‍👧‍👦 walked through plot four 🏳️‍🌈 today",
    "Waving back 👋🏽 from the ferry 🇸🇪",
    "صباح الخير، من سيسقي الطماطم اليوم؟",
    "הבאתי זרעים של ריחן, מי רוצה?",
    "Both at once: the sign says مرحبا and שלום and hello",
    "明日の朝、水門のそばで会いましょう。",
    "Кто видел мою лейку?",
    "आज बारिश होगी क्या?",
    "Zo\u0308e wrote her name with a combining mark: Zoe\u0308, A\u030angstro\u0308m",
    "Tabs\tand\u00a0odd\u2003spaces \u200b and a line\u2028separator",
    'a backslash \\ and "quotes" and <b>no markup</b> & an ampersand',
    "  spaces before and after  ",
    "1.\n\n2.\n\n\n3.",
    "\N{MATHEMATICAL SCRIPT CAPITAL D}ear gardeners, the \U0001d7dbrd row is ready",
)
WALL = "潮の満ち引きを待つ間に庭の土を返し、種を数え、古い扉を青く塗り直した。"
