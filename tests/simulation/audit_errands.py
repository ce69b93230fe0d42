"""What must be true of vendors and files: a merchant is one vendor, a file is attached once."""

from collections import Counter

from connections.erp.records import DocKind, MasterKind
from connections.models import VendorCreation
from syncing.models import Attachment
from tests.simulation.findings import Company, Findings
from tests.simulation.ledgers import SUPPLIERS


def check(company: Company, found: Findings) -> None:
    """Compare vendors in Ramp and the ERP, and receipts with the files of documents."""
    _check_vendors(company, found)
    _check_files(company, found)


def _check_vendors(company: Company, found: Findings) -> None:
    in_erp = {
        master.id: master.name
        for master in company.erp.books.masters.values()
        if master.kind is MasterKind.VENDOR
    }
    in_ramp = list(company.sim.world.vendors.of(company.business.key))
    for side, names in (
        ("the ERP", Counter(in_erp.values())),
        ("Ramp", Counter(vendor.name for vendor in in_ramp)),
    ):
        found.doubled += [
            f"{name} is {count} vendors in {side} of {company.connection.slug}"
            for name, count in names.items()
            if count > 1
        ]
    for vendor in in_ramp:
        if in_erp.get(vendor.external_id) != vendor.name:
            found.unexplained.append(f"{vendor.name} is in Ramp and not in the ERP")
    for creation in VendorCreation.objects.filter(connection=company.connection):
        found.types["vendor"] += 1
        if creation.done_at is None and not creation.error_title:
            found.lost.append(f"The vendor {creation.name} is {creation.step}, and says not why")
    strange = set(in_erp.values()) - {
        *SUPPLIERS,
        *(row.merchant_name for row in company.business.transactions()),
    }
    found.unexplained += [f"{name} is a vendor and no merchant" for name in sorted(strange)]


def _check_files(company: Company, found: Findings) -> None:
    """Whose files are attached, by what documents of purchases and of bills carry."""
    rows = Attachment.objects.filter(connection=company.connection).select_related("item")
    for row in rows.exclude(state="skipped"):
        found.types["file"] += 1
        item = row.item
        kind = DocKind.BILL if item.object_type == "bill" else DocKind.JOURNAL
        docs = company.documents(str(item.ramp_id), kind)
        files = [file for doc in docs for file in company.erp.books.files(doc.doc.ref)]
        count = sum(file.source == row.source for file in files)
        says = (
            f"{row.source} of {item.object_type} {item.ramp_id}, {item.state} as {item.erp_id!r},"
            f" is {row.state} (due {row.due_at}) and attached {count} times"
        )
        if count > 1:
            found.doubled.append(says)
        is_open = row.state in ("due", "sending") and item.state == "ACKED"
        if is_open or (row.state == "attached" and count == 0):
            found.lost.append(says)
        if row.state == "failed" and not row.error_title:
            found.unexplained.append(f"{says}, and says not why")
    _check_all_came(company, found)


def _check_all_came(company: Company, found: Findings) -> None:
    """No receipt of a purchase that is through is without a row."""
    known = set(
        Attachment.objects.filter(connection=company.connection).values_list(
            "item__ramp_id", "source"
        )
    )
    for row in company.business.transactions():
        item = company.items.get(("transaction", row.id))
        if item is not None and item.state == "ACKED" and item.erp_id:
            found.lost += [
                f"The receipt {receipt} of {row.id} is not known"
                for receipt in row.receipts
                if (item.ramp_id, receipt) not in known
            ]
