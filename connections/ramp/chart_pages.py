"""The chart of the active connection page by page, as Ramp sends it: for keeping it."""

from collections.abc import Iterator, Mapping
from typing import TypeVar
from uuid import UUID

from connections.ramp.api import PAGE_SIZE, Api
from connections.ramp.pages import Page
from connections.ramp.schemas import (
    AccountingField,
    Entity,
    FieldOption,
    GLAccount,
    Schema,
    TaxCode,
    TaxRate,
    Vendor,
)

Record = TypeVar("Record", bound=Schema)


class ChartPages:
    """Lists as `Chart` has them, active records and others; `start` goes on after a page.

    Where `Chart` refuses a list with one record that it cannot read, that record is among the
    malformed ones of its page here.
    """

    _api: Api

    def gl_account_pages(self, *, start: str | None = None) -> Iterator[Page[GLAccount]]:
        return self._chart("accounting/accounts", GLAccount, start)

    def field_pages(self, *, start: str | None = None) -> Iterator[Page[AccountingField]]:
        return self._chart("accounting/fields", AccountingField, start)

    def field_option_pages(
        self, field_ramp_id: UUID, *, start: str | None = None
    ) -> Iterator[Page[FieldOption]]:
        of_field = {"field_id": str(field_ramp_id)}
        return self._chart("accounting/field-options", FieldOption, start, of_field)

    def vendor_pages(self, *, start: str | None = None) -> Iterator[Page[Vendor]]:
        return self._chart("accounting/vendors", Vendor, start)

    def tax_rate_pages(self, *, start: str | None = None) -> Iterator[Page[TaxRate]]:
        return self._chart("accounting/tax/rates", TaxRate, start)

    def tax_code_pages(self, *, start: str | None = None) -> Iterator[Page[TaxCode]]:
        """:raises NotFound: if there is no tax code field yet; `Chart.tax_code_field` tells"""
        return self._chart("accounting/tax/code/options", TaxCode, start)

    def entity_pages(self, *, start: str | None = None) -> Iterator[Page[Entity]]:
        return self._chart("entities", Entity, start)

    def _chart(
        self,
        path: str,
        model: type[Record],
        start: str | None,
        filters: Mapping[str, str] | None = None,
    ) -> Iterator[Page[Record]]:
        pages = self._api.pages(path, model, filters or {}, start=start, page_size=PAGE_SIZE)
        return (page for page, _ in pages)
