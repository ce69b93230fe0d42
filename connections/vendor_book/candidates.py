"""Which vendors of the ERP an unlinked vendor of Ramp may be: looked up by what they share.

One statement for a page of vendors, by indexes: it reads as much with fifty vendors in the ERP as
with fifty thousand.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connections.models import RampVendor, VendorCreation
from connections.vendor_book.evidence import (
    Face,
    Match,
    codes_in,
    compare,
    is_own_domain,
    starts_of,
)
from connections.vendor_book.statements import WANTED, rows

PER_WAY = 5
"""Vendors looked at for each thing that may be shared."""
SHOWN = 3
MOST_AT_ONCE = 500
"""Vendors linked by one confirmation."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A vendor of the ERP, and why it may be the one."""

    erp_id: str
    name: str
    code: str
    is_in_ramp: bool
    match: Match


def candidates(
    connection_id: uuid.UUID, vendors: Sequence[RampVendor], *, limit: int = SHOWN
) -> Mapping[int, list[Candidate]]:
    """By the vendor's primary key, the likeliest first. Two statements."""
    if not vendors:
        return {}
    merchants = _coded_merchants(connection_id, vendors)
    asked = [one for vendor in vendors for one in _questions(vendor, merchants)]
    found = rows(
        _LOOK_UP,
        {
            "connection": connection_id,
            "ids": [one[0] for one in asked],
            "ways": [one[1] for one in asked],
            "keys": [one[2] for one in asked],
            "most": PER_WAY,
        },
    )
    by_pk = {vendor.pk: vendor for vendor in vendors}
    graded: dict[int, list[Candidate]] = defaultdict(list)
    for row in found:
        vendor = by_pk[row["ramp_pk"]]
        is_merchants = merchants.get(vendor.merchant_id) == row["erp_id"]
        match = compare(face_of(vendor), _face(row), by_merchant=is_merchants)
        if match:
            graded[vendor.pk].append(_candidate(row, match))
    for some in graded.values():
        some.sort(key=lambda one: (-one.match.points, one.name, one.erp_id))
        del some[limit:]
    return graded


def exact_matches(connection_id: uuid.UUID) -> list[tuple[int, str]]:
    """(primary key, ERP id) of unlinked vendors with one namesake, and nothing against it.

    Of the five hundred with the most spend, so that it costs the same however many there are.
    """
    found = rows(_EXACT, {"connection": connection_id, "most": MOST_AT_ONCE})
    return [(row["id"], row["erp_id"]) for row in found]


def face_of(vendor: RampVendor) -> Face:
    """What is compared of a vendor of Ramp's."""
    return Face(
        name=vendor.name,
        match_key=vendor.match_key,
        email_domain=vendor.email_domain,
        country=vendor.country,
        tax_id_hint=vendor.tax_id_hint,
        bank_hint=vendor.bank_hint,
    )


def _questions(vendor: RampVendor, merchants: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    if vendor.match_key:
        yield vendor.pk, "start", vendor.match_key
        for start in starts_of(vendor.name, vendor.match_key):
            yield vendor.pk, "name", start
    for code in codes_in(vendor.name):
        yield vendor.pk, "code", code
    if is_own_domain(vendor.email_domain):
        yield vendor.pk, "domain", vendor.email_domain
    if erp_id := merchants.get(vendor.merchant_id):
        yield vendor.pk, "id", erp_id


def _coded_merchants(connection_id: uuid.UUID, vendors: Sequence[RampVendor]) -> Mapping[str, str]:
    """The ERP's vendors that merchants of these became, by the merchant's id."""
    named = {vendor.merchant_id for vendor in vendors if vendor.merchant_id}
    if not named:
        return {}
    made = VendorCreation.objects.filter(connection_id=connection_id, merchant_id__in=named)
    return dict(made.exclude(erp_id="").values_list("merchant_id", "erp_id"))


def _face(row: Mapping[str, Any]) -> Face:
    return Face(
        name=row["name"],
        match_key=row["match_key"],
        code=row["code"],
        email_domain=row["email_domain"],
        country=row["country"],
        tax_id_hint=row["tax_id_hint"],
        bank_hint=row["bank_hint"],
    )


def _candidate(row: Mapping[str, Any], match: Match) -> Candidate:
    return Candidate(row["erp_id"], row["name"], row["code"], row["is_in_ramp"], match)


_WAYS = {
    "name": "v.match_key = a.key",
    # The bytes that no text reaches: everything that begins with the key lies between.
    "start": """v.match_key >= a.key AND v.match_key <= a.key || chr(1114111)
                AND (v.match_key = a.key OR length(a.key) >= 6)""",
    "code": "upper(v.code) = a.key AND v.code <> ''",
    "domain": "v.email_domain = a.key AND v.email_domain <> ''",
    "id": "v.erp_id = a.key",
}
_COLUMNS = """erp_id, name, code, match_key, email_domain, country, tax_id_hint, bank_hint,
    v.ramp_id IS NOT NULL AS is_in_ramp"""
_ORDER = {"name": "v.match_key, v.erp_id", "start": "v.match_key, v.erp_id"}
"""An order that an index has tempts the planner to walk that index instead of looking up what is
asked for: fifteen seconds, seen with 50,000 vendors. So what is looked up otherwise is sorted by
what no index has.
"""
_ASKED = """
    WITH asked AS MATERIALIZED (
        SELECT * FROM unnest(%(ids)s::bigint[], %(ways)s::text[], %(keys)s::text[])
            AS asked(ramp_pk, way, key)
    )
"""
_LOOK_UP = _ASKED + " UNION ".join(
    f"""
    SELECT a.ramp_pk, found.* FROM asked a CROSS JOIN LATERAL (
        SELECT {_COLUMNS} FROM connections_vendor v
        WHERE v.connection_id = %(connection)s AND {where} AND {WANTED}
        ORDER BY {_ORDER.get(way, "v.id + 0")} LIMIT %(most)s
    ) found WHERE a.way = '{way}'
    """  # noqa: S608  the pieces are constants of this file
    for way, where in _WAYS.items()
)

_EXACT = f"""
    SELECT u.id, found.erp_id
    FROM (
        SELECT id, match_key, country, tax_id_hint, spend_minor FROM connections_rampvendor r
        WHERE connection_id = %(connection)s AND linked_erp_id = '' AND is_active
          AND match_key <> ''
          AND NOT EXISTS (
              SELECT FROM connections_vendorlink l
              WHERE l.ramp_vendor_id = r.id AND l.state = 'wanted')
        ORDER BY spend_minor DESC, id LIMIT %(most)s
    ) u
    CROSS JOIN LATERAL (
        SELECT min(erp_id) AS erp_id, min(country) AS country, min(tax_id_hint) AS tax_id_hint,
               count(*) AS namesakes
        FROM (
            SELECT erp_id, country, tax_id_hint FROM connections_vendor v
            WHERE v.connection_id = %(connection)s AND v.match_key = u.match_key AND {WANTED}
            LIMIT 2
        ) two
    ) found
    WHERE found.namesakes = 1
      AND (u.country = found.country OR '' IN (u.country, found.country))
      AND (u.tax_id_hint = found.tax_id_hint OR '' IN (u.tax_id_hint, found.tax_id_hint))
      AND NOT EXISTS (
          SELECT FROM connections_rampvendor other
          WHERE other.connection_id = %(connection)s AND other.match_key = u.match_key
            AND other.id <> u.id AND other.is_active)
    ORDER BY u.spend_minor DESC, u.id
"""  # noqa: S608  the pieces are constants of this file
