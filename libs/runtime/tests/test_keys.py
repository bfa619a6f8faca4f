"""The signing keys and what they sign."""

import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from libs.runtime.keys import Keys, fresh_secret

PKCS8 = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_fresh_secret_is_an_ed25519_key_that_others_read() -> None:
    assert isinstance(load_pem_private_key(fresh_secret(), None), Ed25519PrivateKey)


def test_a_key_that_others_wrote_is_read() -> None:
    made = Ed25519PrivateKey.generate()
    (public,) = Keys(made.private_bytes(*PKCS8)).public()
    jwk = jwt.PyJWK.from_dict(dict(public))
    assert jwk.key.public_bytes_raw() == made.public_key().public_bytes_raw()


def test_the_first_of_several_signs_and_all_are_published() -> None:
    old, new = fresh_secret(), fresh_secret()
    keys = Keys(new + old)
    token = keys.access_token("user", "session", now_s=int(time.time()), life_s=60)
    header = jwt.get_unverified_header(token)
    (only_new,) = Keys(new).public()
    (only_old,) = Keys(old).public()
    assert list(keys.public()) == [only_new, only_old]
    assert (header["kid"], header["typ"], header["alg"]) == (only_new["kid"], "at+jwt", "EdDSA")
    found = {key.key_id: key for key in jwt.PyJWKSet.from_dict({"keys": [*keys.public()]}).keys}
    claims = jwt.decode(token, found[header["kid"]], algorithms=["EdDSA"], audience="rostrum")
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("user", 60)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, found[only_old["kid"]], algorithms=["EdDSA"], audience="rostrum")


def test_no_private_part_is_published() -> None:
    (public,) = Keys(fresh_secret()).public()
    assert set(public) == {"kty", "crv", "x", "kid", "use", "alg"}


@pytest.mark.parametrize(
    "secret",
    [
        b"",
        b"no key",
        generate_private_key(SECP256R1()).private_bytes(*PKCS8),
        X25519PrivateKey.generate().private_bytes(*PKCS8),
        fresh_secret() + b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nAAA\n-----END PRIVATE KEY-----\n",
    ],
)
def test_a_secret_of_another_form_stops_the_start(secret: bytes) -> None:
    with pytest.raises(ValueError):
        Keys(secret)


def test_refresh_keys_are_other_than_the_signing_key_and_stay_the_same() -> None:
    secret = fresh_secret()
    assert Keys(secret).refresh_keys() == Keys(secret).refresh_keys()
    assert Keys(secret).refresh_keys() != Keys(fresh_secret()).refresh_keys()
