"""Vendor credits to vendor credits of the ERP."""

from datetime import date

from connections.erp.records import DocKind, Document, Ref
from connections.mappings import MappingSet
from connections.ramp.spend import VendorCredit
from syncing.cannot_post import NothingToPost, UnexpectedSign
from syncing.posting.lines import first_day, in_one_line
from syncing.posting.taxes import taxed_lines
from syncing.posting.vendors import vendor_of_credit


def credit_for(credit: VendorCredit, *, mappings: MappingSet, tenant: str) -> Document:
    """The whole credit as the vendor granted it, whether used or not.

    What of it was set off against which bill is not in the document: the credit and the bill meet
    on the vendor's account.

    :raises CannotPost: without coding, date or amount, or if lines and header differ
    :raises MissingMapping: if a coding, the vendor, the entity or its accounts lead nowhere
    """
    entity_id = str(credit.entity_id or "")
    entity = mappings.entity(entity_id)
    profile = mappings.profile(entity_id)
    total = credit.money
    if not total:
        raise NothingToPost
    if total.minor < 0:
        raise UnexpectedSign("vendor credit", total)
    memo = in_one_line("Vendor credit", credit.reference_number)
    return Document(
        ref=Ref(tenant=tenant, kind=DocKind.VENDOR_CREDIT, ramp_id=str(credit.id)),
        kind=DocKind.VENDOR_CREDIT,
        posting_date=posting_date(credit),
        currency=total.currency,
        lines=tuple(
            taxed_lines(credit, credit.lines, total, mappings=mappings, profile=profile, memo=memo)
        ),
        party=vendor_of_credit(credit, mappings),
        number=credit.reference_number,
        memo=memo,
        entity=entity.erp_entity,
        payables_account=profile.payables_account,
    )


def posting_date(credit: VendorCredit) -> date:
    """The accounting date, else the day it was made.

    :raises NoAccountingDate: if Ramp says neither
    """
    return first_day(credit.accounting_date, credit.created_at)
