"""HTTP in: the public routes of accounts and sessions."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.runtime.calls import PROBLEM_TYPE
from libs.runtime.keys import Keys
from libs.runtime.web import Asker, FromService, packed, unpacked
from libs.wire import api
from libs.wire.api import HandlesAnswer, HandlesQuestion
from libs.wire.codes import CODES, Refused
from libs.wire.entries import rfc3339
from libs.wire.records import Account, SessionState

from .handlers.accounts import Accounts
from .handlers.sessions import Device, Pair, Sessions
from .model import (
    DEVICE_KIND_CHARS_MAX,
    HANDLE_CHARS_MAX,
    HANDLE_PATTERN,
    NAME_CHARS_MAX,
    PASSWORD_CHARS_MAX,
    PASSWORD_CHARS_MIN,
    REFRESH_CHARS_MAX,
)

WRITING = ("not_written", "outcome_unknown")
READING = ("rebuilding", "service_away")


class Wanted(BaseModel):
    """A body: what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class SignUp(Wanted):
    """A new account."""

    handle: Annotated[str, Field(pattern=HANDLE_PATTERN, description="Kept in lower case")]
    password: Annotated[str, Field(min_length=PASSWORD_CHARS_MIN, max_length=PASSWORD_CHARS_MAX)]
    display_name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]


class DeviceShape(Wanted):
    """The device that signs in."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
    kind: Annotated[str, Field(min_length=1, max_length=DEVICE_KIND_CHARS_MAX)]


class SignIn(Wanted):
    """Proof of who one is, and on what device."""

    handle: Annotated[str, Field(max_length=HANDLE_CHARS_MAX)]
    password: Annotated[str, Field(max_length=PASSWORD_CHARS_MAX)]
    device: DeviceShape


class RefreshWanted(Wanted):
    """The refresh token that the last sign-in or refresh gave."""

    refresh_token: Annotated[str, Field(max_length=REFRESH_CHARS_MAX)]


class AccountShape(BaseModel):
    """A person."""

    id: str
    handle: str
    display_name: str


class SignedIn(BaseModel):
    """Both tokens of a session."""

    session_id: str
    access_token: str = Field(description="Bearer token of all other routes: a JWT")
    refresh_token: str = Field(description="Opaque; counts once, and once more within 10 s")
    expires_in: int = Field(description="Seconds that the access token is good for")
    user: AccountShape


class SessionShape(BaseModel):
    """A signed-in device."""

    id: str
    device: DeviceShape
    created_at: str = Field(description="RFC 3339, UTC")
    current: bool = Field(description="The session that asks")


class SessionPage(BaseModel):
    """All sessions, newest first: there are never more than a page."""

    items: list[SessionShape]
    next: None = None


class KeySet(BaseModel):
    """Public keys of access tokens (RFC 7517)."""

    keys: list[dict[str, str]]


def session_routes(accounts: Accounts, sessions: Sessions, keys: Keys) -> APIRouter:
    """The router. Open routes are called by the gateway for nobody in particular."""
    router = APIRouter()

    @router.post("/v1/accounts", status_code=201, responses=_says("handle_taken", *WRITING))
    async def sign_up(wanted: SignUp, _: FromService) -> AccountShape:
        made = await accounts.sign_up(wanted.handle, wanted.password, wanted.display_name)
        return _account(made)

    @router.post("/v1/sessions", status_code=201, responses=_says("credentials_wrong", *WRITING))
    async def sign_in(wanted: SignIn, _: FromService) -> SignedIn:
        account = await accounts.prove(wanted.handle, wanted.password)
        device = Device(wanted.device.name, wanted.device.kind)
        return _signed_in(await sessions.begin(account, device))

    @router.post("/v1/sessions/refresh", responses=_says("refresh_invalid", *WRITING))
    async def refresh(wanted: RefreshWanted, _: FromService) -> SignedIn:
        return _signed_in(await sessions.refresh(wanted.refresh_token))

    @router.get("/v1/sessions", responses=_says("token_invalid"))
    async def listed(asker: Asker) -> SessionPage:
        found = await sessions.of(asker.user)
        return SessionPage(items=[_session(state, asker.session) for state in found])

    @router.delete("/v1/sessions", status_code=204, responses=_says("token_invalid", *WRITING))
    async def end_others(asker: Asker) -> None:
        await sessions.end_others(asker.user, asker.session)

    @router.delete(
        "/v1/sessions/{session}",
        status_code=204,
        responses=_says("token_invalid", "session_unknown", *WRITING),
    )
    async def end(session: str, asker: Asker) -> None:
        await sessions.end(asker.user, session)

    @router.get("/v1/me", responses=_says("token_invalid", "user_unknown"))
    async def me(asker: Asker) -> AccountShape:
        return _account(await accounts.of(asker.user))

    @router.get("/v1/keys")
    async def published(_: FromService) -> KeySet:
        return KeySet(keys=[dict(key) for key in keys.public()])

    @router.post(api.HANDLES, include_in_schema=False)
    async def handles(request: Request, _: FromService) -> Response:
        asked = (await unpacked(request, HandlesQuestion)).handles
        if len(asked) > api.HANDLES_MAX:
            raise Refused("field_invalid", f"ask for at most {api.HANDLES_MAX}", field="handles")
        return packed(HandlesAnswer(await accounts.users(asked)))

    return router


def _says(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The problems of a route for the document, by status."""
    return {
        status: {"description": ", ".join(names), "content": {PROBLEM_TYPE: {}}}
        for status, names in _by_status((*codes, "field_invalid", "limit_hit", *READING)).items()
    }


def _by_status(codes: Iterable[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for code in codes:
        found.setdefault(CODES[code].status, []).append(code)
    return found


def _account(account: Account) -> AccountShape:
    return AccountShape(id=account.user, handle=account.handle, display_name=account.display_name)


def _signed_in(pair: Pair) -> SignedIn:
    return SignedIn(
        session_id=pair.session,
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in,
        user=_account(pair.account),
    )


def _session(state: SessionState, current: str) -> SessionShape:
    return SessionShape(
        id=state.session,
        device=DeviceShape(name=state.device_name, kind=state.device_kind),
        created_at=rfc3339(state.created_ms),
        current=state.session == current,
    )
