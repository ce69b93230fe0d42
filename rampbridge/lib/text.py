"""Words from outside, made fit to keep."""


def storable(text: str) -> str:
    """Words from outside, with what PostgreSQL's text refuses (NUL, half surrogates) as U+FFFD."""
    return (
        text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )
