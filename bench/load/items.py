"""Lines of COPY for the items of a made-up fleet: most are through, some wait for somebody.

What is alike in all of them is left to the columns' defaults, see `loading`.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from bench.load.causes import CAUSES, Cause
from bench.load.names import MEMOS, Often, merchants, people

SPAN = timedelta(days=730)
"""How far back the first item became ready."""
CHUNK = 10_000
RECENT = 0.01
"""Of the newest hundredth half is open still, of the others one in forty."""
OPEN_RECENT, OPEN_OLD = 0.5, 0.025

COLUMNS = (
    "id", "connection_id", "object_type", "ramp_id", "phase", "label", "memo", "person",
    "invoice_number", "card_last_four", "accounting_date", "payable_on", "amount_minor",
    "currency", "exponent", "ready_at", "seen_ready_at", "snapshot_at", "state", "state_at",
    "due_at", "attempts", "lease_token", "lease_until", "may_be_in_erp_until", "erp_id",
    "erp_number", "posted_at", "acked_at", "failure_telling", "error_category", "error_origin",
    "error_code", "error_title", "error_fix", "error_text", "error_at",
)  # fmt: skip
_TYPES = {
    "transaction": 70, "reimbursement": 10, "bill": 9, "bill_payment": 7, "transfer": 1,
    "cashback": 1, "vendor_credit": 2,
}  # fmt: skip
_OPEN_STATES = {"READY": 30, "POSTING": 1, "POSTED": 3, "ACKING": 2, "": 64}
"""The empty one: something is wrong, and its cause says in which state it is."""
_NOTHING_WRONG = "\t" + "\t" * 6 + "\t\\N"


@dataclass(frozen=True, slots=True)
class Payer:
    """A customer as its items need it."""

    id: str
    currency: str
    exponent: int


def lines(payers: Sequence[Payer], count: int, *, now: datetime, seed: int = 1) -> Iterator[str]:
    """A chunk of lines each time, the oldest items first; the same ones for the same seed."""
    maker = _Maker(payers, count, now, random.Random(seed))
    for start in range(0, count, CHUNK):
        yield maker.chunk(start, min(CHUNK, count - start))


class _Maker:
    def __init__(
        self, payers: Sequence[Payer], count: int, now: datetime, chance: random.Random
    ) -> None:
        self._payers, self._count, self._chance = payers, count, chance
        self._now = now.timestamp()
        self._began = (now - SPAN).timestamp()
        self._labels = merchants()
        self._people = people()
        self._which_payer = Often(len(payers), 0.8, offset=20)
        self._which_label = Often(len(self._labels), 1.0, offset=3)
        self._shares = list(accumulate(cause.share for cause in CAUSES))

    def chunk(self, start: int, size: int) -> str:
        chance = self._chance
        types = chance.choices(list(_TYPES), weights=list(_TYPES.values()), k=size)
        payers = self._which_payer.draw(chance, size)
        labels = self._which_label.draw(chance, size)
        rows = [
            self._row(start + n, types[n], self._payers[payers[n]], self._labels[labels[n]])
            for n in range(size)
        ]
        return "".join(rows)

    def _row(self, n: int, object_type: str, payer: Payer, label: str) -> str:
        chance = self._chance.random
        ready = self._began + (self._now - self._began) * (n + chance()) / (self._count + 1)
        ready_at = _moment(ready)
        minor = int(self._chance.lognormvariate(8.6, 1.3)) + 100
        if payer.exponent == 0:
            minor = minor // 100 * 10 + 50
        elif minor % 3 == 0:
            minor -= minor % 100
        is_bill = object_type in ("bill", "bill_payment", "vendor_credit")
        person = "" if is_bill else self._people[int(chance() * len(self._people))]
        invoice = f"INV-{n * 7919 % (self._count + 1000)}" if is_bill else ""
        payable = _day(ready + chance() * 2_592_000) if object_type == "bill" else "\\N"
        card = f"{int(chance() * 10000):04d}" if object_type == "transaction" else ""
        return (
            f"{n + 1}\t{payer.id}\t{object_type}\t{self._chance.getrandbits(128):032x}"
            f"\t{int(object_type == 'bill_payment')}\t{label}\t{MEMOS[int(chance() * len(MEMOS))]}"
            f"\t{person}\t{invoice}\t{card}\t{_day(ready - chance() * 864_000)}\t{payable}\t{minor}"
            f"\t{payer.currency}\t{payer.exponent}\t{ready_at}\t{ready_at}\t{ready_at}"
            f"{self._standing(n, ready, ready_at)}\n"
        )

    def _standing(self, n: int, ready: float, ready_at: str) -> str:
        """From the state on: where the item stands."""
        share = self._chance.random()
        is_recent = n >= self._count * (1 - RECENT)
        if share >= (OPEN_RECENT if is_recent else OPEN_OLD):
            return self._closed(n, ready, share)
        (state,) = self._chance.choices(list(_OPEN_STATES), weights=list(_OPEN_STATES.values()))
        posted = f"D{n}\tJ-{n:08d}\t{ready_at}\t\\N"
        match state:
            case "READY":
                return f"\tREADY\t{ready_at}\t{ready_at}\t0\t\\N\t\\N\t\\N\t\t\t\\N\t\\N" + (
                    _NOTHING_WRONG
                )
            case "POSTING":
                lease = f"{self._chance.getrandbits(128):032x}\t{_moment(self._now + 3600)}"
                return f"\tPOSTING\t{ready_at}\t\\N\t1\t{lease}\t{_moment(self._now + 3600)}" + (
                    f"\t\t\t\\N\t\\N{_NOTHING_WRONG}"
                )
            case "POSTED" | "ACKING":
                return f"\t{state}\t{ready_at}\t\\N\t1\t\\N\t\\N\t\\N\t{posted}{_NOTHING_WRONG}"
            case _:
                return self._wrong(n, ready, ready_at)

    def _closed(self, n: int, ready: float, share: float) -> str:
        done_at = _moment(ready + 90 + share * 3600)
        if share > 0.995:
            return f"\tEXTERNAL\t{done_at}\t\\N\t0\t\\N\t\\N\t\\N\t\t\t\\N\t\\N{_NOTHING_WRONG}"
        if share > 0.99:
            return f"\tWITHDRAWN\t{done_at}\t\\N\t0\t\\N\t\\N\t\\N\t\t\t\\N\t\\N{_NOTHING_WRONG}"
        return (
            f"\tACKED\t{done_at}\t\\N\t1\t\\N\t\\N\t\\N\tD{n}\tJ-{n:08d}\t{done_at}\t{done_at}"
            f"{_NOTHING_WRONG}"
        )

    def _wrong(self, n: int, ready: float, ready_at: str) -> str:
        (cause,) = self._chance.choices(CAUSES, cum_weights=self._shares)
        failed_at = _moment(min(ready + 600, self._now))
        title = cause.told(n)
        due_at = _moment(self._now + 240) if cause.state == "READY" else "\\N"
        posted = f"D{n}\tJ-{n:08d}\t{ready_at}\t{failed_at}"
        document = posted if cause.state == "MISMATCH" else "\t\t\\N\t\\N"
        telling = "told" if cause.state == "FAILED" else ""
        return (
            f"\t{cause.state}\t{failed_at}\t{due_at}\t2\t\\N\t\\N\t\\N\t{document}\t{telling}"
            f"\t{cause.category}\t{cause.origin}\t{cause.code}\t{title}\t{cause.fix}"
            f"\t{_text(cause, title)}\t{failed_at}"
        )


def _text(cause: Cause, title: str) -> str:
    return f"{title} {cause.fix}".strip() if cause.state == "FAILED" else ""


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
