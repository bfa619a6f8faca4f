"""Tokens of connections that outlive them."""

import asyncio

from rostrum.errors import SignedOut
from rostrum.following.patience import Patience
from rostrum.http import Http
from rostrum.ways.way import PASSING

# Not more often, however soon a token expires, and so long after one could not be had.
AGAIN_S = 1.0
# Of what a token that is good for less than three minutes holds, this is left when it is renewed.
PART = 1 / 3


def until_renewal_s(expires_in: float, patience: Patience) -> float:
    """How long a connection goes on with the token that it has."""
    return max(expires_in - min(patience.auth_before_s, expires_in * PART), AGAIN_S)


async def newer_token(http: Http, token: str) -> str:
    """Another one than `token`, as soon as it can be had. Waits for ever when there will be none:
    a gateway knows how long the present one is good for, and says so in the end."""
    while True:
        try:
            return await http.token(newer_than=token)
        except PASSING:
            await asyncio.sleep(AGAIN_S)
        except SignedOut:
            await asyncio.Future()
