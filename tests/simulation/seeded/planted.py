"""Bugs planted on purpose, a line each: a simulation that finds nothing proves nothing until it has
been seen to find something."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import psycopg

Plant = Callable[[str], AbstractContextManager[object]]
"""Takes the database's address; the bug is there as long as the block. Django is set up by then."""


def _no_settle_delay(_: str) -> AbstractContextManager[object]:
    """An adapter says that requests die at once."""
    from tests.simulation.seeded import erp

    return patch.object(erp, "SETTLE_SECONDS", 0.0)


@contextmanager
def _no_intent(_: str) -> Iterator[None]:
    """Nothing is durable before the ERP is asked."""
    from syncing import claims, results
    from tests.simulation import ablations

    with (
        patch.object(claims, "begin_posting", claims.begin_posting),
        patch.object(results, "record_posted", results.record_posted),
    ):
        ablations.apply("intent")
        yield


def _no_lease_token(_: str) -> AbstractContextManager[object]:
    """Who has lost a lease writes all the same."""
    from syncing import results

    module: Any = results
    execute = module.execute
    mine = "AND i.lease_token = %(token)s"
    return patch.object(
        results, "execute", lambda sql, *given: execute(sql.replace(mine, ""), *given)
    )


@contextmanager
def _counter_token(url: str) -> Iterator[None]:
    """Lease tokens are numbers, which a database that forgets gives out twice."""
    from syncing import engine, recovery
    from syncing.statements import rows
    from tests.simulation.seeded import amnesia

    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE TABLE IF NOT EXISTS public.lease_counter (n bigint)")
        db.execute("INSERT INTO public.lease_counter VALUES (0)")

    def token() -> uuid.UUID:
        ((number,),) = rows("UPDATE public.lease_counter SET n = n + 1 RETURNING n", None)
        return uuid.UUID(int=number)

    counting = SimpleNamespace(uuid4=token, UUID=uuid.UUID)
    with (
        patch.object(engine, "uuid", counting),
        patch.object(recovery, "uuid", counting),
        patch.dict(amnesia.FORGOTTEN, {"lease_counter": "true"}),
    ):
        yield


def _not_ready_is_tried_again(_: str) -> AbstractContextManager[object]:
    """7062 is taken for trouble that passes."""
    from connections.ramp.errors import RampUnreachable
    from syncing import refused_reports

    def settle(*_: Any, why: str, **__: Any) -> None:
        raise RampUnreachable(why)

    return patch.object(refused_reports, "settle_not_ready", settle)


def _random_key(_: str) -> AbstractContextManager[object]:
    """Our reference is drawn, and dies with the row that it stands in."""
    from syncing import planning

    module: Any = planning
    document_for = module.document_for

    def drawn(*given: Any, **named: Any) -> Any:
        document = document_for(*given, **named)
        ref = replace(document.ref, tenant=f"{document.ref.tenant}~{uuid.uuid4()}")
        return replace(document, ref=ref)

    return patch.object(planning, "document_for", drawn)


def _body_not_frozen(_: str) -> AbstractContextManager[object]:
    """A report says what is true when it is sent, under the key that it was given before."""
    from syncing import outbox
    from syncing.models import SyncItem
    from syncing.reports import SYNC_TYPES

    send = outbox._send

    def send_more(batch: Any, ramp: Any) -> None:
        body = json.loads(bytes(batch.body))
        said = {line["id"] for line in body.get("successful_syncs", ())}
        others = SyncItem.objects.filter(
            connection=batch.connection_id,
            state__in=("POSTED", "ACKING"),
            object_type__in=[one for one, name in SYNC_TYPES.items() if name == batch.sync_type],
        )
        for item in others.exclude(ramp_id__in=said) if said else ():
            line = {"id": str(item.ramp_id), "reference_id": item.erp_number}
            body["successful_syncs"].append(line)
        batch.body = json.dumps(body).encode()
        send(batch, ramp)

    return patch.object(outbox, "_send", send_more)


@contextmanager
def _no_unique_index(url: str) -> Iterator[None]:
    """Nothing makes webhook, poll and button land on one row."""
    from syncing import snapshots

    with psycopg.connect(url, autocommit=True) as db:
        db.execute("ALTER TABLE syncing_syncitem DROP CONSTRAINT item_identity")
    conflict = "ON CONFLICT (connection_id, object_type, ramp_id, phase) DO UPDATE"
    store = snapshots._STORE.replace(conflict, "ON CONFLICT (id) DO UPDATE")
    with patch.object(snapshots, "_STORE", store):
        yield


def _float_money(_: str) -> AbstractContextManager[object]:
    """Amounts pass through a float on their way into a document."""
    from rampbridge.lib.money import Money

    def decimal(money: Any) -> Decimal:
        return Decimal(int(money.minor * 0.01 * 10**money.exponent)).scaleb(-money.exponent)

    return patch.object(Money, "decimal", property(decimal))


def _shared_client(_: str) -> AbstractContextManager[object]:
    """One client for all customers, with the token of whoever came first."""
    from connections import clients

    made: list[Any] = []
    ramp_client = clients.ramp_client

    def shared(connection: Any, **named: Any) -> Any:
        if not made or made[-1][0] != connection.slug.partition("-")[0]:
            made.append((connection.slug.partition("-")[0], ramp_client(connection, **named)))
        return made[-1][1]

    return patch.object(clients, "ramp_client", shared)


@contextmanager
def _blind_retry(_: str) -> Iterator[None]:
    """What was not answered is sent again without a look."""
    from syncing import recovery

    with (
        patch.object(recovery, "_look_up", lambda _, __, documents, ___: list(documents)),
        patch.object(recovery, "_absent_for_sure", lambda _, __, absent: list(absent)),
    ):
        yield


def _unfair_claim(_: str) -> AbstractContextManager[object]:
    """The first customer who has anything to do is rung for, and nobody else."""
    from syncing import schedule

    ring_sql = schedule._RING
    unfair = ring_sql.replace(
        "ORDER BY rung_at NULLS FIRST LIMIT %(limit)s", "ORDER BY connection_id LIMIT 1"
    )
    assert unfair != ring_sql
    return patch.object(schedule, "_RING", unfair)


def _hasty_payment(_: str) -> AbstractContextManager[object]:
    """A bill's payment waits for nothing."""
    from syncing import billing

    module: Any = billing
    next_step = module.next_step

    def hasty(payment: Any, bill: Any) -> Any:
        step = next_step(payment, bill)
        return billing.Pay(bill_is_ours=True) if isinstance(step, billing.Wait) else step

    return patch.object(billing, "next_step", hasty)


def _card_paid_twice(_: str) -> AbstractContextManager[object]:
    """What was paid by card is paid from the bank as well."""
    from syncing import decisions

    bank = decisions.BANK_METHODS | decisions.CARD_METHODS
    return patch.multiple(decisions, CARD_METHODS=frozenset(), BANK_METHODS=bank)


@contextmanager
def _payment_told_first(_: str) -> Iterator[None]:
    """Ramp is told of a payment whether it knows of the bill or not."""
    from syncing import reports

    with ExitStack() as undo:
        for name in ("SUCCESS_WAITS", "FAILURE_WAITS", "_SUCCESSES", "_DUE"):
            hasty = getattr(reports, name).replace(reports._AFTER_ITS_BILL, "true")
            undo.enter_context(patch.object(reports, name, hasty))
        yield


def _mute_button(_: str) -> AbstractContextManager[object]:
    """Reports do not name the press of the sync button that they answer."""
    from syncing import reports

    module: Any = reports
    due = module.due
    return patch.object(reports, "due", lambda *given: replace(due(*given), requests=()))


def _press_forgotten(_: str) -> AbstractContextManager[object]:
    """Whoever dies over a press of the sync button has nobody after them."""
    from syncing import sync_requests

    return patch.object(sync_requests, "open_connections", list)


def _button_never_stops(_: str) -> AbstractContextManager[object]:
    """What Ramp is about to call failed is begun all the same."""
    from syncing import claims, sync_requests

    late = claims._LOCK_READY.replace(sync_requests.MAY_BE_SENT, "true")
    return patch.object(claims, "_LOCK_READY", late)


@contextmanager
def _chart_not_looked_up(_: str) -> Iterator[None]:
    """An upload whose answer is lost, or that Ramp has already, is not looked for."""
    from connections.mirror import lookup

    with (
        patch.object(lookup, "landed", lambda *_: []),
        patch.object(lookup, "known", lambda *_: []),
    ):
        yield


def _half_a_list(_: str) -> AbstractContextManager[object]:
    """What a list had not come to when it broke off is taken for gone."""
    from connections.erp.errors import ErpError
    from connections.mirror import reading

    walk: Any = reading._Walk
    read = walk.read

    def hasty(self: Any, *given: Any) -> None:
        try:
            read(self, *given)
        except ErpError:
            for shelf in self.shelves:
                self._drop_absent(shelf)
            raise

    return patch.object(walk, "read", hasty)


@contextmanager
def _two_at_a_chart(_: str) -> Iterator[None]:
    """Nobody asks whether somebody else is at a customer's chart."""
    from connections.mirror import schedule

    module: Any = schedule
    rows, execute = module.rows, module.execute
    free = "(m.lease_until IS NULL OR m.lease_until < statement_timestamp())"
    mine = "AND lease_token = %s"
    with (
        patch.object(schedule, "rows", lambda sql, *given: rows(sql.replace(free, "true"), *given)),
        patch.object(
            schedule,
            "execute",
            lambda sql, *given: execute(sql.replace(mine, "AND %s IS NOT NULL"), *given),
        ),
    ):
        yield


def _connection_made_twice(_: str) -> AbstractContextManager[object]:
    """Nobody looks whether an earlier try has made our connection in Ramp already."""
    from migrations_tool.newcomer import making

    return patch.object(making, "_left_from_before", lambda *_: None)


PLANTED: Mapping[str, Plant] = {
    "no settle delay": _no_settle_delay,
    "no intent": _no_intent,
    "no lease token": _no_lease_token,
    "counter token": _counter_token,
    "7062 as retry": _not_ready_is_tried_again,
    "random key": _random_key,
    "unfrozen body": _body_not_frozen,
    "no unique index": _no_unique_index,
    "float money": _float_money,
    "shared client": _shared_client,
    "blind retry": _blind_retry,
    "unfair claim": _unfair_claim,
    "hasty payment": _hasty_payment,
    "card paid twice": _card_paid_twice,
    "payment told first": _payment_told_first,
    "mute button": _mute_button,
    "press forgotten": _press_forgotten,
    "button never stops": _button_never_stops,
    "chart not looked up": _chart_not_looked_up,
    "half a list": _half_a_list,
    "two at a chart": _two_at_a_chart,
    "connection made twice": _connection_made_twice,
}
"""By name."""
