"""What the vendor pages read: a page at a time, by indexes, with nothing counted to its end."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import F, Q
from django.db.models.functions import Upper

from connections.models import RampVendor, Vendor, VendorField, VendorLink
from connections.vendor_book.statements import rows
from rampbridge.lib.money import Money

PAGE_SIZE = 50
MANY = 1000
"""Counts end here and are shown as more."""
SEVERAL = 10

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[_Row]):
    """Some rows, and where the next page begins; empty if there is none."""

    rows: Sequence[_Row]
    next: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is to do; up to `MANY` of each."""

    unlinked: int
    changes: int
    kept_links: int
    """Links on their way."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which a vendor of Ramp's and the one it is linked to differ."""

    field: VendorField
    ramp: str
    erp: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A linked pair that is not at one."""

    ramp_vendor: int
    ramp_id: uuid.UUID
    ramp_name: str
    erp_id: str
    erp_name: str
    lost: str
    """Why the ERP's vendor can no longer be posted to; nothing if it can."""
    differences: Sequence[Difference]
    is_merged: bool = False


def spend_of(vendor: RampVendor) -> Money | None:
    """What a vendor was paid in the last 365 days; None if Ramp does not say."""
    if not vendor.spend_currency:
        return None
    return Money(vendor.spend_minor, vendor.spend_currency, vendor.spend_exponent)


def unlinked(
    connection_id: uuid.UUID, *, text: str = "", after: str = "", size: int = PAGE_SIZE
) -> ListPage[RampVendor]:
    """Vendors of Ramp that lead to none of the ERP's, those with the most spend first."""
    found = RampVendor.objects.filter(connection_id=connection_id, linked_erp_id="", is_active=True)
    if text:
        found = _named(found, text)
    spend, key = _whole_numbers(after)
    if spend is not None:
        # The first condition says nothing new, but lets the index start at the right place.
        found = found.filter(
            Q(spend_minor__lte=spend), Q(spend_minor__lt=spend) | Q(spend_minor=spend, pk__gt=key)
        )
    page = list(found.order_by("-spend_minor", "pk")[: size + 1])
    last = page[size - 1] if len(page) > size else None
    following = f"{last.spend_minor}~{last.pk}" if last else ""
    return ListPage(page[:size], following, is_first=not after)


def search(
    connection_id: uuid.UUID, *, text: str = "", after: str = "", size: int = PAGE_SIZE
) -> ListPage[Vendor]:
    """The ERP's vendors by name, or those whose name, code or id begins with a text."""
    number, _, name = after.partition("~")
    key = _key(number)
    if key is None:
        key, name = 0, ""
    place = {"connection": connection_id, "most": size + 1, "name": name, "key": key}
    start = {"start": f"{_escaped(text.upper())}%", "id_start": f"{_escaped(text)}%"}
    found = rows(_SEARCH if text else _BY_NAME, {**place, **start})
    by_pk = Vendor.objects.in_bulk([row["id"] for row in found[:size]])
    page = [by_pk[row["id"]] for row in found[:size] if row["id"] in by_pk]
    following = f"{page[-1].pk}~{page[-1].name}" if len(found) > size and page else ""
    return ListPage(page, following, is_first=not after)


def only_in_ramp(connection_id: uuid.UUID, text: str) -> list[RampVendor]:
    """Vendors of Ramp whose name begins with a text and that are linked to nobody; a few."""
    found = RampVendor.objects.filter(connection_id=connection_id, linked_erp_id="", is_active=True)
    return list(_named(found, text).order_by("-spend_minor", "pk")[:SEVERAL])


def linked_to(
    connection_id: uuid.UUID, erp_ids: Iterable[str]
) -> Mapping[str, Sequence[RampVendor]]:
    """Ramp's vendors by the ERP's id of what they are linked to. One statement."""
    found = RampVendor.objects.filter(
        connection_id=connection_id, linked_erp_id__in=[one for one in erp_ids if one]
    )
    by_id: dict[str, list[RampVendor]] = defaultdict(list)
    for vendor in found.exclude(linked_erp_id="").order_by("name", "pk"):
        by_id[vendor.linked_erp_id].append(vendor)
    return by_id


def wanted_links(vendors: Iterable[RampVendor]) -> Mapping[int, VendorLink]:
    """Links that are on their way, by our key of Ramp's vendor. One statement."""
    wanted = VendorLink.objects.filter(
        ramp_vendor__in=[one.pk for one in vendors], state=VendorLink.State.WANTED
    )
    return {link.ramp_vendor_id: link for link in wanted}


def counts(connection_id: uuid.UUID) -> Counts:
    """One statement."""
    (found,) = rows(_COUNTS, {"connection": connection_id, "most": MANY})
    return Counts(found["unlinked"], found["changes"], found["kept_links"])


def conflicts(
    connection_id: uuid.UUID, *, after: str = "", size: int = PAGE_SIZE
) -> ListPage[Conflict]:
    """Linked pairs that differ, or whose ERP side is gone. One statement."""
    number, _, erp_id = after.partition("~")
    key = _key(number)
    if key is None:
        key, erp_id = 0, ""
    place = {"connection": connection_id, "most": size + 1, "id": erp_id, "key": key}
    found = rows(_CONFLICTS, place)
    last = found[size - 1] if len(found) > size else None
    return ListPage(
        [_conflict(row) for row in found[:size]],
        f"{last['pk']}~{last['linked_erp_id']}" if last else "",
        is_first=not after,
    )


def differences(ramp: RampVendor, erp: Vendor) -> list[Difference]:
    """In which fields a vendor of Ramp's and one of the ERP's differ."""
    found = [
        (VendorField.EMAIL, ramp.email, erp.email),
        (VendorField.COUNTRY, ramp.country, erp.country),
    ]
    if ramp.match_key != erp.match_key:
        found.insert(0, (VendorField.NAME, ramp.name, erp.name))
    return [Difference(field, one, other) for field, one, other in found if _differ(one, other)]


def vendors_named(connection_id: uuid.UUID, erp_ids: Iterable[str]) -> Mapping[str, Vendor]:
    """The ERP's vendors by their ids. One statement."""
    found = Vendor.objects.filter(connection_id=connection_id, erp_id__in=set(erp_ids))
    return {vendor.erp_id: vendor for vendor in found}


def _named(found: Any, text: str) -> Any:
    return found.alias(upper_name=Upper(F("name"))).filter(upper_name__startswith=text.upper())


def _key(text: str) -> int | None:
    """A primary key as a cursor names it; None for anything else."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _whole_numbers(cursor: str) -> tuple[int | None, int]:
    first, _, second = cursor.partition("~")
    try:
        return int(first), int(second)
    except ValueError:
        return None, 0


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one.casefold().split() != other.casefold().split()


def _conflict(row: Mapping[str, Any]) -> Conflict:
    lost = ""
    if row["erp_name"] is None:
        lost = "is not in the ERP"
    elif row["merged_into"]:
        lost = "was merged into another one in the ERP"
    elif not row["is_wanted"]:
        lost = "is inactive in the ERP"
    pairs = [
        (VendorField.EMAIL, row["email"], row["erp_email"] or ""),
        (VendorField.COUNTRY, row["country"], row["erp_country"] or ""),
    ]
    if row["is_named_otherwise"]:
        pairs.insert(0, (VendorField.NAME, row["name"], row["erp_name"] or ""))
    return Conflict(
        ramp_vendor=row["pk"],
        ramp_id=row["ramp_id"],
        ramp_name=row["name"],
        erp_id=row["linked_erp_id"],
        erp_name=row["erp_name"] or row["linked_erp_id"],
        lost=lost,
        differences=[Difference(field, a, b) for field, a, b in pairs if _differ(a, b)],
        is_merged=bool(row["merged_into"]),
    )


_PLACE = "v.connection_id = %(connection)s AND (v.name, v.id) > (%(name)s, %(key)s)"
_ORDER = "ORDER BY v.name, v.id LIMIT %(most)s"
_BY_NAME = f"SELECT v.id, v.name FROM connections_vendor v WHERE {_PLACE} {_ORDER}"  # noqa: S608
_SEARCH = f"""
    SELECT id, name FROM (
        (SELECT v.id, v.name FROM connections_vendor v
         WHERE {_PLACE} AND upper(v.name) LIKE %(start)s {_ORDER})
        UNION
        (SELECT v.id, v.name FROM connections_vendor v
         WHERE {_PLACE} AND upper(v.code) LIKE %(start)s AND v.code <> '' {_ORDER})
        UNION
        (SELECT v.id, v.name FROM connections_vendor v
         WHERE {_PLACE} AND v.erp_id LIKE %(id_start)s {_ORDER})
    ) v {_ORDER}
"""  # noqa: S608  the pieces are constants of this file
_COUNTS = """
    SELECT
        (SELECT count(*) FROM (SELECT FROM connections_rampvendor
            WHERE connection_id = %(connection)s AND linked_erp_id = '' AND is_active
            LIMIT %(most)s) one) AS unlinked,
        (SELECT count(*) FROM (SELECT FROM connections_vendorchange
            WHERE connection_id = %(connection)s AND state IN ('found', 'checked')
            LIMIT %(most)s) one) AS changes,
        (SELECT count(*) FROM (SELECT FROM connections_vendorlink
            WHERE connection_id = %(connection)s AND state = 'wanted'
            LIMIT %(most)s) one) AS kept_links
"""
_CONFLICTS = """
    SELECT r.id AS pk, r.ramp_id, r.name, r.email, r.country, r.linked_erp_id,
           v.name AS erp_name, v.email AS erp_email, v.country AS erp_country, v.merged_into,
           (v.is_active AND v.gone_at IS NULL AND v.merged_into = '') AS is_wanted,
           r.match_key <> v.match_key AS is_named_otherwise
    FROM connections_rampvendor r
    LEFT JOIN connections_vendor v
      ON v.connection_id = r.connection_id AND v.erp_id = r.linked_erp_id
    WHERE r.connection_id = %(connection)s AND r.linked_erp_id <> '' AND r.is_active
      AND (r.linked_erp_id, r.id) > (%(id)s, %(key)s)
      AND (v.id IS NULL OR NOT v.is_active OR v.gone_at IS NOT NULL OR v.merged_into <> ''
           OR r.match_key <> v.match_key
           OR (r.email <> '' AND v.email <> '' AND lower(r.email) <> lower(v.email))
           OR (r.country <> '' AND v.country <> '' AND r.country <> v.country))
    ORDER BY r.linked_erp_id, r.id LIMIT %(most)s
"""
