"""Which headers of a delivery are kept, for those who look for what went wrong on its way. Pure."""

from collections.abc import Mapping

_KEPT = frozenset(
    {
        "accept", "accept-encoding", "content-encoding", "content-length", "content-type", "date",
        "user-agent", "x-forwarded-for", "x-forwarded-proto", "x-request-id", "traceparent",
    }
)  # fmt: skip
_RAMPS = "x-ramp-"
_SECRET = ("signature", "secret", "token", "authorization")
MOST = 30
LONGEST = 200


def harmless(headers: Mapping[str, str], *, never: str) -> dict[str, str]:
    """The headers to keep. Of a signature only that there was one, and how long.

    :param never: the name of our own header: its value proves that a delivery is Ramp's
    """
    kept = {}
    for name, value in sorted(headers.items()):
        known = name.lower()
        if known == never.lower() or not (known in _KEPT or known.startswith(_RAMPS)):
            continue
        is_secret = any(word in known for word in _SECRET)
        kept[name[:LONGEST]] = (
            f"{len(value)} characters, not kept" if is_secret else value[:LONGEST]
        )
    return dict(list(kept.items())[:MOST])
