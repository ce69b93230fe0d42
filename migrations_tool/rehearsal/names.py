"""What people call the ERP's records that a document names by id."""

from functools import cached_property

from connections.models import Connection, FieldOption, LedgerAccount, TaxCode, Vendor
from migrations_tool.old_chart.labels import label_of


class Names:
    """Of one customer's ERP, loaded as they are asked for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._vendors: dict[str, str] = {}

    def account(self, erp_id: str) -> str:
        return self._accounts.get(erp_id, erp_id)

    def option(self, field: str, erp_id: str) -> str:
        return self._options.get((field, erp_id), erp_id)

    def tax_code(self, erp_id: str) -> str:
        return self._tax_codes.get(erp_id, erp_id)

    def vendor(self, erp_id: str) -> str:
        """Looked up one by one: there may be many, and a rehearsal meets few."""
        if erp_id not in self._vendors:
            found = Vendor.objects.filter(connection=self._connection, erp_id=erp_id)
            self._vendors[erp_id] = found.values_list("name", flat=True).first() or erp_id
        return self._vendors[erp_id]

    @cached_property
    def _accounts(self) -> dict[str, str]:
        rows = LedgerAccount.objects.filter(connection=self._connection)
        return {
            erp_id: label_of(code, name)
            for erp_id, code, name in rows.values_list("erp_id", "code", "name")
        }

    @cached_property
    def _options(self) -> dict[tuple[str, str], str]:
        rows = FieldOption.objects.filter(connection=self._connection)
        return {
            (field, erp_id): label_of(code, name)
            for field, erp_id, code, name in rows.values_list(
                "field__erp_id", "erp_id", "code", "name"
            )
        }

    @cached_property
    def _tax_codes(self) -> dict[str, str]:
        rows = TaxCode.objects.filter(connection=self._connection)
        return dict(rows.values_list("erp_id", "name"))
