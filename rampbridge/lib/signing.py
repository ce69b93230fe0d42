"""HMAC-SHA256 of a webhook body.

Ramp documents neither the name of the header for good nor the encoding of its value. Hex and
base64 are told apart by their length, and a ``sha256=`` in front is allowed.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

_PREFIX = "sha256="
_HEX_LENGTH = 64
_BASE64_LENGTH = 43  # without padding


def sign(body: bytes, *, secret: str) -> str:
    """The signature of a body, as lower-case hex."""
    return _digest(body, secret).hex()


def is_signed(body: bytes, *, signature: str | None, secrets: Iterable[str]) -> bool:
    """Whether any of the secrets signed exactly these bytes.

    Takes the same time for every wrong signature, and never raises over what a header may hold.
    """
    claimed = _decode(signature or "")
    if claimed is None:
        return False
    answers = [hmac.compare_digest(claimed, _digest(body, secret)) for secret in secrets]
    return any(answers)


def _digest(body: bytes, secret: str) -> bytes:
    if not secret:
        raise ValueError("An empty secret would let anybody sign.")
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()


def _decode(signature: str) -> bytes | None:
    text = signature.strip()
    if not text.isascii():
        return None
    if text[: len(_PREFIX)].lower() == _PREFIX:
        text = text[len(_PREFIX) :]
    bare = text.rstrip("=")
    try:
        if len(text) == _HEX_LENGTH:
            return binascii.unhexlify(text)
        if len(bare) == _BASE64_LENGTH:
            standard = bare.replace("-", "+").replace("_", "/") + "="
            return base64.b64decode(standard, validate=True)
    except binascii.Error:
        return None
    return None
