"""A bot that answers whoever mentions it, each once, also when it is killed in the middle.

    python answer_mentions.py http://localhost:8080 helper <channel id> <folder>

The folder keeps its session, so that it asks for its password once, and where it is. A mention that was answered and not ticked off when the
bot was killed comes again after its next start: the answer is posted again under the same name, the
cursor of the mention, and so it is written once (as long as the next start is within a day).
"""

import asyncio
import sys
from getpass import getpass
from pathlib import Path

from rostrum import Client, FileCursors, FileSessions, Message, Received, Refused


def answer_to(message: Message) -> str:
    """The same for the same mention: a post under the same name may not have another text."""
    return f"you said: {message.text}"


async def main(url: str, handle: str, channel: str, folder: Path) -> None:
    """Answer until it is ended."""
    async with Client(url, sessions=FileSessions(folder / "session.json")) as client:
        if not client.is_signed_in:
            await client.sign_in(handle, getpass(f"Password of {handle}: "))
        me = (await client.me()).id
        cursors = FileCursors(folder / "cursors.json")
        async with client.follow([channel], store=cursors) as follower:
            print("listens", flush=True)
            async for event in follower:
                match event:
                    case Received(entry=Message() as said) if me in said.mentions:
                        await answer(client, event, said)


async def answer(client: Client, event: Received, said: Message) -> None:
    """Post the answer, named after what it answers."""
    name = f"answer-{event.cursor}"
    try:
        await client.post(event.channel, answer_to(said), reply_to=said.id, client_id=name)
    except Refused as why:
        # Not allowed any more, or answered otherwise by an earlier version: go on with the next.
        print(f"message {said.id} is not answered: {why}", file=sys.stderr)


if __name__ == "__main__":
    *words, place = sys.argv[1:]
    asyncio.run(main(*words, folder=Path(place)))
