"""Taxes of one accounting connection in Ramp, in the order that Ramp insists on (R-46).

rates  -->  the one tax code field  -->  tax codes, which name their rates by the ERP's ids
"""

from collections.abc import Iterator, Sequence
from typing import Unpack
from uuid import UUID

from connections.ramp.bodies import (
    ChartFilters,
    TaxCodeChanges,
    TaxCodeUpload,
    TaxFieldChanges,
    TaxRateChanges,
    TaxRateUpload,
)
from connections.ramp.chart_calls import ChartCalls, Taken
from connections.ramp.schemas import TaxCode, TaxCodeField, TaxRate

_RATES, _FIELD, _CODES = (
    "accounting/tax/rates",
    "accounting/tax/code",
    "accounting/tax/code/options",
)


class Taxes(ChartCalls):
    """One method per endpoint; Ramp has none for a single rate or tax code."""

    def tax_rates(self) -> Iterator[TaxRate]:
        return self._list(_RATES, TaxRate, {})

    def upload_tax_rates(self, tax_rates: Sequence[TaxRateUpload]) -> Taken[TaxRate]:
        """1 to 500, all or nothing. Their GL accounts must be in Ramp before."""
        return self._upload(_RATES, "tax_rates", TaxRate, tax_rates)

    def update_tax_rate(self, ramp_id: UUID, **changes: Unpack[TaxRateChanges]) -> TaxRate:
        return self._patch(_RATES, ramp_id, TaxRate, {**changes, **self._scope})

    def delete_tax_rate(self, ramp_id: UUID) -> None:
        self._delete(_RATES, ramp_id)

    def tax_code_field(self) -> TaxCodeField | None:
        """The field that tax codes are the options of; None if there is none yet."""
        return self._only(_FIELD, TaxCodeField)

    def create_tax_code_field(self, *, name: str, display_name: str = "") -> TaxCodeField:
        """:raises InvalidRequest: if there is one already; a connection has one at most"""
        field = {"name": name, **({"display_name": display_name} if display_name else {})}
        return self._create(_FIELD, TaxCodeField, field)

    def update_tax_code_field(self, **changes: Unpack[TaxFieldChanges]) -> TaxCodeField:
        return self._patch_only(_FIELD, TaxCodeField, changes)

    def delete_tax_code_field(self) -> None:
        self._delete_only(_FIELD)

    def tax_codes(self, **filters: Unpack[ChartFilters]) -> Iterator[TaxCode]:
        return self._list(_CODES, TaxCode, filters)

    def upload_tax_codes(self, tax_codes: Sequence[TaxCodeUpload]) -> Taken[TaxCode]:
        """1 to 500, all or nothing. Field and rates must be in Ramp before."""
        return self._upload(_CODES, "options", TaxCode, tax_codes)

    def update_tax_code(self, ramp_id: UUID, **changes: Unpack[TaxCodeChanges]) -> TaxCode:
        """`tax_rate_ids` replaces the whole list. A deleted tax code cannot be brought back."""
        return self._patch(_CODES, ramp_id, TaxCode, {**changes, **self._scope})

    def delete_tax_code(self, ramp_id: UUID) -> None:
        self._delete(_CODES, ramp_id)
