"""Access tokens signed with the deployment's own key, for users that load is made of."""

from collections.abc import Iterator
from typing import NamedTuple

from cli import show
from cli.address import Where
from cli.show import Trouble
from libs.runtime.clock import SystemClock
from libs.runtime.keys import SECRET_FILE, Keys
from libs.runtime.secrets import SecretMissing, Secrets, entropy
from libs.runtime.settings import variable
from libs.wire import ids

WARNING = (
    "WARNING: whoever has these tokens is these users until they expire, and whoever has the key\n"
    f"({SECRET_FILE}) can sign in as anybody. Keep both off shared machines, tickets and logs."
)


class Signed(NamedTuple):
    """A token and whose it is; `expires_at` is in seconds since 1970."""

    user: str
    session: str
    token: str
    expires_at: int


class Signatory:
    """Signs with the key in the deployment's secrets. Raises `Trouble` when there is none."""

    def __init__(self, where: Where) -> None:
        self._keys = keys_of(where)
        self._clock = SystemClock()

    @property
    def key_id(self) -> str:
        """The id of the key that signs, which gateways of the same deployment publish."""
        return self._keys.public()[0]["kid"]

    def sign(self, user: str, ttl_s: int, *, session: str | None = None) -> Signed:
        """A token, of a session of before or a new one, which no sign-out ends: nobody knows it."""
        now_ms = self._clock.now_ms()
        now_s = now_ms // 1000
        if session is None:
            session = ids.fresh(now_ms, entropy(ids.ENTROPY_BYTES))
        token = self._keys.access_token(user, session, now_s=now_s, life_s=ttl_s)
        return Signed(user, session, token, now_s + ttl_s)


def keys_of(where: Where) -> Keys:
    """The keys of the deployment. Raises `Trouble`."""
    secrets = Secrets(where.secrets, may_make=False)
    try:
        return Keys(secrets.get(SECRET_FILE, _never))
    except SecretMissing as fault:
        raise Trouble(
            f"{fault}; run this where the deployment's secrets are, or name their folder's parent "
            f"with --data or {variable('', 'data')}"
        ) from fault
    except (OSError, ValueError) as fault:
        raise Trouble(f"{where.secrets / SECRET_FILE} cannot be used: {fault}") from fault


def users(prefix: str, count: int) -> Iterator[str]:
    """The ids of users: the same for the same prefix, and no account has one of them."""
    return (ids.derived("load", prefix, str(number)) for number in range(count))


def warn() -> None:
    """Say loudly what a key is worth."""
    show.warn(WARNING)


def _never() -> bytes:
    raise AssertionError("secrets that may not be made are not")
