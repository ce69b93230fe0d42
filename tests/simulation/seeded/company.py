"""The customers of one run, on all three sides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from connections import clients
from connections.erp.records import DocKind, Idempotency
from connections.models import Connection
from connections.ramp_simulator import scenarios
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from syncing.models import Schedule
from tests.simulation import customers
from tests.simulation.ledgers import SUPPLIERS
from tests.simulation.seeded import clone
from tests.simulation.seeded.erp import Line, SimulatedErp
from tests.simulation.seeded.shape import BILL


@dataclass(frozen=True, slots=True)
class Company:
    """One customer."""

    slug: str
    connection: Connection
    business: BusinessHandle
    erp: SimulatedErp


def found(
    sim: Simulator,
    line: Line,
    slugs: Sequence[str],
    classes: Sequence[Idempotency],
    types: Sequence[str],
    known: dict[str, SimulatedErp],
    *,
    moves: bool = False,
) -> list[Company]:
    """New customers, live and mapped, whose ERPs are of these classes.

    :param moves: Ramp itself runs the integration that they have so far
    """
    clients._adapters.clear()
    companies = []
    with sim.world.change():
        for slug in slugs:
            scenarios._found(sim.world, replace(clone.PLAN, key=slug, name=slug))
    for slug, idempotency in zip(slugs, classes, strict=True):
        business = sim.business(slug)
        known[slug] = SimulatedErp(line, slug, business.id, idempotency)
        vendors = SUPPLIERS if BILL in types else ()
        if moves:
            business.connect_provider(vendors=SUPPLIERS)
        else:
            business.upload_chart(
                accounts=customers.CHART, vendors=[{"id": name, "name": name} for name in vendors]
            )
        connection = clone.connect(business, list(types))
        companies.append(Company(slug, connection, business, known[slug]))
    return companies


def retire(companies: Sequence[Company]) -> None:
    """Leave nothing that a sweep of a later run would look at."""
    ids = [one.connection.pk for one in companies]
    Schedule.objects.filter(pk__in=ids).delete()
    Connection.objects.filter(pk__in=ids).update(stage=Connection.Stage.CLOSED)


def is_booked(companies: Sequence[Company], slug: str, sync_type: str, ramp_id: str) -> bool:
    """Whether the document that a report of this type stands for is in the customer's books."""
    (company,) = (one for one in companies if one.slug == slug)
    kinds = _KINDS.get(sync_type, (DocKind.JOURNAL,))
    return any(
        entry.doc.ref.ramp_id == ramp_id and entry.doc.ref.kind in kinds
        for entry in company.erp.books.entries
    )


_KINDS = {
    "BILL_SYNC": (DocKind.BILL,),
    "BILL_PAYMENT_SYNC": (DocKind.BILL_PAYMENT, DocKind.BILL),
}
