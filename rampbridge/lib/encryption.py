"""Secrets at rest: AES-256-GCM, bound to the row they belong to.

    blob = version(1) | length of key id(1) | key id | nonce(12) | wrapped data key(48)
           | nonce(12) | ciphertext with tag

Each blob has a data key of its own, wrapped by a key of ``settings.ENCRYPTION_KEYS``, which maps
ids to 32 bytes in base64: the first key seals, the others only open. Changing keys therefore
re-wraps 32 bytes and never shows the secret. The context (table, column, row) and the key's id
are authenticated, so that a blob opens nowhere but where it was sealed.
"""

import base64
import binascii
import hmac
import json
import os
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_VERSION = 1
_KEY = 32
_NONCE = 12
_TAG = 16
_WRAPPED = _NONCE + _KEY + _TAG


class CannotOpen(Exception):
    """The blob is damaged, sealed for another row, or its key is no longer configured."""


class KeyNotConfigured(CannotOpen):
    """The blob names a key that ``ENCRYPTION_KEYS`` does not hold."""


class _Blob(NamedTuple):
    key_id: str
    wrapped_key: bytes
    ciphertext: bytes


def row_context(table: str, column: str, row_id: object) -> str:
    """The place a secret belongs to. Two places never give the same text."""
    return json.dumps([table, column, str(row_id)])


def seal(plaintext: bytes, *, context: str) -> bytes:
    """Encrypt under the current key, for this context only."""
    key_id, master = _current_key()
    data_key = AESGCM.generate_key(bit_length=_KEY * 8)
    bound = _bound(context)
    wrapped = _encrypt(master, data_key, bound + key_id.encode())
    return _header(key_id) + wrapped + _encrypt(data_key, plaintext, bound)


def open_sealed(blob: bytes | memoryview, *, context: str) -> bytes:
    """Decrypt what :func:`seal` made for the same context.

    :raises KeyNotConfigured: if the key it names is missing from ``ENCRYPTION_KEYS``
    :raises CannotOpen: if it is damaged or was sealed for another context
    """
    parts = _parse(blob)
    return _decrypt(_data_key(parts, context), parts.ciphertext, _bound(context))


def needs_rotation(blob: bytes | memoryview) -> bool:
    """Whether the blob is wrapped by another key than the current one."""
    return _parse(blob).key_id != _current_key()[0]


def rewrap(blob: bytes | memoryview, *, context: str) -> bytes:
    """The same secret under the current key. The secret itself is not decrypted.

    :raises CannotOpen: as :func:`open_sealed`, except for damage to the ciphertext
    """
    parts = _parse(blob)
    key_id, master = _current_key()
    data_key = _data_key(parts, context)
    wrapped = _encrypt(master, data_key, _bound(context) + key_id.encode())
    return _header(key_id) + wrapped + parts.ciphertext


def keys_for(purpose: str) -> list[bytes]:
    """Keys for something else than sealing, one from each configured key, the current one first."""
    return [hmac.digest(key, purpose.encode(), "sha256") for key in _keys().values()]


def _data_key(parts: _Blob, context: str) -> bytes:
    master = _keys().get(parts.key_id)
    if master is None:
        raise KeyNotConfigured(f"Encryption key {parts.key_id!r} is not in ENCRYPTION_KEYS.")
    return _decrypt(master, parts.wrapped_key, _bound(context) + parts.key_id.encode())


def _bound(context: str) -> bytes:
    encoded = context.encode()
    return bytes([_VERSION]) + len(encoded).to_bytes(4, "big") + encoded


def _header(key_id: str) -> bytes:
    encoded = key_id.encode()
    return bytes([_VERSION, len(encoded)]) + encoded


def _parse(blob: bytes | memoryview) -> _Blob:
    blob = bytes(blob)  # the database driver hands out memoryviews
    if len(blob) < 2 or blob[0] != _VERSION:
        raise CannotOpen("This is not a sealed value, or one of a newer version.")
    start = 2 + blob[1]
    if len(blob) < start + _WRAPPED + _NONCE + _TAG:
        raise CannotOpen("The sealed value is cut short.")
    try:
        key_id = blob[2:start].decode()
    except UnicodeDecodeError:
        raise CannotOpen("The sealed value is damaged.") from None
    return _Blob(key_id, blob[start : start + _WRAPPED], blob[start + _WRAPPED :])


def _encrypt(key: bytes, plaintext: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound)


def _decrypt(key: bytes, data: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], bound)
    except InvalidTag:
        raise CannotOpen("The sealed value is damaged or belongs to another row.") from None


def _current_key() -> tuple[str, bytes]:
    return next(iter(_keys().items()))


def _keys() -> Mapping[str, bytes]:
    """The configured keys by id, the current one first."""
    keys = {key_id: _decoded(key_id, text) for key_id, text in settings.ENCRYPTION_KEYS.items()}
    if not keys:
        raise ImproperlyConfigured("ENCRYPTION_KEYS is empty: there is no key to seal with.")
    return keys


def _decoded(key_id: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY or not 0 < len(key_id.encode()) < 256:
        raise ImproperlyConfigured(f"ENCRYPTION_KEYS: key {key_id!r} is not 32 bytes in base64.")
    return key
