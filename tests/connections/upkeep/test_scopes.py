"""Which permission each feature needs, and what goes without it (R-03)."""

from connections.clients import SCOPES
from connections.upkeep import scopes

EVERY_TYPE = [feature.object_type for feature in scopes.FEATURES if feature.object_type]


def test_every_scope_that_is_asked_for_has_a_feature() -> None:
    assert {scope for feature in scopes.FEATURES for scope in feature.scopes} == set(SCOPES)


def test_with_everything_granted_every_feature_is_ready() -> None:
    assert all(line.is_ready for line in scopes.matrix(SCOPES, EVERY_TYPE))
    assert scopes.missing(SCOPES, EVERY_TYPE) == []


def test_a_missing_scope_says_what_does_not_work() -> None:
    granted = set(SCOPES) - {"bills:read"}

    (line,) = (one for one in scopes.matrix(granted, EVERY_TYPE) if not one.is_ready)

    assert (line.missing, line.is_wanted) == (("bills:read",), True)
    assert line.feature.without == "Bills do not reach the ERP."
    assert not scopes.can_read("bill", granted)
    assert scopes.can_read("transaction", granted)


def test_what_is_switched_off_is_not_missed() -> None:
    granted = set(SCOPES) - {"bills:read"}

    assert scopes.missing(granted, ["transaction"]) == []


def test_what_no_connection_can_do_without_is_always_missed() -> None:
    assert scopes.missing({"transactions:read"}, []) == [
        "accounting:read", "accounting:write", "business:read", "entities:read",
    ]  # fmt: skip
