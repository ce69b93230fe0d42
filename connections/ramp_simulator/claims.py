"""People paid for something themselves and want it back, or owe something to the business."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connections.ramp_simulator import receipts, splits
from connections.ramp_simulator.money_records import Direction, Reimbursement
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import Person, SyncStatus
from connections.ramp_simulator.world import World

KINDS = ("MILEAGE", "OUT_OF_POCKET", "PAYBACK_FULL", "PAYBACK_PARTIAL", "PER_DIEM")
_NOT_YET_APPROVED = {"DRAFT", "INIT", "PENDING", "REJECTED"}
_PAID = {"REIMBURSED", "REIMBURSED_VIA_PUSH"}


@dataclass(slots=True, kw_only=True)
class Claim:
    """What someone claims: amounts in minor units of what is paid out.

    `lines` are minor units and account codes; without them there is one line of `account_code`.
    `original` is what was spent, where that was in another currency; lines are in it then.
    """

    minor: int
    merchant: str
    account_code: str | None = None
    lines: Sequence[tuple[int, str | None]] = ()
    original: tuple[int, str] | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    memo: str | None = None
    at: datetime | None = None
    accounting_date: datetime | None = None
    direction: Direction | str = Direction.BUSINESS_TO_USER
    kind: str = "OUT_OF_POCKET"
    state: str = "REIMBURSED"
    entity_id: str | None = None
    person_id: str | None = None
    has_receipt: bool = True
    vendor_name: str | None = None
    distance: float | None = None


def file_claim(world: World, business: str, claim: Claim) -> Reimbursement:
    """It is handed in, and approved or paid if its state says so; not ready for the ERP yet.

    :raises NotPossible: if there is nobody there, or no such kind of claim
    """
    if claim.kind not in KINDS:
        raise NotPossible(f"There is no claim {claim.kind}; there are {', '.join(KINDS)}.")
    ids = world.ids
    seq = ids.rank()
    person = _claimant(world, business, claim, seq)
    entity = world.entities.get(person.entity_id)
    assert entity is not None
    at = claim.at or world.clock()
    original_minor, original_currency = claim.original or (None, None)
    row = world.reimbursements.put(
        Reimbursement(
            id=ids.uuid(),
            seq=seq,
            business=business,
            entity_id=entity.id,
            person_id=person.id,
            minor=claim.minor,
            currency=entity.currency,
            sync_status=SyncStatus.NOT_SYNC_READY,
            updated_at=at,
            lines=splits.split(
                claim.lines or [(claim.minor, claim.account_code)], entity.currency, claim.original
            ),
            memo=claim.memo,
            accounting_date=claim.accounting_date or at,
            vendor_name=claim.vendor_name or claim.merchant,
            options=dict(claim.options),
            direction=Direction(claim.direction),
            kind=claim.kind,
            state=claim.state,
            merchant_name=claim.merchant,
            transaction_date=(at - timedelta(days=1)).date(),
            created_at=at,
            submitted_at=None if claim.state == "DRAFT" else at,
            approved_at=None if claim.state in _NOT_YET_APPROVED else at,
            original_minor=original_minor,
            original_currency=original_currency,
            payment_id=ids.secret("R", 9).upper() if claim.state in _PAID else None,
            distance=claim.distance,
        )
    )
    if claim.has_receipt:
        receipts.issue(world, row)
    return row


def _claimant(world: World, business: str, claim: Claim, turn: int) -> Person:
    people = [
        person
        for person in world.people.of(business)
        if claim.entity_id in {None, person.entity_id} and claim.person_id in {None, person.id}
    ]
    if not people:
        raise NotPossible("Nobody like that works in this business.")
    return people[turn % len(people)]
