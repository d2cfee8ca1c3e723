"""Seals secrets that Larder must be able to use again, such as an upstream's password."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from base.errors import LarderError

_PURPOSE = b"larder upstream credentials v1"


class SealBroken(LarderError):
    """The secret was sealed with a key that this installation no longer has."""


def seal(plain: str) -> str:
    """Return `plain` encrypted with a key derived from the secret key; empty stays empty."""
    return _box().encrypt(plain.encode()).decode() if plain else ""


def unseal(sealed: str) -> str:
    """Return what was sealed; raises SealBroken when the secret key has changed since."""
    if not sealed:
        return ""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealBroken(
            "A stored secret cannot be opened: the secret key has changed. Enter it again."
        ) from None


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(kdf.derive(key.encode()))
