from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connections.erp.adapters.tryton import wire


@pytest.mark.parametrize(
    "value",
    [
        Decimal("12.340"),
        date(2026, 3, 5),
        datetime(2026, 3, 5, 12, 30, 1, 250, tzinfo=UTC),
        {"lines": [["create", [{"debit": Decimal("0.10"), "text": "é三"}]]]},
        None,
    ],
)
def test_what_is_sent_comes_back(value: Any) -> None:
    assert wire.loads(wire.dumps(value)) == value


def test_a_float_never_becomes_money() -> None:
    assert isinstance(wire.loads(wire.dumps(Decimal("0.1"))), Decimal)


def test_what_tryton_has_no_form_for_is_refused() -> None:
    with pytest.raises(TypeError):
        wire.dumps(object())
