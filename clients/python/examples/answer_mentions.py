"""A bot that answers whoever mentions it, each once, also when it is killed in the middle.

    python answer_mentions.py http://localhost:8080 helper <channel id> <folder>

The folder keeps its session, so that it asks for a password once, and where it is in the channel. A
mention that was answered and not ticked off when the bot was killed comes again after its next
start. Then the answer is posted again under the same name, which is made of the mention's cursor,
and so it is written once (if that next start is within a day). What is more than 1,000 messages ago
then is not answered.
"""

import asyncio
import sys
from getpass import getpass
from pathlib import Path

from rostrum import Client, Entry, FileCursors, FileSessions, Message, Received, Refused


def answer_to(message: Message) -> str:
    """The same for the same mention: a post under the same name may not have another text."""
    return f"you said: {message.text}"


async def main(url: str, handle: str, channel: str, folder: Path) -> None:
    """Answer until it is ended."""
    async with Client(url, sessions=FileSessions(folder / "session.json")) as client:
        if not client.is_signed_in:
            await client.sign_in(handle, getpass(f"Password of {handle}: "))
        cursors = FileCursors(folder / "cursors.json")
        if channel not in cursors.load():
            # It answers from its first start on, also what is said before the second.
            cursors.save(channel, (await client.channel(channel)).cursor)
        await listen(client, channel, cursors)


async def listen(client: Client, channel: str, cursors: FileCursors) -> None:
    """Answer whoever mentions the bot."""
    me = (await client.me()).id
    async with client.follow([channel], store=cursors) as follower:
        print("listens", flush=True)
        async for event in follower:
            if isinstance(event, Received) and is_for(me, event.entry):
                await answer(client, event)


def is_for(me: str, entry: Entry) -> bool:
    """Whether somebody else mentions the bot. Its own answers may name it too: answering those
    would never end."""
    return isinstance(entry, Message) and me in entry.mentions and entry.sender != me


async def answer(client: Client, event: Received) -> None:
    """Post the answer, named after what it answers."""
    said, name = event.entry, f"answer-{event.cursor}"
    assert isinstance(said, Message)
    try:
        # For all that we know an earlier run has sent it.
        await client.post(
            event.channel, answer_to(said), reply_to=said.id, client_id=name, was_sent=True
        )
    except Refused as why:
        # Not allowed any more, or answered otherwise by an earlier version: go on with the next.
        print(f"message {said.id} is not answered: {why}", file=sys.stderr)


if __name__ == "__main__":
    gateway, name, place, home = sys.argv[1:]
    asyncio.run(main(gateway, name, place, Path(home)))
