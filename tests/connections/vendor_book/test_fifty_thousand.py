"""Fifty thousand vendors: what a page or a run reads does not grow with them."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection as database

from connections.models import Connection
from connections.vendor_book import candidates, changes, duplicates, following, queries
from connections.vendor_book.duplicates import Sharing
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db

MANY = 50_000


@pytest.fixture
def harbor() -> Connection:
    """A customer with 50,000 vendors in the ERP and 5,000 unlinked ones in Ramp."""
    mine: Connection = ConnectionFactory.create()
    _fill(mine)
    _execute("ANALYZE connections_vendor, connections_rampvendor")
    return mine


def _fill(connection: Connection) -> None:
    _execute(
        """
        INSERT INTO connections_vendor (connection_id, erp_id, name, code, is_active, email,
            country, updated_at)
        SELECT %s, n::text, 'Vendor ' || md5(n::text) || ' ' || n || ', Inc.', 'V-' || n, true,
               'ar@v' || n || '.com', 'US', now()
        FROM generate_series(1, %s) n
        """,
        [connection.pk, MANY],
    )
    _execute(
        """
        INSERT INTO connections_rampvendor (connection_id, ramp_id, name, is_active, country, state,
            email, tax_id_hint, bank_hint, merchant_id, linked_erp_id, spend_minor, spend_currency,
            spend_exponent, seen_at)
        SELECT %s, gen_random_uuid(), 'vendor ' || md5((n * 7)::text) || ' ' || n * 7, true, 'US',
               '', 'mail@v' || n * 7 || '.com', '', '', '', '', n, 'USD', 2, now()
        FROM generate_series(1, 5000) n
        """,
        [connection.pk],
    )


def _execute(sql: str, parameters: Any = None) -> None:
    with database.cursor() as cursor:
        cursor.execute(sql, parameters)


def read_by(work: Callable[[], object]) -> list[tuple[int, str]]:
    """Rows that each statement read from the two tables of vendors, and the statement."""
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip(" \n(").upper().startswith(("SELECT", "WITH", "UPDATE", "INSERT")):
            statements.append((sql, params))
        return execute(sql, params, many, context)

    with database.execute_wrapper(note):
        work()
    return [(_rows_read(sql, params), sql) for sql, params in statements]


def _rows_read(sql: str, params: Any) -> int:
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(sum(_scanned(plan[0]["Plan"])))


def _scanned(node: dict[str, Any]) -> Iterator[float]:
    """Rows each scan of vendors gave or threw away, in all its loops."""
    table = node.get("Relation Name", "") or node.get("Index Name", "")
    if "vendor" in str(table) and "Scan" in node["Node Type"]:
        given = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        yield given * node["Actual Loops"]
    for child in node.get("Plans", ()):
        yield from _scanned(child)


def most_read(work: Callable[[], object]) -> int:
    """By the hungriest statement."""
    return max(rows for rows, _ in read_by(work))


def test_what_pages_read_does_not_grow_with_the_vendors(harbor: Connection) -> None:
    """One test, for filling the tables takes longer than all of the reading."""
    page = queries.unlinked(harbor.pk).rows
    vendor = queries.search(harbor.pk).rows[0]
    last = f"0~Vendor {'f' * 20}"
    bounds: dict[str, tuple[Callable[[], object], int]] = {
        "the first page": (lambda: queries.search(harbor.pk), 300),
        "a page near the end": (lambda: queries.search(harbor.pk, after=last), 300),
        "search by name": (lambda: queries.search(harbor.pk, text="vendor 0a"), 3_000),
        "search by code": (lambda: queries.search(harbor.pk, text="v-4200"), 2_000),
        "search by id": (lambda: queries.search(harbor.pk, text="4200"), 2_000),
        "search for nobody": (lambda: queries.search(harbor.pk, text="zz"), 2_000),
        "unlinked": (lambda: queries.unlinked(harbor.pk), 200),
        "unlinked, half way": (lambda: queries.unlinked(harbor.pk, after="2500~0"), 200),
        "counts": (lambda: queries.counts(harbor.pk), 3_000),
        "suggestions": (lambda: candidates.candidates(harbor.pk, page), 50 * 20),
        "look-alikes": (lambda: duplicates.look_alikes(vendor), 500),
        "exact matches": (lambda: candidates.exact_matches(harbor.pk), 15_000),
    }

    read = {name: (most_read(work), bound) for name, (work, bound) in bounds.items()}

    assert {name: rows for name, (rows, bound) in read.items() if rows > bound} == {}
    assert len(candidates.candidates(harbor.pk, page)) == 50
    assert len(candidates.exact_matches(harbor.pk)) == 500
    # These look at everybody, but once: nobody is compared with everybody else.
    for sharing in Sharing:
        assert most_read(partial(duplicates.clusters, harbor.pk, sharing)) <= MANY + 1_000
    changes.find_bank_changes(harbor)  # the first sight of all of them
    assert most_read(lambda: following.follow_erp(harbor)) <= MANY + 1_000
