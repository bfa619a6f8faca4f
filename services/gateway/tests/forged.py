"""Tokens that are none: each row makes one, out of what an attacker or a faulty signer has."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from libs.runtime.identity import Identity, Signer
from libs.wire.tokens import ALGORITHM, AUDIENCE, ISSUER, LIFE_S_MAX, TYP
from services.gateway.tests.fakes import FakeSession, ident

Maker = Callable[[FakeSession], str]

HEADERS = {"typ": TYP, "kid": "k1"}
OURS = {"alg": ALGORITHM, **HEADERS}
SURROGATE = "\ud800"
DEPLOYMENT = Signer(bytes(32))
DAY_S = 86_400


def part(value: object) -> str:
    """A part of a token: bytes as they are, anything else as JSON."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def signed(
    session: FakeSession,
    header: object = OURS,
    claims: object = None,
    *,
    key: Ed25519PrivateKey | None = None,
) -> str:
    """What our own key signs, whatever it says."""
    body = f"{part(header)}.{part(session.claims('ann') if claims is None else claims)}"
    return f"{body}.{part((key or session.keys['k1']).sign(body.encode()))}"


def headed(**more: object) -> Maker:
    """Signed by our key, with a header that says something else; None takes a member away."""
    said = {name: value for name, value in {**OURS, **more}.items() if value is not None}
    return lambda session: signed(session, said)


def saying(**changes: object) -> Maker:
    """Signed by our key, with other claims; None takes a claim away."""
    return lambda session: signed(session, OURS, session.claims("ann", **changes))


def when(claim: str, seconds: float) -> Maker:
    """Signed by our key, with a time that is so far from now."""
    return lambda session: signed(
        session, OURS, session.claims("ann", **{claim: session.claims("ann")["iat"] + seconds})
    )


def raw(header: object, claims: object) -> Maker:
    """Signed by our key over bytes that are no token."""
    return lambda session: signed(session, header, claims)


def text(token: str) -> Maker:
    """The same text each time."""
    return lambda _: token


def _claimed(session: FakeSession, claim: str, literal: str) -> str:
    """Claims of which one is written as no library would write it."""
    said = json.dumps(session.claims("ann", **{claim: None}))
    return f'{said[:-1]}, "{claim}": {literal}}}'


def literally(claim: str, literal: str) -> Maker:
    return lambda session: signed(session, OURS, _claimed(session, claim, literal).encode())


def _public(session: FakeSession, encoding: Encoding, form: PublicFormat) -> bytes:
    return session.keys["k1"].public_key().public_bytes(encoding, form)


def _by_public_key(session: FakeSession, *, pem: bool) -> str:
    """HMAC with what everybody may read, for a server that lets the token choose the algorithm."""
    header = {**OURS, "alg": "HS256"}
    body = f"{part(header)}.{part(session.claims('ann'))}"
    public = (
        _public(session, Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        if pem
        else _public(session, Encoding.Raw, PublicFormat.Raw)
    )
    return f"{body}.{part(_hs256(body.encode(), public))}"


def _hs256(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)


def _unsigned(session: FakeSession, algorithm: str) -> str:
    return f"{part({**OURS, 'alg': algorithm})}.{part(session.claims('ann'))}."


def _with_own_key(session: FakeSession, **where: Any) -> str:
    """Brings the key that it is to be checked with."""
    own = Ed25519PrivateKey.generate()
    said = {**OURS, **{name: value or _jwk(own) for name, value in where.items()}}
    return signed(session, said, key=own)


def _jwk(key: Ed25519PrivateKey) -> Any:
    return jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)


def _dropped_key(session: FakeSession) -> str:
    """Of a key that was published once."""
    return signed(session, {**OURS, "kid": "k0"}, key=Ed25519PrivateKey.generate())


def _of_another(session: FakeSession) -> str:
    head, _, mac = session.token("ann").split(".")
    _, other, _ = session.token("bob").split(".")
    return f"{head}.{other}.{mac}"


def _flipped(session: FakeSession) -> str:
    body, _, mac = session.token("ann").rpartition(".")
    return f"{body}.{'B' if mac[0] == 'A' else 'A'}{mac[1:]}"


def _cut(session: FakeSession) -> str:
    return session.token("ann")[:-4]


def _bare(session: FakeSession) -> str:
    return session.token("ann").rpartition(".")[0] + "."


def _stranger(session: FakeSession) -> str:
    return signed(session, key=Ed25519PrivateKey.generate())


def _twice(session: FakeSession) -> str:
    """Two names for whom it is of, and a stranger's signature."""
    return signed(
        session,
        OURS,
        _claimed(session, "sub", f'"{ident("bob")}", "sub": "{ident("ann")}"').encode(),
        key=Ed25519PrivateKey.generate(),
    )


def _identity(session: FakeSession) -> str:
    claims = session.claims("ann")
    return DEPLOYMENT.sign(Identity("gateway", claims["sub"], claims["sid"]), claims["iat"] * 1000)


HEADS: dict[str, Maker] = {
    "alg none": lambda session: _unsigned(session, "none"),
    "alg None": lambda session: _unsigned(session, "None"),
    "alg empty": lambda session: _unsigned(session, ""),
    "alg HS256 by the public key": lambda session: _by_public_key(session, pem=False),
    "alg HS256 by the public PEM": lambda session: _by_public_key(session, pem=True),
    "alg of another": headed(alg="ES256"),
    "alg in small letters": headed(alg="eddsa"),
    "alg absent": headed(alg=None),
    "alg a list": headed(alg=[ALGORITHM]),
    "alg twice": raw(b'{"alg":"EdDSA","typ":"at+jwt","kid":"k1","alg":"none"}', {}),
    "typ of an id token": headed(typ="JWT"),
    "typ absent": headed(typ=None),
    "typ an object": headed(typ={}),
    "kid absent": headed(kid=None),
    "kid unknown": headed(kid="k2"),
    "kid empty": headed(kid=""),
    "kid a number": headed(kid=7),
    "kid a path": headed(kid="../../../../dev/null"),
    "kid SQL": headed(kid="k1' UNION SELECT 'key' --"),
    "kid a URL": headed(kid="http://127.0.0.1:1/keys"),
    "kid huge": headed(kid="k" * 1_500),
    "kid no Unicode": headed(kid=SURROGATE),
    "kid of a dropped key": _dropped_key,
    "jwk of its own": lambda session: _with_own_key(session, jwk=None),
    "jku": lambda session: _with_own_key(session, jku="http://127.0.0.1:1/keys"),
    "x5u": lambda session: _with_own_key(session, x5u="http://127.0.0.1:1/chain"),
    "x5c": lambda session: _with_own_key(session, x5c=["MAA="]),
    "crit": headed(crit=["exp"]),
    "crit that the library knows": headed(crit=["b64"], b64=True),
    "crit no Unicode": headed(crit=[SURROGATE]),
    "b64 detached": headed(b64=False),
    "zip": headed(zip="DEF"),
    "header nested without end": raw(b"[" * 2_500, {}),
    "header nested in an object": raw(b'{"alg":' * 350, {}),
    "header an array": raw([1], {}),
    "header null": raw(b"null", {}),
    "header no UTF-8": raw(b"\xff\xfe", {}),
    "header empty": raw(b"", {}),
}

CLAIMS: dict[str, Maker] = {
    "aud of another": saying(aud="another"),
    "aud absent": saying(aud=None),
    "aud a list with ours": saying(aud=[AUDIENCE, "another"]),
    "iss of another": saying(iss="another"),
    "iss absent": saying(iss=None),
    "iss a list with ours": saying(iss=[ISSUER]),
    "exp absent": saying(exp=None),
    "exp text": saying(exp="9999999999"),
    "exp true": saying(exp=True),
    "exp NaN": literally("exp", "NaN"),
    "exp infinite": literally("exp", "1e400"),
    "exp a fraction": when("exp", 60.5),
    "exp huge": literally("exp", "9" * 2_000),
    "exp before iat": when("exp", -1),
    "exp later than any of ours": when("exp", LIFE_S_MAX + 1),
    "iat absent": saying(iat=None),
    "iat text": saying(iat="now"),
    "iat in the future": lambda session: signed(
        session,
        OURS,
        session.claims("ann", **_life(session, DAY_S)),
    ),
    "iat so old that the life is too long": when("iat", -1),
    "nbf in the future": when("nbf", 300),
    "nbf text": saying(nbf="later"),
    "sub absent": saying(sub=None),
    "sub a number": saying(sub=7),
    "sub empty": saying(sub=""),
    "sub no id": saying(sub="ann"),
    "sub a list": saying(sub=[ident("ann")]),
    "sub no Unicode": saying(sub=SURROGATE),
    "sub twice": _twice,
    "sid absent": saying(sid=None),
    "sid null": literally("sid", "null"),
    "sid empty": saying(sid=""),
    "sid no id": saying(sid="s-ann"),
    "sid with a line break": saying(sid=ident("s-ann") + "\n"),
    "claims an array": raw(OURS, []),
    "claims null": raw(OURS, b"null"),
    "claims empty": raw(OURS, b""),
    "claims no JSON": raw(OURS, b"{"),
    "claims no UTF-8": raw(OURS, b'{"sub":"\xff"}'),
    "claims nested without end": raw(OURS, b'{"x":' + b"[" * 2_500),
}


def _life(session: FakeSession, ahead_s: int) -> dict[str, int]:
    now_s = session.claims("ann")["iat"]
    return {"iat": now_s + ahead_s, "exp": now_s + ahead_s + 60}


SHAPES: dict[str, Maker] = {
    "signature cut": _cut,
    "signature flipped": _flipped,
    "signature absent": _bare,
    "signature of another's claims": _of_another,
    "signature of a stranger": _stranger,
    "signature padded": lambda session: session.token("ann") + "==",
    "a word": text("garbage"),
    "no claims at all": lambda session: session.token("ann").partition(".")[0],
    "one dot": lambda session: session.token("ann").rpartition(".")[0],
    "three dots": lambda session: session.token("ann") + ".AA",
    "encrypted (JWE)": text(f"{part({'alg': 'dir', 'enc': 'A256GCM'})}..AAAA.AAAA.AAAA"),
    "many dots": text(".".join("abcdefgh")),
    "only dots": text(".."),
    "no base64": text("!!!.???.***"),
    "no ASCII": text("caf\xe9.caf\xe9.caf\xe9"),
    "a space within": lambda session: session.token("ann").replace(".", ". ", 1),
    "two tokens": lambda session: f"{session.token('ann')}, {session.token('ann')}",
    "as JSON": lambda session: json.dumps({"token": session.token("ann")}),
    "4,097 characters": text("a" * 4_097),
    "12,000 characters": text("a" * 12_000),
    "a refresh token": text(f"{ident('s-ann')}.{'a' * 43}"),
    "an identity header": _identity,
    "a resume ticket": lambda _: DEPLOYMENT.seal("resume ticket", b"\x93"),
}

FORGED = {"headers": HEADS, "claims": CLAIMS, "shapes": SHAPES}
