"""Everything about one customer that helps somebody else to help, as text. Pure.

No credential, no account number and nothing of Ramp's or the ERP's raw answers is in it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from syncing.queries.customer_errors import Cause
from syncing.queries.customer_stream import Line
from syncing.queries.fleet import CustomerRow
from syncing.queries.standing import Standing, is_open
from syncing.queries.words import LOOKS, type_label


def of_customer(
    row: CustomerRow,
    lines: Sequence[Standing],
    causes: Sequence[Cause],
    events: Sequence[Line],
    *,
    sentence: str,
    now: datetime,
) -> str:
    """The text, each fact on a line of its own."""
    parts = [*_head(row, sentence, now), *_open(lines), *_wrong(causes), *_happened(events)]
    return "\n".join(parts) + "\n"


def _head(row: CustomerRow, sentence: str, now: datetime) -> Iterator[str]:
    connection, schedule = row.connection, row.schedule
    yield f"{connection.name} ({connection.slug}), as of {_at(now)}"
    yield sentence
    yield ""
    yield f"Connection: {connection.pk}"
    yield f"Ramp business: {connection.ramp_business_id or 'not known'}"
    yield f"ERP: {connection.erp_name} ({connection.erp_kind})"
    yield f"Stage: {connection.get_stage_display()}; time zone: {connection.time_zone}"
    yield f"Owner: {connection.owner or 'nobody'}"
    if schedule is not None:
        yield f"Ramp read: {_at(schedule.last_poll_at)}"
        yield f"Last document: {_at(schedule.last_posted_at)}"
        yield f"Ramp confirmed: {_at(schedule.last_acked_at)}"
        if schedule.blocked_at:
            yield f"Blocked since {_at(schedule.blocked_at)}: {schedule.blocked_title}"


def _open(lines: Sequence[Standing]) -> Iterator[str]:
    yield ""
    yield "Open items"
    found = sorted(
        (line for line in lines if is_open(line) and line.items),
        key=lambda line: (line.object_type, line.word, line.money.currency),
    )
    for line in found:
        label = LOOKS[line.word].label.lower()
        yield f"- {type_label(line.object_type)}: {line.items} {label}, {line.money}"
    if not found:
        yield "- none"


def _wrong(causes: Sequence[Cause]) -> Iterator[str]:
    yield ""
    yield "Errors"
    for one in causes:
        owner = f", {one.owner}" if one.owner else ""
        yield f"- {one.items} x {one.code}: {one.title} ({one.party_label.lower()}{owner})"
    if not causes:
        yield "- none"


def _happened(events: Sequence[Line]) -> Iterator[str]:
    yield ""
    yield "What happened last"
    for line in events:
        who = f" by {line.who}" if line.who else ""
        yield f"- {_at(line.at)}: {line.title}{who}"
    if not events:
        yield "- nothing"


def _at(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "never"
