"""Whether what a rule sets makes sense for its kind. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from syncing.alert_kinds.base import Kind, Setting, Thresholds


class NotThresholds(Exception):
    """What was set does not fit the kind: words to show, by the names of the settings."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def defaults(kind: Kind) -> dict[str, Any]:
    """What a rule of a kind begins with."""
    return {setting.name: setting.default for setting in kind.settings}


def checked(kind: Kind, given: Mapping[str, Any]) -> Thresholds:
    """The thresholds of a rule, complete and in their types.

    :raises NotThresholds: if one is missing, out of its bounds, or both levels contradict
    """
    problems: dict[str, str] = {}
    found: dict[str, Any] = {}
    for setting in kind.settings:
        try:
            found[setting.name] = _value(setting, given.get(setting.name))
        except ValueError as refusal:
            problems[setting.name] = str(refusal)
    unknown = sorted(set(given) - {setting.name for setting in kind.settings})
    if unknown:
        problems["level"] = f"This kind has no {', '.join(unknown)}."
    if not problems and not _is_better(kind, found["clear"], found["level"]):
        word = "more" if kind.is_falling else "less"
        problems["clear"] = f"It must be {word} than what it opens at, or it would never be over."
    if problems:
        raise NotThresholds(problems)
    return found


def _is_better(kind: Kind, one: float, other: float) -> bool:
    return one > other if kind.is_falling else one < other


def _value(setting: Setting, given: Any) -> Any:
    if setting.is_text:
        text = str(given or "").strip()
        if not re.fullmatch(setting.pattern or ".+", text):
            raise ValueError(setting.help or "Fill this in.")
        return text
    try:
        number = float(given)
    except (TypeError, ValueError):
        raise ValueError("Enter a number.") from None
    if not setting.least <= number <= setting.most:
        raise ValueError(f"Enter a number from {setting.least:,.0f} to {setting.most:,.0f}.")
    return int(number) if number.is_integer() else number
