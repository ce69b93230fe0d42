"""Tax ids and bank accounts to be compared by, without keeping them."""

import hmac

from rampbridge.lib.encryption import keys_for

_HINT = 4


def digests(value: str, *, field: str, connection_id: object) -> list[str]:
    """Keyed digests of one value, under each configured key, the current one first.

    Keep the first; a value is the same if any of them was kept. Blanks, dashes and case make no
    difference. Those of two customers, or of two fields, never meet. None of an empty value.
    """
    plain = _plain(value)
    if not plain:
        return []
    message = f"{connection_id}\n{plain}".encode()
    keys = keys_for(f"digest of vendor.{field}")
    return [hmac.digest(key, message, "sha256").hex() for key in keys]


def hint(value: str) -> str:
    """The last four characters, fewer of a short value: enough for a person to recognise it."""
    plain = _plain(value)
    shown = min(_HINT, len(plain) // 2)
    return plain[len(plain) - shown :]


def _plain(value: str) -> str:
    return "".join(sign for sign in value if sign.isalnum()).upper()
