"""Signing up, and proving who one is."""

from collections.abc import Callable, Sequence

from libs.runtime.clock import Clock
from libs.wire.codes import Refused, TryAgain
from libs.wire.records import Account, NameClaim
from libs.wire.topics import ACCOUNTS, NAMES

from ..ledger import Ledger
from ..metrics import SIGN_INS
from ..model import kept_handle
from ..passwords import Passwords
from ..store import Store


class Accounts:
    """Accounts and their passwords."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        passwords: Passwords,
        *,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._passwords = passwords
        self._clock = clock
        self._new_id = new_id

    async def sign_up(self, handle: str, password: str, display_name: str) -> Account:
        """A new account. Raises `Refused` (`handle_taken`).

        The account is written before the claim of its handle: whatever ends us in between leaves an
        account that nobody can reach, and never a handle that belongs to nobody."""
        handle = handle.lower()
        if await self._store.owner_of(handle) is not None:
            raise _taken(handle)
        account = Account(
            user=self._new_id(),
            handle=handle,
            display_name=display_name,
            password_hash=await self._passwords.hash(password),
            at_ms=self._clock.now_ms(),
        )
        claim = NameClaim(handle=handle, owner=account.user, owner_kind="user")
        written = await self._ledger.append(ACCOUNTS, account.user, account)
        claimed = await self._ledger.append(NAMES, handle, claim)
        await self._ledger.shown(claimed)
        if await self._store.owner_of(handle) != account.user:
            await self._ledger.append(ACCOUNTS, account.user, None)
            raise _taken(handle)
        await self._ledger.shown(written)
        return account

    async def prove(self, handle: str, password: str) -> Account:
        """The account of this handle and password. Raises `Refused` (`credentials_wrong`), with the
        same words after the same work whether the handle or the password is wrong, and `TryAgain`
        while the account of the handle does not show yet."""
        (owner,) = await self._store.users_of([handle.lower()])
        account = None if owner is None else await self._store.account(owner)
        if owner is not None and account is None:
            # It is written before its claim, so it is there; another instance reads its partition.
            raise TryAgain("rebuilding", "the account is being read from the log; try again soon")
        known = None if account is None else account.password_hash
        is_right = await self._passwords.verify(password, known)
        SIGN_INS.labels("right" if is_right else "wrong").inc()
        if account is None or not is_right:
            raise Refused("credentials_wrong", "no account has this handle and this password")
        return account

    async def users(self, handles: Sequence[str]) -> tuple[str | None, ...]:
        """Who is meant by each handle; None: nobody. Raises `TryAgain` while that is not known."""
        kept = [kept_handle(handle) for handle in handles]
        known = [handle for handle in dict.fromkeys(kept) if handle is not None]
        if not known:
            return (None,) * len(handles)
        users = dict(zip(known, await self._store.users_of(known), strict=True))
        return tuple(None if handle is None else users[handle] for handle in kept)

    async def of(self, user: str) -> Account:
        """A user's account. Raises `Refused` (`user_unknown`)."""
        account = await self._store.account(user)
        if account is None:
            raise Refused("user_unknown", "your account is gone")
        return account


def _taken(handle: str) -> Refused:
    return Refused("handle_taken", f"{handle} belongs to somebody else", field="handle")
