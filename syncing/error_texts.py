"""What a text that a customer reads in Ramp must hold, by its category. Pure.

    user-actionable    a fix, in the imperative, to the letter as it was judged
    transient          the time of the next attempt
    needs-integrator   whom to turn to, and the reference to quote

The tests hold every text of the program to it, and the error desk the texts that stand in Ramp.
"""

import re

from syncing.classifier import ErrorCategory

_IMPERATIVE = re.compile(
    r"\W*(add|approve|ask|attach|authorise|change|check|choose|code|complete|connect|contact|correct"
    r"|create|enter|fill|give|grant|map|mark|open|reactivate|rebook|remove|renew|reopen|see|set|split"
    r"|take|wait)\b",
    re.IGNORECASE,
)
"""What a fix may begin with."""
NEVER = (
    "something went wrong",
    "unexpected error",
    "unknown error",
    "internal error",
    "an error occurred",
    "traceback",
    "exception",
    "http ",
    "null",
    "json",
    "successfully",
)
"""What says nothing to an accountant, or says it in our tongue."""

_NEXT_TRY = re.compile(r"\bagain at \d{2}:\d{2} UTC\b")
_REFERENCE = re.compile(r"\bRB-[0-9A-HJKMNP-TV-Z]{4,}\b")
_PROMISE = re.compile(r"\b(we|we will) (try|retry)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|(?<=,)\s+")


def faults(text: str, *, category: str, fix: str = "", contact: str = "") -> list[str]:
    """What is wrong with a text as the customer reads it; empty if it keeps its promise.

    :param fix: what the customer is told to do, as it was judged
    :param contact: where customers turn to
    """
    found = form_faults(text)
    match category:
        case ErrorCategory.USER_ACTIONABLE:
            found += _of_fix(text, fix)
            if _PROMISE.search(text):
                found.append("It promises a retry, and nothing is tried before somebody acts.")
        case ErrorCategory.TRANSIENT:
            if not _NEXT_TRY.search(text):
                found.append("It does not say when the next attempt is.")
        case ErrorCategory.NEEDS_INTEGRATOR:
            if not contact or contact not in text:
                found.append("It does not say whom to turn to.")
            if not _REFERENCE.search(text):
                found.append("It has no reference to quote, like RB-7K3Q.")
            if _PROMISE.search(text):
                found.append("It promises a retry, and nothing is tried before somebody acts.")
        case _:
            found.append("It has no category, so nobody knows whose move it is.")
    return found


def form_faults(text: str) -> list[str]:
    """What is wrong with a text whatever it is about."""
    if not text.strip():
        return ["It is empty."]
    found = []
    if text != text.strip() or "  " in text:
        found.append("It has spaces that belong nowhere.")
    if not text.rstrip().endswith((".", "!", "?")):
        found.append("It does not end like a sentence.")
    if "{" in text or "None" in text.split():
        found.append("A part of it was not filled in.")
    found += [f"It says “{word.strip()}”." for word in NEVER if word in text.lower()]
    return found


def fix_faults(fix: str) -> list[str]:
    """What is wrong with a fix by itself: it must tell somebody to do something."""
    if not fix.strip():
        return ["It does not say what to do."]
    found = form_faults(fix)
    if not any(_IMPERATIVE.match(part) for part in _SENTENCE.split(fix)):
        found.append("It does not tell anybody to do something: begin with a verb, like Choose.")
    return found


def _of_fix(text: str, fix: str) -> list[str]:
    found = [fault for fault in fix_faults(fix) if fault not in form_faults(text)]
    if fix and fix not in text:
        found.append("What to do does not stand in it as it was judged.")
    return found
