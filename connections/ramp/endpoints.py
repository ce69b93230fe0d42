"""The name of one of Ramp's endpoints, without the ids in its address: figures are kept by it."""

from functools import lru_cache

_ROOT = "/developer/v1"


@lru_cache(maxsize=1024)
def endpoint_of(method: str, path: str) -> str:
    """Such as `GET /bills/{id}`. Whatever has a digit in it is an id: no word of Ramp's has one."""
    parts = path.removeprefix(_ROOT).split("/")
    named = ["{id}" if any(letter.isdigit() for letter in part) else part for part in parts]
    return f"{method} {'/'.join(named)}"
