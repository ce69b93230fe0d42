"""Put one object through the mappers that post, and keep what comes of it. Nothing is posted."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connections.mapping_book import revisions
from connections.mapping_sets import mapping_set
from connections.mappings import MappingSet, MissingMapping
from connections.models import Connection
from connections.ramp.errors import SchemaSurprise
from migrations_tool.models import Backup, ConnectionMigration, RehearsedObject, StepRun
from migrations_tool.old_chart.translation import Translation
from migrations_tool.rehearsal.choosing import Chosen, text_of
from migrations_tool.rehearsal.comparing import Difference, differences
from migrations_tool.rehearsal.names import Names
from syncing.cannot_post import CannotPost
from syncing.classifier import SyncFailure, classify, unexpected, unreadable
from syncing.posting import document_for

Verdict = RehearsedObject.Verdict
US = "rampbridge"
BY_MAPPING = "As the mapping says."
OUR_MOVE = "It is ours to mend: tell an admin, with the object's id."
SET_UP = "Set it up among the customer's entities and accounts, then rehearse again."
_NOT_SET_UP = frozenset({"mapping.entity", "mapping.posting_profile"})
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """What all objects of a rehearsal are put through."""

    migration: ConnectionMigration
    run: StepRun
    mappings: MappingSet
    translation: Translation | None
    """None on the path without an old connection: objects carry the ERP's own ids."""
    names: Names


def basis_of(connection: Connection, version: str, archive: Backup | None) -> str:
    """A digest of what a rehearsal depends on: the same basis gives the same documents."""
    mappings = mapping_set(connection)
    parts = (
        version,
        str(archive.number if archive else 0),
        str(revisions.newest_number(connection)),
        repr(sorted(mappings.profiles.items())),
        repr(sorted(mappings.entities.items())),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def replay(stage: Stage, one: Chosen) -> RehearsedObject:
    """Rehearse one object; again it changes its row. An explanation stays if it is still of the
    same."""
    try:
        shown = one.kind.snapshot(one.kind.model.parse(text_of(one.raw)))
    except SchemaSurprise as surprise:
        return _keep(stage, one, _unreadable(one.raw), _held(unreadable(str(surprise))))
    money = shown.money
    header = {
        "label": shown.label[:300],
        "spent_on": shown.accounting_date,
        "amount_minor": money.minor,
        "currency": money.currency,
        "exponent": money.exponent,
    }
    return _keep(stage, one, header, _outcome(stage, one))


def _outcome(stage: Stage, one: Chosen) -> dict[str, Any]:
    connection = stage.migration.connection
    body = stage.translation.body(one.raw) if stage.translation else one.raw
    try:
        document = document_for(
            one.kind.object_type,
            text_of(body),
            mappings=stage.mappings,
            tenant=str(connection.ramp_business_id),
        )
    except (CannotPost, MissingMapping) as error:
        return _held(classify(error, erp_name=connection.erp_name))
    except SchemaSurprise as surprise:
        return _held(unreadable(str(surprise)))
    except Exception as error:  # judged, as when an item is posted
        _logger.exception("A %s could not be rehearsed.", one.kind.object_type)
        return _held(unexpected(error))
    found: list[Difference] = []
    if stage.translation is not None:
        before = one.kind.model.parse(text_of(one.raw))
        found = differences(before, document, stage.translation, stage.names)
    is_intended = bool(found) and all(one.why for one in found)
    return {
        "verdict": Verdict.DIFFERS if found else Verdict.SAME,
        "document": document.to_json(),
        "differences": [one.to_json() for one in found],
        "problem": "",
        "fix": "",
        "explained_as": BY_MAPPING if is_intended else "",
        "explained_by": US if is_intended else "",
    }


def _held(failure: SyncFailure) -> dict[str, Any]:
    return {
        "verdict": Verdict.HELD,
        "document": None,
        "differences": [],
        "problem": failure.title[:500],
        "fix": _fix(failure)[:500],
        "explained_as": "",
        "explained_by": "",
    }


def _fix(failure: SyncFailure) -> str:
    """What to do before the switch, where production would only name a contact."""
    return SET_UP if failure.code in _NOT_SET_UP else failure.fix or OUR_MOVE


def _unreadable(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What a page shows of an object that Ramp's contract does not foresee."""
    return {
        "label": f"Unreadable object {raw.get('id')}"[:300],
        "spent_on": None,
        "amount_minor": 0,
        "currency": "USD",
        "exponent": 2,
    }


def _keep(
    stage: Stage, one: Chosen, header: Mapping[str, Any], outcome: dict[str, Any]
) -> RehearsedObject:
    key: dict[str, Any] = {
        "migration": stage.migration,
        "object_type": one.kind.object_type,
        "ramp_id": one.ramp_id,
    }
    known = RehearsedObject.objects.filter(**key).first()
    if known and not outcome["explained_as"] and _is_the_same(known, outcome):
        outcome |= {"explained_as": known.explained_as, "explained_by": known.explained_by}
    row, _ = RehearsedObject.objects.update_or_create(
        **key, defaults={"run": stage.run, **header, **outcome}
    )
    return row


def _is_the_same(known: RehearsedObject, outcome: Mapping[str, Any]) -> bool:
    compared = ("verdict", "problem", "differences")
    return all(getattr(known, name) == outcome[name] for name in compared)
