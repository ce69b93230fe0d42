from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest

from connections.erp.adapters.in_memory import InMemoryErp, forget_named
from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.ledger_audit import AuditableErp
from connections.erp.records import DocKind, Document, Idempotency, Line, Ref, State
from connections.erp.refusals import refusal
from connections.erp.registry import adapter_for


def journal(ramp_id: str = "1", amount: str = "5.00") -> Document:
    lines = (Line("6100", Decimal(amount)), Line("2150", -Decimal(amount)))
    ref = Ref("t", DocKind.JOURNAL, ramp_id)
    return Document(ref, DocKind.JOURNAL, date(2026, 3, 5), "USD", lines)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def code_of(erp: InMemoryErp, doc: Document) -> Code:
    with pytest.raises(ErpError) as caught:
        erp.post(doc)
    return caught.value.code


class TestLevelsOfIdempotency:
    def test_unique_key_books_once(self) -> None:
        erp = InMemoryErp()

        first, second = erp.post(journal()), erp.post(journal())

        assert (first.fresh, second.fresh) == (True, False)
        assert len(erp.books.entries) == 1

    def test_replay_key_books_once_while_it_remembers(self) -> None:
        clock = Clock()
        erp = InMemoryErp(idempotency=Idempotency.REPLAY_KEY, replay_window=60, monotonic=clock)
        erp.post(journal())
        clock.now = 59
        erp.post(journal())
        clock.now = 61
        erp.post(journal())

        assert len(erp.books.under(journal().ref)) == 2

    def test_lookup_books_whatever_is_sent(self) -> None:
        erp = InMemoryErp(idempotency=Idempotency.LOOKUP)
        erp.post(journal())
        erp.post(journal())

        with pytest.raises(ErpError) as caught:
            erp.find(journal().ref)

        assert caught.value.code == Code.REF_REUSED
        assert "1 and 2" in caught.value.title

    def test_none_cannot_even_be_asked(self) -> None:
        erp = InMemoryErp(idempotency=Idempotency.NONE)

        with pytest.raises(ErpError):
            erp.find(journal().ref)


class TestFaults:
    def test_a_refusal_holds_until_it_is_lifted(self) -> None:
        erp = InMemoryErp()
        erp.faults.refuse_with = refusal(Code.ERP_UNAVAILABLE, erp="the ledger")

        assert code_of(erp, journal()) == Code.ERP_UNAVAILABLE
        assert not erp.health().ok

        erp.faults.refuse_with = None
        assert erp.post(journal()).fresh

    def test_a_refusal_can_be_for_one_document(self) -> None:
        erp = InMemoryErp()
        erp.faults.refuse["2"] = refusal(Code.UNKNOWN, erp="the ledger")

        answers = erp.post_many([journal("1"), journal("2"), journal("3")])

        assert [isinstance(answer, ErpError) for answer in answers] == [False, True, False]

    def test_a_late_request_is_booked_when_it_lands(self) -> None:
        erp = InMemoryErp(idempotency=Idempotency.LOOKUP)
        erp.faults.land_late = 1
        with pytest.raises(ErpError) as caught:
            erp.post(journal())
        assert caught.value.outcome == Outcome.UNKNOWN
        assert erp.find(journal().ref) is None

        erp.land()

        assert erp.find(journal().ref) is not None


class TestNamed:
    @pytest.fixture(autouse=True)
    def _forget(self) -> None:
        forget_named()

    def test_threads_share_one(self) -> None:
        settings = {"name": "acme", "idempotency": "lookup", "settle": "3"}

        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: adapter_for("ledger", settings), range(8)))

        assert len({id(erp) for erp in made}) == 1
        assert made[0].capabilities().idempotency == Idempotency.LOOKUP
        assert made[0].capabilities().settle == 3

    def test_names_are_apart(self) -> None:
        assert adapter_for("ledger", {"name": "a"}) is not adapter_for("ledger", {"name": "b"})

    def test_a_kind_that_does_not_exist_is_an_error(self) -> None:
        with pytest.raises(KeyError):
            adapter_for("abacus", {})


class TestConcurrency:
    def test_twins_are_booked_once(self) -> None:
        erp = InMemoryErp()

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: erp.post(journal()), range(50)))

        assert sum(answer.fresh for answer in answers) == 1
        assert len(erp.books.entries) == 1


class TestReadingTheLedgerBack:
    def test_is_something_it_can(self) -> None:
        assert isinstance(InMemoryErp(), AuditableErp)

    def test_gives_both_sides_of_each_document(self) -> None:
        erp = InMemoryErp()
        erp.post(journal("1", "5.00"))
        erp.post(journal("2", "-7.50"))

        first, refund = erp.ledger_entries("ramp-t-")

        assert (first.ref, first.number) == ("ramp-t-journal-1", "DOC-00001")
        assert (first.debit, first.credit) == (Decimal("5.00"), Decimal("5.00"))
        assert (refund.debit, refund.credit) == (Decimal("7.50"), Decimal("7.50"))

    def test_shows_twins_that_the_books_allowed(self) -> None:
        erp = InMemoryErp(idempotency=Idempotency.LOOKUP)
        erp.post(journal())
        erp.post(journal())

        assert [entry.ref for entry in erp.ledger_entries("")] == ["ramp-t-journal-1"] * 2

    def test_tells_what_a_reversal_takes_back(self) -> None:
        erp = InMemoryErp()
        erp.post(journal())
        erp.void(journal().ref, date(2026, 3, 6), "wrong customer")

        voided, reversal = erp.ledger_entries("")

        assert voided.state == State.VOID
        assert (reversal.ref, reversal.reverses) == ("", voided.ref)

    def test_fails_as_the_erp_does(self) -> None:
        erp = InMemoryErp()
        erp.faults.refuse_with = refusal(Code.ERP_UNAVAILABLE, erp="the ledger")

        with pytest.raises(ErpError):
            erp.ledger_entries("")
