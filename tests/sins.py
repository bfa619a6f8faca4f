"""Sins for the laws: what is planted, where, and what the law has to say about it."""

from typing import NamedTuple


class Sin(NamedTuple):
    """A file with one sin. `line` is where, `says` a part of the message."""

    law: str
    path: str
    text: str
    line: int
    says: str


UNFINISHED = "TO" + "DO"
SILENCED = "no" + "qa"

IMPORTS = (
    Sin("imports", "libs/wire/ids.py", "import re\nimport libs.log.port\n", 2, "libs.log.port"),
    Sin("imports", "libs/log/port.py", "from libs import runtime\n", 1, "libs.runtime"),
    Sin("imports", "libs/log/port.py", "from . import sqlite\n", 1, "full name"),
    Sin("imports", "libs/runtime/http.py", "\nimport services.chat.model\n", 2, "services.chat"),
    Sin("imports", "services/chat/app.py", "from services.chat import model\n", 1, "relative"),
    Sin("imports", "services/chat/app.py", "from ..relay import rings\n", 1, "services.relay"),
    Sin("imports", "services/chat/app.py", "from ..catalog import load\n", 1, "own service"),
    Sin("imports", "services/chat/app.py", "from libs.testing import wait\n", 1, "for tests only"),
    Sin("imports", "services/chat/app.py", "def f():\n    import libs.testing\n", 2, "tests only"),
    Sin(
        "imports",
        "services/chat/app.py",
        "import importlib\nimportlib.import_module('x')\n",
        2,
        "computed name",
    ),
    Sin(
        "imports",
        "cli/show.py",
        "from pkgutil import resolve_name\nresolve_name('x:y')\n",
        2,
        "computed name",
    ),
    Sin("imports", "cli/show.py", "import services.chat.model\n", 1, "services.chat.model"),
    Sin("imports", "integration-tests/test_x.py", "import services.chat.model\n", 1, "the catalog"),
    Sin("imports", "libs/runtime/web.py", "import deploy.local.up\n", 1, "imports deploy.local.up"),
    Sin("imports", "deploy/kafka/node.py", "import libs.log.port\n", 1, "libs.log.port"),
    Sin("imports", "bench/messages.py", "import services.chat.model\n", 1, "services.chat"),
    Sin("imports", "libs/wire/ids.py", "import bench.ways\n", 1, "bench.ways"),
    Sin("imports", "deploy/local/up.py", "from services.chat import app\n", 1, "services.chat"),
)

DOORS = (
    Sin("doors", "services/chat/store.py", "import redis.asyncio\n", 1, "libs/store/"),
    Sin("doors", "services/chat/store.py", "def f():\n    from redis import Redis\n", 2, "redis"),
    Sin("doors", "libs/log/sqlite.py", "import httpx\n", 1, "libs/runtime/"),
    Sin("doors", "libs/runtime/http.py", "import prometheus_client\n", 1, "metrics.py"),
    Sin("doors", "bench/report.py", "import matplotlib as mpl\n", 1, "bench/plots.py"),
    Sin("doors", "bench/run.py", "import confluent_kafka\n", 1, "bench/floors/producer.py"),
    Sin("doors", "libs/wire/ids.py", "import numpy\n", 1, "has no door"),
    Sin("doors", "libs/wire/ids.py", "import msgspec\n", 1, "libs/wire/codec.py"),
    Sin("doors", "libs/log/port.py", "import signal\n", 1, "libs/runtime/process.py"),
    Sin("doors", "libs/log/port.py", "import os\nx = os.environ['A']\n", 2, "os.environ"),
    Sin("doors", "libs/log/port.py", "from os import getenv as e\nx = e('A')\n", 2, "os.getenv"),
    Sin("doors", "libs/log/port.py", "import time\nx = time.time()\n", 2, "time.time"),
    Sin("doors", "libs/log/port.py", "import time as t\nx = t.time_ns()\n", 2, "time.time_ns"),
    Sin(
        "doors",
        "libs/log/port.py",
        "from datetime import UTC, datetime\nx = datetime.now(UTC)\n",
        2,
        "datetime.datetime.now",
    ),
    Sin(
        "doors",
        "services/relay/app.py",
        "import asyncio\nasyncio.create_task(f())\n",
        2,
        "asyncio.create_task",
    ),
    Sin("doors", "services/relay/app.py", "self._loop.create_task(f())\n", 1, "create_task"),
    Sin(
        "doors", "services/relay/app.py", "get_running_loop().create_task(f())\n", 1, "create_task"
    ),
    Sin("doors", "services/relay/app.py", "\nloop.add_signal_handler(2, f)\n", 2, "signal_handler"),
)

PURITY = (
    Sin("purity", "services/chat/model.py", "async def f():\n    return 1\n", 1, "waits"),
    Sin("purity", "services/chat/model.py", "import time\n", 1, "no clock"),
    Sin("purity", "services/chat/model.py", "from libs.log.port import Log\n", 1, "libs.log"),
    Sin("purity", "services/chat/model.py", "\nx = open('y')\n", 2, "does I/O"),
    Sin("purity", "services/chat/handlers.py", "from fastapi import Request\n", 1, "fastapi"),
    Sin("purity", "services/chat/handlers.py", "import libs.log.sqlite\n", 1, "libs.log.sqlite"),
    Sin(
        "purity",
        "services/chat/handlers.py",
        "if TYPE_CHECKING:\n    from redis.asyncio import Redis\n",
        2,
        "redis",
    ),
)

ROW = "    x = 1\n"
DEEP = """
def deep(rows):
    for row in rows:
        if row:
            while row:
                with row:
                    row()
"""
BUDGETS = (
    Sin("budgets", "libs/wire/ids.py", "x = 1\n" * 401, 401, "401 lines of 400"),
    Sin("budgets", "bench/client/a.c", "int x;\n" * 401, 401, "401 lines of 400"),
    Sin("budgets", "bench/client/a.h", f"/* {'y' * 100} */\n", 1, "columns of 100"),
    Sin("budgets", "libs/wire/tests/test_a.py", f"x = '{'y' * 100}'\n", 1, "columns of 100"),
    Sin("budgets", "libs/a.py", "\ndef long():\n" + ROW * 71, 2, "71 lines of 70"),
    Sin(
        "budgets", "libs/a.py", "class A:\n    def f(self, a, b, c, d, e): ...\n", 2, "5 positional"
    ),
    Sin("budgets", "libs/a.py", DEEP, 2, "nests 4 deep"),
    Sin("budgets", "libs/a.py", "x = 1\n" * 121, 1, "than 120"),
    Sin("budgets", "libs/a.py", "def half():\n" + ROW * 7, 1, "than 6"),
    Sin("budgets", "libs/a.py", "def tenth():\n" + ROW * 26, 1, "than 25"),
)

NAMES = (
    Sin("names", "libs/utils.py", "", 1, "utils.py"),
    Sin("names", "libs/common/log.py", "", 1, "common"),
    Sin("names", "services/chat/handlers.py", "\nclass PostManager: ...\n", 2, "PostManager"),
    Sin("names", "services/chat/handlers.py", "\n\ndef info(): ...\n", 3, "info"),
)

LEFTOVERS = (
    Sin("leftovers", "docs/a.md", "\nsee /" + "root/notes\n", 2, "one machine"),
    Sin("leftovers", "docs/a.md", "see `/" + "work/main`\n", 1, "one machine"),
    Sin("leftovers", "Makefile", "D = /" + "home/someone/var\n", 1, "one machine"),
    Sin("leftovers", "docs/a.md", "from .." + "/shared/x\n", 1, "stands alone"),
    Sin("leftovers", "docs/a.md", "at https://files.python" + "hosted.org/\n", 1, "registry"),
    Sin("leftovers", "libs/a.py", f"x = 1\ny = 2  # {UNFINISHED}: more\n", 2, "unfinished"),
    Sin("leftovers", "libs/a.py", "x = f()  # type: " + "ignore\n", 1, "which error"),
    Sin("leftovers", "libs/a.py", f"import x  # {SILENCED}\n", 1, "without its code"),
    Sin("leftovers", "a.lock", "# made\n--index-url x\n", 2, "make lock"),
    Sin("leftovers", "a.lock", "x==1 \\\n    --hash=sha256:0\ny==2\n", 3, "no hash"),
)

ONCE = (
    Sin("once", "services/chat/app.py", "x = 'channel-directory'\n", 1, "channel-directory"),
    Sin("once", "services/chat/app.py", "\nx = f'channel-log-{n:03d}'\n", 2, "channel-log-"),
    Sin("once", "libs/log/a.py", "p = Partition('signals', 0)\n", 1, "signals"),
    Sin("once", "libs/log/a.py", "x = p.topic == 'members'\n", 1, "members"),
    Sin("once", "libs/log/a.py", "f(topics=['names'])\n", 1, "names"),
    Sin("once", "libs/log/a.py", "x = 'ROSTRUM_" + "PORT'\n", 1, "libs/runtime/settings.py"),
    Sin("once", "libs/log/a.py", "x = 'group-membership'\n", 1, "libs/wire/services.py"),
)

READMES = (
    Sin("readmes", "README.md", "x\n" * 151, 151, "151 lines of 150"),
    Sin("readmes", "services/chat/README.md", "# chat\n## Owns\n## Limits\n", 2, "in this order"),
)

TESTS_RUN = (
    Sin(
        "tests_run",
        "tests/test_a.py",
        "import pytest\n@pytest.mark.skip\ndef test_a(): ...\n",
        2,
        "without a reason",
    ),
    Sin("tests_run", "tests/test_a.py", "import pytest\npytest.skip()\n", 2, "without a reason"),
    Sin(
        "tests_run",
        "libs/wire/tests/test_a.py",
        "import asyncio\nasync def test_a():\n    await asyncio.sleep(0.1)\n",
        3,
        "sleeps",
    ),
    Sin("tests_run", "services/chat/model.py", "", 1, "services.chat.model"),
)

CODES_TOP = '''"""Drawn.

    Problem
    ├── Refused          retry: no        it is wrong
    │     404 route_unknown
    └── TryAgain         retry: yes       wait
          {drawn}
"""
CODES = {{
    **_rows("no", (404, "route_unknown", "No route")),
    **_rows("yes", (503, "draining", "Going away")),{more}
}}
'''
TABLE = "libs/wire/codes.py"
GOOD_TABLE = CODES_TOP.format(drawn="503 draining", more="")
DOUBLE = CODES_TOP.format(drawn="503 draining", more='\n    **_rows("yes", (503, "draining", "")),')

FROM_CODES = "from libs.wire.codes import Refused, problem\n"
CODES = (
    Sin("codes", TABLE, DOUBLE, 12, "draining has a row already"),
    Sin("codes", TABLE, CODES_TOP.format(drawn="507 draining", more=""), 11, "not drawn"),
    Sin("codes", TABLE, CODES_TOP.format(drawn="503 draining lost", more=""), 1, "503 lost"),
    Sin("codes", TABLE, GOOD_TABLE, 11, "draining is used nowhere"),
    Sin("codes", "libs/a.py", FROM_CODES + "raise Refused('lost', 'x')\n", 2, "'lost' is no code"),
    Sin("codes", "libs/a.py", FROM_CODES + "raise Refused('draining', '')\n", 2, "code of Refused"),
    Sin("codes", "libs/a.py", FROM_CODES + "problem('lost', '')\n", 2, "'lost' is no code"),
    Sin(
        "codes",
        "libs/a.py",
        "from libs.wire import codes as c\nraise c.TryAgain('route_unknown', '')\n",
        2,
        "retry is no",
    ),
)

SINS = (
    *IMPORTS,
    *DOORS,
    *PURITY,
    *BUDGETS,
    *NAMES,
    *LEFTOVERS,
    *ONCE,
    *READMES,
    *TESTS_RUN,
    *CODES,
)
