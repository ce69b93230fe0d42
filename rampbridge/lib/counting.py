"""Numbers of things, as sentences say them."""


def counted(number: int, what: str) -> str:
    """`1 item`, `1,204 items`: of words whose plural is made by an s."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
