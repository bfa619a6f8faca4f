"""Clients that poll: one channel a request, or many."""

from harness.listeners import Listener, http_client

WAIT_S = 20


class LongPoll(Listener):
    """`GET /v1/channels/{channel}/poll`, of one channel."""

    way = "long-poll"

    async def connected(self, gateway: str) -> None:
        async with http_client(gateway, self.headers) as http:
            while self.notes.is_open:
                await self.awake.wait()
                ((channel, cursor),) = self.notes.cursors.items()
                query = {"after": cursor, "wait": str(WAIT_S)}
                reply = await http.get(f"/v1/channels/{channel}/poll", params=query)
                answer = self.read(reply, channel)
                await self.answered(http, answer)
                await self.pause(answer["poll_after_ms"] / 1000)


class PollMany(Listener):
    """`POST /v1/poll`, of all channels."""

    way = "poll of many"

    async def connected(self, gateway: str) -> None:
        async with http_client(gateway, self.headers) as http:
            while self.notes.is_open:
                await self.awake.wait()
                body = {"cursors": self.notes.cursors, "wait": WAIT_S}
                told = self.read(await http.post("/v1/poll", json=body))
                # What tells to go elsewhere comes last: the others' entries count.
                for answer in sorted(told["channels"], key=lambda each: "drain" in each):
                    await self.answered(http, answer)
                await self.pause(told["poll_after_ms"] / 1000)
