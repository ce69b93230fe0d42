"""What the customer used of taxes, credits and vendors: from the backup, not from memory (R-97)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from connections.models import TaxCode
from migrations_tool.backup.versions import latest
from migrations_tool.models import ConnectionMigration, FormerCoding
from migrations_tool.steps import Path
from migrations_tool.wizard import Refused

SPAN = timedelta(days=365)
_TAX = [{"selections": [{"type": "TAX_CODE"}]}]
_VENDOR = [{"selections": [{"type": "MERCHANT"}]}]


@dataclass(frozen=True, slots=True)
class Usage:
    """How often, and by what it is known."""

    source: str
    """In words, such as "backup 3"."""
    taxed: int
    """Objects with a tax code."""
    credits: int
    """Vendor credits."""
    with_vendor: int
    """Card transactions that were coded to a vendor."""

    def to_json(self) -> dict[str, object]:
        return {
            "source": self.source,
            "taxed": self.taxed,
            "credits": self.credits,
            "with_vendor": self.with_vendor,
        }


def used(migration: ConnectionMigration, *, now: datetime) -> Usage:
    """What was used in the last twelve months.

    A fresh connection has no past that could be asked: there counts what the ERP has, and what the
    customer syncs.

    :raises Refused: if there is no backup to look into
    """
    if migration.path == Path.FRESH:
        return _of_fresh(migration)
    backup = latest(migration)
    if backup is None:
        raise Refused(
            "There is no backup yet, and without it nobody knows what was used. Do step 4 first."
        )
    objects = FormerCoding.objects.filter(backup=backup, spent_on__gte=(now - SPAN).date())
    return Usage(
        source=f"backup {backup.number}",
        taxed=objects.filter(codings__contains=_TAX).count(),
        credits=objects.filter(object_type="vendor_credit").count(),
        with_vendor=objects.filter(object_type="transaction", codings__contains=_VENDOR).count(),
    )


def _of_fresh(migration: ConnectionMigration) -> Usage:
    connection = migration.connection
    in_erp = TaxCode.objects.filter(connection=connection, is_active=True, gone_at=None)
    return Usage(
        source=f"{connection.erp_name} and the customer's settings",
        taxed=in_erp.count(),
        credits=int("vendor_credit" in connection.object_types),
        with_vendor=0,
    )
