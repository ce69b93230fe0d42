import pytest

from rampbridge.lib import transitions
from rampbridge.lib.transitions import IllegalTransition

DOOR: transitions.Transitions[str] = {"open": {"shut"}, "shut": {"open", "locked"}}


def test_an_allowed_step_passes() -> None:
    transitions.check(DOOR, "shut", "locked")


@pytest.mark.parametrize(
    ("before", "after"), [("open", "locked"), ("open", "open"), ("locked", "open")]
)
def test_any_other_step_is_refused_by_name(before: str, after: str) -> None:
    with pytest.raises(IllegalTransition, match=f"{before} may not become {after}"):
        transitions.check(DOOR, before, after)
