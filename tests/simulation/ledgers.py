"""ERPs on the other end of a socket that survive the workers, and the adapter that reaches them.

The network in between loses things on purpose: about every fifth write.
"""

import base64
import http.client
import json
import random
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from connections.erp.adapters.in_memory import LARGEST_FILE, InMemoryErp
from connections.erp.adapters.in_memory_books import Books, demo_books
from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.ledger_audit import LedgerEntry
from connections.erp.records import (
    Capabilities,
    DocKind,
    Document,
    Evidence,
    Idempotency,
    Master,
    MasterKind,
    Posted,
    Ref,
    State,
    Vendor,
)
from connections.erp.refusals import refusal
from connections.ramp_simulator.service import HungUp
from rampbridge.lib import failpoints

KIND = "ledger-on-a-socket"
SETTLE_SECONDS = 40.0
"""What the adapter says: no request lives on for longer after it was given up."""
LONGEST_LATE = 30.0
"""The latest that a request lands after the line was cut; shorter than the settle time."""
TIME_LIMIT = 50.0
"""Of one request; shorter than `engine.LONGEST_CALL_SECONDS`."""
INACTIVE_ACCOUNT = "6999"
"""An old account that takes no postings any more."""
SUPPLIERS = ("Uline", "Grainger", "Sysco")
"""Whom bills come from. The ERP and Ramp know them as vendors from the start, by these names."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """How often each thing goes wrong with a write. The shares add up to about a fifth."""

    lost_before: float = 0.05
    lost_after: float = 0.05
    lands_late: float = 0.05
    refused_429: float = 0.02
    failed_500: float = 0.04
    lost_lookup: float = 0.04
    latest: float = LONGEST_LATE
    """Seconds until what lands late has landed."""

    def drawn(self, dice: random.Random, *, is_write: bool) -> str:
        """What happens to one request; empty: nothing."""
        kinds = ("lost_before", "lost_after", "lands_late", "refused_429", "failed_500")
        roll = dice.random()
        for kind in kinds if is_write else ("lost_lookup",):
            roll -= getattr(self, kind)
            if roll < 0:
                return kind
        return ""


@dataclass
class Ledgers:
    """The books of all companies, as a WSGI application."""

    dice: random.Random
    on_the_wall: Any
    trouble: Trouble | None = None
    """None: the network is sound."""
    struck: Counter[str] = field(default_factory=Counter)
    companies: dict[str, InMemoryErp] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _late: list[threading.Timer] = field(default_factory=list)

    def found(self, company: str, idempotency: Idempotency) -> None:
        """A new company."""
        self.companies[company] = InMemoryErp(_books(idempotency), idempotency=idempotency)

    def doubled(self) -> int:
        """How many documents stand in books that hold another under the same reference."""
        return sum(
            len(refs) - len(set(refs))
            for erp in self.companies.values()
            if (refs := [entry.doc.ref for entry in erp.books.entries])
        )

    def wait_for_late(self) -> None:
        """Return once nothing is on its way any more."""
        for timer in list(self._late):
            timer.join()

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = json.loads(environ["wsgi.input"].read())
        erp = self.companies[request["company"]]
        if "find" in request:
            status, answer = self._find(erp, request["find"])
        elif "under" in request:
            found = erp.entries_under(request["under"])
            status, answer = "200 OK", [_entry_json(entry) for entry in found]
        elif "post" in request:
            status, answer = self._post(erp, request["post"])
        else:
            status, answer = self._keep(erp, request)
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [body]

    def _find(self, erp: InMemoryErp, ref: Any) -> tuple[str, Any]:
        if self._draw(is_write=False):
            raise HungUp("The line was cut.")
        try:
            found = erp.find(Ref.from_json(ref))
        except ErpError as error:
            return "200 OK", _error_json(error)
        return "200 OK", _posted_json(found) if found else None

    def _post(self, erp: InMemoryErp, given: Sequence[Any]) -> tuple[str, Any]:
        docs = [Document.from_json(one) for one in given]
        kind = self._draw(is_write=True)
        if kind == "lost_after":
            _book(erp, docs)
        if kind == "lands_late":
            self._book_late(erp, docs)
        if kind in ("lost_before", "lost_after", "lands_late"):
            raise HungUp("The line was cut.")
        if kind == "refused_429":
            return "429 Too Many Requests", {}
        if kind == "failed_500":
            _book(erp, docs[: self.dice.randint(0, len(docs))])
            return "500 Internal Server Error", {}
        return "200 OK", _book(erp, docs)

    def _keep(self, erp: InMemoryErp, request: Mapping[str, Any]) -> tuple[str, Any]:
        """A vendor, or a file of a document. Either is the same for the same name of ours."""
        kind = self._draw(is_write=True)
        if kind == "refused_429":
            return "429 Too Many Requests", {}
        if kind in ("lost_before", "lands_late"):
            raise HungUp("The line was cut.")
        kept = _kept(erp, request)
        if kind == "lost_after":
            raise HungUp("The line was cut.")
        return ("500 Internal Server Error", {}) if kind == "failed_500" else ("200 OK", kept)

    def _draw(self, *, is_write: bool) -> str:
        with self._lock:
            kind = self.trouble.drawn(self.dice, is_write=is_write) if self.trouble else ""
            self.struck[kind or ("write" if is_write else "lookup")] += 1
            return kind

    def _book_late(self, erp: InMemoryErp, docs: Sequence[Document]) -> None:
        latest = self.trouble.latest if self.trouble else 0.0
        delay = self.on_the_wall(self.dice.uniform(0, latest))
        timer = threading.Timer(delay, _book, [erp, docs])
        timer.daemon = True
        self._late.append(timer)
        timer.start()


def _books(idempotency: Idempotency) -> Books:
    books = demo_books(unique_refs=idempotency is Idempotency.UNIQUE_KEY)
    books.deactivate(MasterKind.ACCOUNT, INACTIVE_ACCOUNT)
    for name in SUPPLIERS:
        books.put(Master(MasterKind.VENDOR, name, name))
    return books


def _book(erp: InMemoryErp, docs: Sequence[Document]) -> list[dict[str, Any]]:
    answers = []
    for doc in docs:
        try:
            answers.append(_posted_json(erp.post(doc)))
        except ErpError as error:
            answers.append(_error_json(error))
    return answers


def _kept(erp: InMemoryErp, request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        if "vendor" in request:
            made = erp.upsert_vendor(Vendor(**request["vendor"]))
            return {"id": made.id, "name": made.name}
        given = request["file"]
        file = Evidence(**{**given, "content": base64.b64decode(given["content"])})
        return {"id": erp.attach(Ref.from_json(request["attach_to"]), file)}
    except ErpError as error:
        return _error_json(error)


def _posted_json(posted: Posted) -> dict[str, Any]:
    return {
        "id": posted.erp_id,
        "number": posted.number,
        "fresh": posted.fresh,
        "kind": posted.kind,
    }


def _error_json(error: ErpError) -> dict[str, Any]:
    return {"code": error.code, "title": error.title, "fix": error.fix}


class SocketLedger(InMemoryErp):
    """One company of `Ledgers` as an adapter; its chart is the demo's and does not change."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        idempotency = Idempotency(settings["idempotency"])
        super().__init__(_books(idempotency), idempotency=idempotency)
        self._capabilities = Capabilities(
            documents=frozenset(DocKind),
            idempotency=idempotency,
            settle=float(settings["settle"]),
            batch=4,
            attachments=settings["files"] == "yes",
            largest_attachment=LARGEST_FILE,
        )
        self._company = settings["company"]
        self._address = (settings["host"], int(settings["port"]))
        self._time_limit = float(settings["time_limit"])

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        answers = self._ask({"post": [doc.to_json() for doc in docs]})
        return [_answer(doc.ref, one) for doc, one in zip(docs, answers, strict=True)]

    def post(self, doc: Document) -> Posted:
        (answer,) = self.post_many([doc])
        if isinstance(answer, ErpError):
            raise answer
        return answer

    def find(self, ref: Ref) -> Posted | None:
        found = self._ask({"find": ref.to_json()})
        answer = _answer(ref, found) if found else None
        if isinstance(answer, ErpError):
            raise answer
        return answer

    def upsert_vendor(self, vendor: Vendor) -> Master:
        made = self._kept({"vendor": asdict(vendor)})
        return Master(MasterKind.VENDOR, made["id"], made["name"])

    def attach(self, ref: Ref, file: Evidence) -> str:
        content = base64.b64encode(file.content).decode()
        given = {**asdict(file), "content": content}
        return str(self._kept({"attach_to": ref.to_json(), "file": given})["id"])

    def entries_under(self, refs: Collection[str]) -> Sequence[LedgerEntry]:
        return [_entry(one) for one in self._ask({"under": list(refs)})]

    def _kept(self, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._ask(request)
        if "code" in answer:
            raise _refused(answer)
        return answer

    def _ask(self, request: dict[str, Any]) -> Any:
        line = http.client.HTTPConnection(*self._address, timeout=self._time_limit)
        try:
            line.request("POST", "/", json.dumps({"company": self._company, **request}))
            failpoints.hit("during_erp_post")
            answer = line.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise _trouble(Code.TIMEOUT, Outcome.UNKNOWN, str(error)) from error
        finally:
            line.close()
        if answer.status == 429:
            raise _trouble(Code.RATE_LIMITED, Outcome.NOT_POSTED, "429")
        if answer.status != 200:
            raise _trouble(Code.ERP_UNAVAILABLE, Outcome.UNKNOWN, str(answer.status))
        return json.loads(body)


def _entry_json(entry: LedgerEntry) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(entry).items()}


def _entry(given: Mapping[str, str]) -> LedgerEntry:
    typed: dict[str, Any] = {
        "state": State(given["state"]),
        "debit": Decimal(given["debit"]),
        "credit": Decimal(given["credit"]),
        "total": Decimal(given["total"]),
    }
    return LedgerEntry(**{**given, **typed})


def _answer(ref: Ref, given: Mapping[str, Any]) -> Posted | ErpError:
    if "code" in given:
        return _refused(given)
    return Posted(
        ref,
        given["id"],
        given["number"],
        State.POSTED,
        fresh=given["fresh"],
        kind=DocKind(given["kind"]),
    )


def _refused(given: Mapping[str, Any]) -> ErpError:
    return ErpError(Code(given["code"]), given["title"], given["fix"])


def _trouble(code: Code, outcome: Outcome, said: str) -> ErpError:
    return refusal(code, erp="the ledger", outcome=outcome, erp_message=said)
