"""An identity is what was signed with the deployment's key in the last minute, or `Forged`."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime.identity import LIFE_MS, Forged, Identity, Signer
from libs.wire.codec import pack

KEY = bytes(range(32))
NOW_MS = 1_795_248_000_000
SIGNER = Signer(KEY)

texts = st.text(max_size=40)
identities = st.builds(Identity, texts, st.none() | texts, st.none() | texts)


@given(identities)
def test_what_was_signed_is_read_back(identity: Identity) -> None:
    header = SIGNER.sign(identity, NOW_MS)
    assert SIGNER.verify(header, NOW_MS) == identity
    assert header.isascii()
    assert header.isprintable()


@given(identities, st.data())
def test_a_header_with_any_character_changed_is_forged(
    identity: Identity, data: st.DataObject
) -> None:
    header = SIGNER.sign(identity, NOW_MS)
    place = data.draw(st.integers(0, len(header) - 1))
    other = data.draw(st.characters(max_codepoint=255).filter(lambda one: one != header[place]))
    with pytest.raises(Forged):
        SIGNER.verify(header[:place] + other + header[place + 1 :], NOW_MS)


def test_every_bit_of_every_byte_counts() -> None:
    header = SIGNER.sign(Identity("chat", "u", "s"), NOW_MS)
    for place in range(len(header)):
        for bit in range(8):
            changed = header[:place] + chr(ord(header[place]) ^ (1 << bit)) + header[place + 1 :]
            with pytest.raises(Forged):
                SIGNER.verify(changed, NOW_MS)


def test_a_header_that_is_longer_or_shorter_is_forged() -> None:
    header = SIGNER.sign(Identity("chat"), NOW_MS)
    for changed in (header[:-1], header + "=", header + ".", " " + header, header + header):
        with pytest.raises(Forged):
            SIGNER.verify(changed, NOW_MS)


@given(st.text() | st.text(alphabet="ABCabc=.-_", max_size=60))
def test_garbage_is_forged_and_nothing_else(garbage: str) -> None:
    with pytest.raises(Forged):
        SIGNER.verify(garbage, NOW_MS)


def test_a_lone_surrogate_is_forged_too() -> None:
    with pytest.raises(Forged):
        SIGNER.verify("\ud800.x", NOW_MS)


@given(st.binary(max_size=60))
def test_signed_bytes_that_are_no_identity_are_forged(body: bytes) -> None:
    signed = b".".join(map(urlsafe_b64encode, (body, hmac.digest(KEY, body, hashlib.sha256))))
    with pytest.raises(Forged, match="not an identity"):
        SIGNER.verify(signed.decode(), NOW_MS)


def test_an_identity_lives_a_minute() -> None:
    header = SIGNER.sign(Identity("chat"), NOW_MS)
    assert SIGNER.verify(header, NOW_MS + LIFE_MS) == Identity("chat")
    with pytest.raises(Forged, match="too old"):
        SIGNER.verify(header, NOW_MS + LIFE_MS + 1)


def test_another_deployments_signature_is_not_ours() -> None:
    with pytest.raises(Forged, match="the signature is not ours"):
        SIGNER.verify(Signer(bytes(32)).sign(Identity("chat"), NOW_MS), NOW_MS)


def test_a_body_of_another_shape_is_forged() -> None:
    body = pack(["chat", None, None, "soon"])
    signed = b".".join(map(urlsafe_b64encode, (body, hmac.digest(KEY, body, hashlib.sha256))))
    with pytest.raises(Forged):
        SIGNER.verify(signed.decode(), NOW_MS)


@given(texts, st.binary(max_size=60))
def test_what_was_sealed_is_read_back_for_its_purpose_alone(purpose: str, body: bytes) -> None:
    text = SIGNER.seal(purpose, body)
    assert SIGNER.unseal(purpose, text) == body
    assert text.isascii()
    for signer, other in ((SIGNER, purpose + "x"), (SIGNER, ""), (Signer(bytes(32)), purpose)):
        if (signer, other) != (SIGNER, purpose):
            with pytest.raises(Forged, match="the signature is not ours"):
                signer.unseal(other, text)


def test_a_sealed_identity_is_no_identity_and_an_identity_is_not_sealed() -> None:
    header = SIGNER.sign(Identity("chat", "u", "s"), NOW_MS)
    body = pack(["chat", "u", "s", NOW_MS + LIFE_MS])
    assert header.startswith(SIGNER.seal("", body).partition(".")[0])
    for purpose in ("", "resume ticket"):
        with pytest.raises(Forged, match="the signature is not ours"):
            SIGNER.verify(SIGNER.seal(purpose, body), NOW_MS)
        with pytest.raises(Forged, match="the signature is not ours"):
            SIGNER.unseal(purpose, header)


def test_every_bit_of_a_sealed_text_counts() -> None:
    text = SIGNER.seal("resume ticket", b"body")
    for place in range(len(text)):
        for bit in range(8):
            changed = text[:place] + chr(ord(text[place]) ^ (1 << bit)) + text[place + 1 :]
            with pytest.raises(Forged):
                SIGNER.unseal("resume ticket", changed)


@given(st.text() | st.text(alphabet="ABCabc=.-_", max_size=60))
def test_garbage_is_not_sealed(garbage: str) -> None:
    with pytest.raises(Forged):
        SIGNER.unseal("resume ticket", garbage)
