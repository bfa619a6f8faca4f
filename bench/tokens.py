"""Access tokens of as many people as there are connections, signed with a deployment's own key.

To sign them all up would take hours of password hashes; a valid token is enough to listen.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import jwt
from jwt.algorithms import OKPAlgorithm

from libs.runtime.clock import SystemClock
from libs.wire import ids
from libs.wire.codec import to_json
from libs.wire.tokens import ALGORITHM, AUDIENCE, ISSUER, LIFE_S_MAX, TYP


def write_tokens(path: Path, key_file: Path, count: int) -> None:
    """Write `count` tokens, one a line, of users and sessions that nobody has seen. They hold for
    ten minutes. `key_file` is the deployment's: its first key signs."""
    private: Any = OKPAlgorithm().prepare_key(key_file.read_bytes())
    public = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    members = {name: public[name] for name in ("crv", "kty", "x")}
    digest = hashlib.sha256(to_json(members)).digest()
    headers = {"typ": TYP, "kid": urlsafe_b64encode(digest).rstrip(b"=").decode()}
    now_ms = SystemClock().now_ms()
    lines = [
        jwt.encode(_claims(now_ms), private, algorithm=ALGORITHM, headers=headers)
        for _ in range(count)
    ]
    path.write_text("\n".join(lines) + "\n", "ascii")


def _claims(now_ms: int) -> dict[str, Any]:
    now_s = now_ms // 1000
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": _fresh(now_ms),
        "sid": _fresh(now_ms),
        "iat": now_s,
        "exp": now_s + LIFE_S_MAX,
    }


def _fresh(now_ms: int) -> str:
    return ids.fresh(now_ms, secrets.token_bytes(ids.ENTROPY_BYTES))
