"""A chat that never was, in the form in which Telegram Desktop exports chats.

`result.json` beside this file holds `SHIPPED` messages of it; `python -m cli.importing.sample`
writes as many as are asked for. The same number gives the same bytes, on any machine.
"""

from pathlib import Path

SHIPPED = 1_200
RESULT = Path(__file__).parent / "result.json"
