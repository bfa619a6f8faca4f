"""Plays scenarios to a client in any language, which talks to this program by lines of JSON.

`python -m conformance` lists what can be played, one line each: scenario, ways, form. With these as
arguments it plays one. It says what the client is asked for:

    {"urls": [...], "session": {...}, "cursors": {...}, "ways": [...], "bounds": {...}}

`session` is as a gateway answers a sign-in. The client says what it tells its user,

    {"channel": "...", "received": 5, "type": "message"}
    {"channel": "...", "jumped": "1-5000"}      or reset, ended (see docs/conformance.json)

is told `{"done": true}` when all was told and played, closes if it has not ended by itself, and
says how it ended, as in `ends` of the scenario: `{"ends": {}}`. The last line is the verdict,
`{"verdict": "ok"}` or what was wrong, and so is the exit code.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from conformance.scenarios import Run, Scenario, scenarios
from conformance.stage import Stage, Told, Wrong, staged

LINE_BYTES_MAX = 1 << 20


async def played(scenario: Scenario, run: Run, lines: asyncio.StreamReader) -> str:
    """The verdict."""
    told = Told()
    async with staged(scenario, run) as stage:
        say(order_of(stage))
        hearing = asyncio.ensure_future(heard(lines, told))
        try:
            await stage.done(told)
            say({"done": True})
            ends = await hearing
            await stage.left(told)
        except (Wrong, AssertionError) as fault:
            return str(fault)
        finally:
            hearing.cancel()
            await asyncio.wait({hearing})
    return "ok" if ends == dict(scenario.ends) else f"it ended with {ends}, not {scenario.ends}"


def order_of(stage: Stage) -> dict[str, Any]:
    """What the client is asked for."""
    return {
        "urls": stage.urls,
        "session": stage.session(),
        "cursors": stage.cursors,
        "ways": list(stage.run.ways),
        "bounds": dict(stage.scenario.bounds),
    }


async def heard(lines: asyncio.StreamReader, told: Told) -> Mapping[str, str]:
    """What the client tells its user, until it says how it ended."""
    while line := await lines.readline():
        said = json.loads(line)
        if "ends" in said:
            ends: Mapping[str, str] = said["ends"]
            return ends
        channel = said.pop("channel")
        if "received" in said:
            told.received(channel, said["received"], said["type"])
        else:
            told.said(channel, said)
    raise AssertionError("the client went away without a word how it ended")


def say(what: Mapping[str, Any]) -> None:
    """One line."""
    print(json.dumps(what), flush=True)


async def stdin() -> asyncio.StreamReader:
    """Lines of the client."""
    reader = asyncio.StreamReader(LINE_BYTES_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main(arguments: list[str]) -> int:
    """See above."""
    runs: dict[tuple[str, ...], tuple[Scenario, Run]] = {
        (each.name, "+".join(run.ways), run.form): (each, run)
        for each in scenarios().values()
        for run in each.runs
    }
    if not arguments:
        print("\n".join("\t".join(row) for row in runs))
        return 0
    chosen = runs.get(tuple(arguments))
    if chosen is None:
        print(f"no such scenario: {arguments}; without arguments all are listed", file=sys.stderr)
        return 2
    verdict = await played(*chosen, await stdin())
    say({"verdict": verdict})
    return int(verdict != "ok")


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
