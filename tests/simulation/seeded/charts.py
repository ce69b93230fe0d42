"""Charts in a run: the ERP's changes, the mirror brings it to Ramp, and people have their say.

The mirror's own tasks read, upload and read back; workers of it are killed and raced as all are. It
is looked at twice: once what it believes of Ramp, after whatever happened, and once more after
somebody has changed things in Ramp and that was read back (drift).
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from connections.erp.adapters.in_memory_books import DEMO_ACCOUNTS, DEMO_DEPARTMENTS
from connections.erp.records import Master, MasterKind
from connections.mirror import decisions, plan, ramp_side, schedule
from connections.mirror.diff import ACCOUNT, OPTION, VENDOR
from connections.models import Connection
from connections.ramp_simulator.people import NotPossible
from syncing.statements import rows
from tests.simulation.ledgers import SUPPLIERS
from tests.simulation.seeded import chart_audit
from tests.simulation.seeded.chart_audit import KINDS, PERSON, Touched
from tests.simulation.seeded.company import Company
from tests.simulation.seeded.findings import Book

READ_SECONDS, UPLOAD_SECONDS = 300, 300
"""As often as customers may have it in a run of minutes."""
AT_ONCE = 4
"""Records per upload: so that there are several of them, and ends between them."""
_ACCOUNTS = [
    {"id": code, "code": code, "name": name, "classification": classification}
    for code, name, classification in DEMO_ACCOUNTS
]
_DEPARTMENTS = [{"id": code, "code": code, "name": name} for code, name in DEMO_DEPARTMENTS]
_VENDORS = [{"id": name, "name": name} for name in SUPPLIERS]
_IN_USE = ("1000", "2150", "6600")
"""Accounts of the customers' own profile: these stay open."""
_IN_ERP = ("add", "add", "rename", "rename", "retire", "reopen", "remove", "recode")
_IN_RAMP = ("rename", "deactivate", "hide", "stranger")
_WISHES = ("read", "read_all", "upload", "verify", "deactivate", "leave", "withdraw")

_IS_DUE = """
    SELECT extract(epoch FROM min(coalesce(lease_until,
        least(read_due_at, full_due_at, push_due_at, verify_due_at))) - now())::float8
    FROM connections_mirror WHERE connection_id = ANY(%(ids)s)
"""
_UNDER_WAY = """
    SELECT EXISTS (SELECT FROM connections_mirror WHERE connection_id = ANY(%(ids)s) AND (
        lease_token IS NOT NULL OR failures > 0
        OR least(read_due_at, full_due_at, push_due_at, verify_due_at) <= now()
        OR coalesce(last_push_at < to_timestamp(%(since)s), true)
        OR CASE WHEN %(read_back)s THEN last_push_at <= last_verified_at
            OR coalesce(last_verified_at < to_timestamp(%(since)s), true)
        ELSE coalesce(last_full_at < to_timestamp(%(since)s), true) END))
"""


@dataclass
class Charts:
    """All charts of one run."""

    companies: Sequence[Company]
    dice: random.Random
    book: Book
    ring: Callable[..., None]
    """Has a worker do something: pages of ours are served by such, too."""
    touched: set[Touched] = field(default_factory=set)
    """What people changed in Ramp, and nobody has read back since."""
    withdrawn: set[Touched] = field(default_factory=set)
    """What people wanted not to be offered any more, here or in Ramp."""
    asked_at: float = 0.0
    """When somebody last asked for what must be done by the end, by the clock on the wall."""
    is_calm: bool = False
    """All was quiet, and since then somebody has changed things in Ramp."""
    _begun: Counter[str] = field(default_factory=Counter)
    _done: Counter[str] = field(default_factory=Counter)
    """By customer, how many acts on our pages were begun and are through."""
    _made: int = 0

    def begin(self) -> None:
        """Have every customer's chart mirrored from now on. Nobody knows what Ramp has."""
        for one in self.companies:
            is_there = self.dice.random() < 0.5  # all of it, from before
            seat = one.business.upload_chart(
                accounts=_ACCOUNTS if is_there else (),
                departments=_DEPARTMENTS if is_there else (),
                vendors=_VENDORS if is_there else (),
            )
            Connection.objects.filter(pk=one.connection.pk).update(ramp_connection_id=seat.id)
            ramp_side.start_over(one.connection.pk, is_empty=False)
            schedule.ensure(one.connection)

    def seconds_until_next(self) -> float:
        ((seconds,),) = rows(_IS_DUE, self._ids())
        return max(5.0, float(seconds))

    def is_quiet(self) -> bool:
        """Whether all that was asked for is through, and nobody is at it."""
        about = self._ids() | {"since": self.asked_at, "read_back": self.is_calm}
        ((is_busy,),) = rows(_UNDER_WAY, about)
        return not is_busy

    # -- what people do

    def act(self, company: Company) -> None:
        """Something about a chart, in the ERP, in Ramp or on our pages."""
        roll = self.dice.random()
        if roll < 0.6:
            self._change_erp(company)
        elif roll < 0.75:
            self._change_ramp(company, self.dice.choice(_IN_RAMP))
        else:
            self._wish(company, self.dice.choice(_WISHES))

    def ask_for_everything(self, now: float) -> None:
        """All is well again: somebody has all of it read and uploaded."""
        self.asked_at = now
        for company in self.companies:
            self._wish(company, "read_all")
            self._wish(company, "again")

    def drift_in_calm(self, now: float) -> None:
        """All is quiet: what is believed of Ramp is looked at. Then somebody changes things in Ramp
        and has them read back."""
        self.asked_at, self.is_calm, self.touched = now, True, set()
        for company in self.companies:
            alike = chart_audit.alike(company)  # so that it is brought back
            for kind, act in ((ACCOUNT, "rename"), (ACCOUNT, "deactivate"), (OPTION, "hide")):
                if alike[kind] and self.dice.random() < 0.5:
                    self._change_in_ramp(company, kind, self.dice.choice(alike[kind]), act)
            self._wish(company, "verify")

    def _change_erp(self, company: Company) -> None:
        books, act = company.erp.books, self.dice.choice(_IN_ERP)
        kind = self.dice.choice((MasterKind.ACCOUNT, MasterKind.ACCOUNT, *KINDS))
        if act == "add":
            self._made += 1
            books.put(self._new(kind, f"N{self._made}"))
        else:
            mine = [
                one
                for (of, record_id), one in books.masters.items()
                if of == kind and one.postable and record_id not in _IN_USE
            ]
            if kind == MasterKind.DIMENSION:
                return
            self._change_master(company, self.dice.choice(mine), act)
        self.book.acts[f"{act} in the ERP"] += 1

    def _new(self, kind: MasterKind, name: str) -> Master:
        # Two records of one code are what Ramp must not see.
        code = "6500" if self.dice.random() < 0.1 else name
        classification = "EXPENSE" if kind == MasterKind.ACCOUNT else ""
        parent = "department" if kind == MasterKind.DIMENSION_VALUE else ""
        if kind == MasterKind.DIMENSION:
            return Master(kind, name, f"Field {name}")
        return Master(kind, name, f"New {name}", code, parent=parent, classification=classification)

    def _change_master(self, company: Company, master: Master, act: str) -> None:
        books = company.erp.books
        match act:
            case "rename":
                books.put(replace(master, name=f"{master.name[:20]} {self.dice.randint(0, 9)}"))
            case "retire":
                books.put(replace(master, active=False))
            case "remove" if master.id.startswith("N"):
                books.remove(master.kind, master.id)
            case "recode" if master.id.startswith("N"):
                books.put(replace(master, code=f"C{self.dice.randint(0, 9)}"))
            case _:
                books.put(replace(master, active=True))

    def _change_ramp(self, company: Company, act: str) -> None:
        """In Ramp's own pages."""
        if act == "stranger":
            self._made += 1
            company.business.import_accounts([{"id": f"S{self._made}", "name": "By hand"}])
            self.book.acts["stranger in Ramp"] += 1
            return
        kind = self.dice.choice((ACCOUNT, OPTION, VENDOR))
        shown = [one.external_id for one in company.business.charted()[kind] if one.is_active]
        if shown:
            self._change_in_ramp(company, kind, self.dice.choice(shown), act)

    def _change_in_ramp(self, company: Company, kind: str, record_id: str, act: str) -> None:
        change = partial(company.business.change_in_ramp, kind, record_id)
        try:
            match act:
                case "rename":
                    change(name="Renamed by hand")
                case "hide":
                    change(is_hidden=True)
                case _:
                    change(is_active=False)
                    self.withdrawn.add((company.slug, kind, record_id))
        except NotPossible:
            return
        self.touched.add((company.slug, kind, record_id))
        self.book.acts[f"{act} in Ramp"] += 1

    def _wish(self, company: Company, wish: str) -> None:
        """On a page of ours, which a worker serves: whoever is killed over it has done nothing."""
        self.ring(self.serve, connection_id=str(company.connection.pk), wish=wish)

    def serve(self, *, connection_id: str, wish: str) -> None:
        """What the page does that a person has sent off."""
        (company,) = (one for one in self.companies if str(one.connection.pk) == connection_id)
        pk = UUID(connection_id)
        upload = partial(schedule.upload_soon, pk, actor=PERSON)
        match wish:
            case "read" | "read_all":
                full = wish == "read_all"
                self._do(company, partial(schedule.read_soon, pk, actor=PERSON, full=full))
            case "upload":
                self._do(company, upload)
            case "verify":
                self._do(company, partial(schedule.verify_soon, pk, actor=PERSON))
            case "again":
                for kind, field_id, record_id in list(chart_audit.refused(company)):
                    again = partial(decisions.try_again, company.connection, actor=PERSON)
                    again = partial(again, kind=kind, erp_id=record_id, field_erp_id=field_id)
                    self._do(company, again)
                self._do(company, upload)
            case _:
                self._decide(company, wish)
        self.book.acts[f"wish {wish}"] += 1

    def _decide(self, company: Company, wish: str) -> None:
        """About a record that Ramp offers and the ERP does not want there any more."""
        differing = plan.drift(company.connection, kind=ACCOUNT)
        asked = [one for one in differing if one.needs_decision]
        decided = [one for one in differing if one.decision]
        if wish == "withdraw" and decided:
            row = decided[0]
            withdraw = partial(decisions.withdraw, company.connection, actor=PERSON)
            self._do(company, partial(withdraw, kind=row.kind, erp_id=row.erp_id))
        if wish == "withdraw" or not asked:
            return
        row = asked[0]
        self.withdrawn.add((company.slug, row.kind, row.erp_id))
        decide = partial(decisions.decide, company.connection, actor=PERSON, action=wish)
        about = {"kind": row.kind, "erp_id": row.erp_id, "reason": "Not used", "unsynced_items": 0}
        self._do(company, partial(decide, **about))

    def _do(self, company: Company, act: Callable[[], object]) -> None:
        """One act of a person, of which there is to be a line."""
        self._begun[company.slug] += 1
        if act() is False:
            self._begun[company.slug] -= 1  # there was nothing to do
        else:
            self._done[company.slug] += 1

    # -- what must be true

    def look(self, connection_id: str) -> None:
        """After each refresh: nothing is taken for gone that the ERP still has (M5)."""
        (company,) = (one for one in self.companies if str(one.connection.pk) == connection_id)
        chart_audit.check_gone(company, self.book)
        if self.is_calm:
            chart_audit.check_told(company, self.touched, self.book, since=self.asked_at)

    def check(self, *, is_read_back: bool, has_forgotten: bool) -> None:
        """What Ramp has is what the ERP's chart says by the mirror's rules."""
        for company in self.companies:
            # Whose memory of Ramp is gone knows it again only after reading it back.
            if not has_forgotten and is_read_back:
                done, begun = self._done[company.slug], self._begun[company.slug]
                chart_audit.check_audit(company, done, begun, self.book)
            if is_read_back or not has_forgotten:
                but = None if is_read_back else self.touched
                chart_audit.check(company, self.book, self.withdrawn, but=but)

    def _ids(self) -> dict[str, object]:
        return {"ids": [one.connection.pk for one in self.companies]}
