"""What people call records of the two charts, and which names mean the same. Pure."""

from connections.mapping_book.suggestions import folded


def label_of(code: str, name: str) -> str:
    """As accountants say it: the code before the name."""
    return f"{code} {name}".strip() or "without a name"


def is_alike(code: str, name: str, other_code: str, other_name: str) -> bool:
    """Whether two records are called the same, but for case, accents and punctuation."""
    return key_of(code, name) == key_of(other_code, other_name)


def key_of(code: str, name: str) -> tuple[str, str]:
    """The same for records that are called the same."""
    return code.casefold(), folded(name)
