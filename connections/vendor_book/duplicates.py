"""Vendors of the ERP that look alike (R-42), or share what should be nobody else's (R-35).

Groups are read from an index in its order, a page at a time, so that no vendor is ever compared
with every other. What people have called two stays two.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from django.db import transaction

from connections import audit
from connections.models import Connection, SeparateVendors, Vendor
from connections.vendor_book.statements import WANTED, rows
from rampbridge.lib.statements import execute

PAGE_SIZE = 20
LARGEST = 12
"""Vendors of one group that are shown, and that can be kept apart at once."""


class Sharing(StrEnum):
    """What vendors of a group have in common."""

    NAME = "name"
    TAX_ID = "tax-id"
    BANK = "bank"
    CODE = "code"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Sharing.NAME: "same name but for spelling or legal form",
    Sharing.TAX_ID: "same tax id",
    Sharing.BANK: "same bank account",
    Sharing.CODE: "same code",
}
_COLUMN = {
    Sharing.NAME: "v.match_key",
    Sharing.TAX_ID: "v.tax_id_digest",
    Sharing.BANK: "v.bank_digest",
    Sharing.CODE: "upper(v.code)",
}
_NOT_EMPTY = {
    Sharing.NAME: "v.match_key <> ''",
    Sharing.TAX_ID: "v.tax_id_digest <> ''",
    Sharing.BANK: "v.bank_digest <> ''",
    Sharing.CODE: "v.code <> ''",
}


class TooManyToKeep(Exception):
    """The group is too large to be kept apart at once. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Vendors that may be one."""

    key: str
    sharing: Sharing
    vendors: Sequence[Vendor]
    is_more: bool

    @property
    def reason(self) -> str:
        return self.sharing.words


@dataclass(frozen=True, slots=True)
class ClusterPage:
    """Some groups, and where the next page begins."""

    clusters: Sequence[Cluster]
    next: str
    """The last group's key if there are more; else empty."""


def clusters(
    connection_id: uuid.UUID, sharing: Sharing, *, after: str = "", size: int = PAGE_SIZE
) -> ClusterPage:
    """Groups that nobody has called separate, by what they share. Two statements."""
    found = rows(_groups(sharing), {"connection": connection_id, "after": after, "most": size + 1})
    shown = found[:size]
    members = [one for row in shown for one in row["members"][:LARGEST]]
    vendors = Vendor.objects.filter(connection_id=connection_id, erp_id__in=members)
    by_id = {vendor.erp_id: vendor for vendor in vendors}
    return ClusterPage(
        clusters=[
            Cluster(
                key=row["key"],
                sharing=sharing,
                vendors=[by_id[one] for one in row["members"][:LARGEST] if one in by_id],
                is_more=len(row["members"]) > LARGEST,
            )
            for row in shown
        ],
        next=shown[-1]["key"] if len(found) > size else "",
    )


def look_alikes(vendor: Vendor) -> dict[Sharing, list[Vendor]]:
    """Other vendors that share something with one, whatever was said of them. One statement."""
    found = rows(_LOOK_ALIKES, {"connection": vendor.connection_id, "id": vendor.pk, "most": 20})
    others = Vendor.objects.in_bulk([row["id"] for row in found])
    alike: dict[Sharing, list[Vendor]] = defaultdict(list)
    for row in found:
        alike[Sharing(row["sharing"])].append(others[row["id"]])
    return dict(alike)


@transaction.atomic
def keep_separate(
    connection: Connection, erp_ids: Sequence[str], *, actor: str, reason: str = ""
) -> int:
    """Remember that vendors which look alike are not one. Returns how many pairs are new.

    :raises TooManyToKeep: if there are more than twelve
    """
    ids = sorted(set(erp_ids))
    if len(ids) > LARGEST:
        raise TooManyToKeep(f"Choose {LARGEST} vendors at most; {len(ids)} were chosen.")
    pairs = list(combinations(ids, 2))
    audit.record(
        actor,
        "vendors.separate",
        f"Said that {len(ids)} vendors that look alike are several: {', '.join(ids)}.",
        connection_id=connection.pk,
        subject="vendor",
        subject_id=ids[0] if ids else "",
        data={"vendors": ids},
    )
    return execute(
        """
        INSERT INTO connections_separatevendors
            (connection_id, first_erp_id, second_erp_id, reason, actor, decided_at)
        SELECT %(connection)s, least(one, other), greatest(one, other), %(reason)s, %(actor)s, now()
        FROM unnest(%(ones)s::text[], %(others)s::text[]) AS pairs(one, other)
        WHERE one <> other
        ON CONFLICT DO NOTHING
        """,
        {
            "connection": connection.pk,
            "reason": reason[:300],
            "actor": actor,
            "ones": [one for one, _ in pairs],
            "others": [other for _, other in pairs],
        },
    )


@transaction.atomic
def take_back(connection: Connection, *, first: str, second: str, actor: str) -> bool:
    """Two vendors may be one after all."""
    kept = SeparateVendors.objects.filter(
        connection=connection, first_erp_id__in=(first, second), second_erp_id__in=(first, second)
    )
    is_taken = bool(kept.delete()[0])
    if is_taken:
        audit.record(
            actor,
            "vendors.not_separate",
            f"Said that the vendors {first} and {second} may be one after all.",
            connection_id=connection.pk,
            subject="vendor",
            subject_id=first,
        )
    return is_taken


def _groups(sharing: Sharing) -> str:
    column = _COLUMN[sharing]
    return f"""
        SELECT key, members FROM (
            SELECT {column} AS key, array_agg(v.erp_id ORDER BY v.erp_id) AS members
            FROM connections_vendor v
            WHERE v.connection_id = %(connection)s AND {WANTED} AND {_NOT_EMPTY[sharing]}
              AND {column} > %(after)s
            GROUP BY {column} HAVING count(*) > 1
        ) groups
        WHERE cardinality(members) * (cardinality(members) - 1) / 2 > (
            SELECT count(*) FROM connections_separatevendors s
            WHERE s.connection_id = %(connection)s
              AND s.first_erp_id = ANY(members) AND s.second_erp_id = ANY(members))
        ORDER BY key LIMIT %(most)s
    """  # noqa: S608  the pieces are constants of this file


# By what no index has, see `candidates`.
_LOOK_ALIKES = " UNION ALL ".join(
    f"""
    (SELECT '{sharing.value}' AS sharing, v.id FROM connections_vendor v, connections_vendor mine
     WHERE mine.id = %(id)s AND v.connection_id = %(connection)s AND v.id <> mine.id AND {WANTED}
       AND {_NOT_EMPTY[sharing]} AND {_COLUMN[sharing]} = {_COLUMN[sharing].replace("v.", "mine.")}
     ORDER BY v.id + 0 LIMIT %(most)s)
    """  # noqa: S608
    for sharing in Sharing
)
