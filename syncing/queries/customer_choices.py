"""What customers can be narrowed to: the ERPs, owners and tags that they have."""

from collections.abc import Sequence
from dataclasses import dataclass

from syncing.statements import rows


@dataclass(frozen=True, slots=True)
class Choices:
    """What the list can be narrowed to."""

    erps: Sequence[str]
    owners: Sequence[str]
    tags: Sequence[str]


def each_value_of(column: str) -> str:
    """SQL of the values that open customers have in a column, but for none, in order.

    It goes from one value to the next by the column's index, so it costs what there are values and
    not what there are customers.
    """
    of_open = f"FROM connections_connection WHERE stage <> 'closed' AND {column} "
    return f"""
        WITH RECURSIVE each (value) AS (
            (SELECT {column} {of_open} <> '' ORDER BY {column} LIMIT 1)
            UNION ALL
            SELECT (SELECT {column} {of_open} <> '' AND {column} > each.value
                    ORDER BY {column} LIMIT 1)
            FROM each WHERE each.value IS NOT NULL
        )
        SELECT value FROM each WHERE value IS NOT NULL
        """  # noqa: S608  names of columns


def kinds_of_erp() -> list[tuple[str, str]]:
    """The kinds of ERP that open customers have, each with a name that one of them calls it by. One
    statement."""
    found = rows(
        f"""
        SELECT value, (
            SELECT erp_name FROM connections_connection
            WHERE stage <> 'closed' AND erp_kind = kinds.value ORDER BY erp_name DESC LIMIT 1
        )
        FROM ({each_value_of("erp_kind")}) kinds
        """,  # noqa: S608  names of columns
        None,
    )
    return [(kind, name) for kind, name in found]


def choices() -> Choices:
    """Read them. One statement."""
    found: dict[str, list[str]] = {"erp": [], "owner": [], "tag": []}
    for what, value in rows(
        f"""
        SELECT 'erp', value FROM ({each_value_of("erp_name")}) erps
        UNION ALL SELECT 'owner', value FROM ({each_value_of("owner")}) owners
        UNION ALL SELECT 'tag', value FROM (
            SELECT DISTINCT unnest(tags) AS value FROM connections_connection
            WHERE stage <> 'closed' AND tags <> '{{}}'
        ) tags
        ORDER BY 1, 2
        """,  # noqa: S608  the text above
        [],
    ):
        found[what].append(value)
    return Choices(found["erp"], found["owner"], found["tag"])
