"""The ERP's chart in our own tables: whole lists, and what changed since."""

import base64
import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.errors import Code, ErpError
from connections.erp.records import Master, MasterKind, Page
from connections.mirror.reading import Seen, read_erp
from connections.models import (
    Connection,
    CustomField,
    ErpEntity,
    FieldOption,
    LedgerAccount,
    Mirror,
    TaxCode,
    TaxRate,
    Vendor,
)
from tests.connections.world import new_connection

pytestmark = pytest.mark.django_db

ACCOUNT, VENDOR, TAX = MasterKind.ACCOUNT, MasterKind.VENDOR, MasterKind.TAX_CODE


@pytest.fixture
def connection() -> Connection:
    return new_connection()


@pytest.fixture
def erp() -> InMemoryErp:
    erp = InMemoryErp()
    for number in range(3):
        erp.books.put(Master(VENDOR, f"V{number}", f"Vendor {number}"))
    return erp


def full(connection: Connection, erp: InMemoryErp) -> Seen:
    return read_erp(connection, erp, full=True)


def delta(connection: Connection, erp: InMemoryErp) -> Seen:
    return read_erp(connection, erp, full=False)


def vendor(erp_id: str) -> Vendor:
    return Vendor.objects.get(erp_id=erp_id)


def rename(erp: InMemoryErp, kind: MasterKind, record_id: str, name: str) -> None:
    erp.books.put(replace(erp.books.masters[kind, record_id], name=name))


def writes_of(queries: CaptureQueriesContext) -> list[str]:
    reading = ("SELECT", "SAVEPOINT", "RELEASE")
    return [one["sql"] for one in queries if not one["sql"].startswith(reading)]


class TestWordsThatCannotBeKept:
    def test_lose_only_what_no_text_may_have(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        erp.books.put(Master(VENDOR, "odd", "Uline\0\ud800 Inc"))
        erp.books.put(Master(VENDOR, "o\0dd", "Zoom"))

        seen = full(connection, erp)

        assert vendor("odd").name == "Uline\ufffd\ufffd Inc"
        assert seen["vendor"]["kept_back"] == 1
        assert not Vendor.objects.filter(name="Zoom").exists()


class TestAWholeRead:
    def test_brings_everything_that_the_erp_has(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        seen = full(connection, erp)

        assert seen["account"] == {"read": 14, "new": 14, "changed": 0, "gone": 0, "kept_back": 0}
        assert (seen["field"]["new"], seen["option"]["new"], seen["vendor"]["new"]) == (1, 3, 3)
        travel = LedgerAccount.objects.get(connection=connection, erp_id="6100")
        assert (travel.name, travel.classification, travel.is_postable) == (
            "Travel", "EXPENSE", True,
        )  # fmt: skip
        assert set(FieldOption.objects.values_list("field__erp_id", "erp_id")) == {
            ("department", code) for code in ("ENG", "SAL", "OPS")
        }
        assert ErpEntity.objects.get().name == "Ledger"

    def test_keeps_headings_as_what_takes_no_postings(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        full(connection, erp)

        assert not LedgerAccount.objects.get(erp_id="6000").is_postable

    def test_writes_nothing_when_nothing_has_changed(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        erp.books.put(Master(VENDOR, "V7", "Bank", extra={"bank": "DE89370400440532013000"}))
        erp.books.put(Master(TAX, "T1", "VAT 20 %", extra={"rate": "0.20", "account": "2100"}))
        full(connection, erp)

        with CaptureQueriesContext(database) as queries:
            seen = full(connection, erp)

        assert writes_of(queries) == []
        assert all(counts["new"] + counts["changed"] == 0 for counts in seen.values())

    def test_costs_the_same_statements_however_long_a_page_is(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        with CaptureQueriesContext(database) as few:
            full(connection, erp)
        for number in range(90):
            erp.books.put(Master(VENDOR, f"W{number}", f"Vendor {number}"))

        with CaptureQueriesContext(database) as many:
            full(connection, erp)

        assert len(many) <= len(few)

    def test_of_several_pages_is_kept_whole(self, connection: Connection, erp: InMemoryErp) -> None:
        for number in range(250):
            erp.books.put(Master(VENDOR, f"W{number}", f"Vendor {number}"))

        assert full(connection, erp)["vendor"]["new"] == 253
        assert Vendor.objects.count() == 253

    def test_leaves_what_ramp_has_alone(self, connection: Connection, erp: InMemoryErp) -> None:
        full(connection, erp)
        LedgerAccount.objects.filter(erp_id="6100").update(ramp_name="Travel", ramp_code="6100")
        rename(erp, ACCOUNT, "6100", "Travel & lodging")

        full(connection, erp)

        account = LedgerAccount.objects.get(erp_id="6100")
        assert (account.name, account.ramp_name) == ("Travel & lodging", "Travel")

    def test_dates_only_what_it_changes(self, connection: Connection, erp: InMemoryErp) -> None:
        full(connection, erp)
        before = dict(Vendor.objects.values_list("erp_id", "changed_at"))
        rename(erp, VENDOR, "V1", "Vendor One")

        seen = full(connection, erp)

        after = dict(Vendor.objects.values_list("erp_id", "changed_at"))
        assert {key for key in before if before[key] != after[key]} <= {"V1"}
        assert (seen["vendor"]["read"], seen["vendor"]["changed"]) == (3, 1)

    def test_knows_two_customers_with_the_same_ids_apart(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        other = new_connection()
        full(other, erp)
        rename(erp, VENDOR, "V1", "Vendor One")

        full(connection, erp)

        assert Vendor.objects.get(connection=other, erp_id="V1").name == "Vendor 1"


class TestADelta:
    def test_brings_what_changed_since(self, connection: Connection, erp: InMemoryErp) -> None:
        full(connection, erp)
        rename(erp, MasterKind.DIMENSION_VALUE, "ENG", "Product engineering")
        erp.books.put(Master(ACCOUNT, "6700", "Training", code="6700", classification="EXPENSE"))

        seen = delta(connection, erp)

        assert (seen["option"]["read"], seen["option"]["changed"]) == (1, 1)
        assert (seen["account"]["read"], seen["account"]["new"]) == (1, 1)
        assert FieldOption.objects.get(erp_id="ENG").name == "Product engineering"

    def test_is_a_whole_read_the_first_time(self, connection: Connection, erp: InMemoryErp) -> None:
        assert delta(connection, erp)["account"]["new"] == 14

    def test_takes_nothing_as_gone(self, connection: Connection, erp: InMemoryErp) -> None:
        full(connection, erp)
        erp.books.remove(VENDOR, "V1")

        assert delta(connection, erp)["vendor"]["gone"] == 0
        assert vendor("V1").gone_at is None

    def test_sees_what_was_closed(self, connection: Connection, erp: InMemoryErp) -> None:
        full(connection, erp)
        erp.books.deactivate(ACCOUNT, "6999")

        delta(connection, erp)

        assert not LedgerAccount.objects.get(erp_id="6999").is_active


class TestWhatIsGone:
    def test_is_told_by_its_absence_from_a_whole_list(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        full(connection, erp)
        erp.books.remove(VENDOR, "V1")

        assert full(connection, erp)["vendor"]["gone"] == 1

        gone = vendor("V1")
        assert gone.gone_at is not None
        assert gone.changed_at == gone.gone_at
        assert full(connection, erp)["vendor"]["gone"] == 0

    def test_is_there_again_when_it_comes_back(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        full(connection, erp)
        master = erp.books.masters[VENDOR, "V1"]
        erp.books.remove(VENDOR, "V1")
        full(connection, erp)
        erp.books.put(master)

        assert delta(connection, erp)["vendor"]["changed"] == 1
        assert vendor("V1").gone_at is None

    def test_makes_a_company_inactive(self, connection: Connection, erp: InMemoryErp) -> None:
        erp.books.put(Master(MasterKind.ENTITY, "2", "Ledger Ltd", currency="GBP"))
        full(connection, erp)
        erp.books.remove(MasterKind.ENTITY, "2")

        assert full(connection, erp)["entity"]["gone"] == 1
        assert not ErpEntity.objects.get(erp_id="2").is_active
        assert full(connection, erp)["entity"]["gone"] == 0

    def test_keeps_an_option_apart_from_one_that_moved_to_another_field(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        erp.books.put(Master(MasterKind.DIMENSION, "team", "Team"))
        full(connection, erp)
        moved = erp.books.masters[MasterKind.DIMENSION_VALUE, "OPS"]
        erp.books.put(replace(moved, parent="team"))

        full(connection, erp)

        options = FieldOption.objects.filter(erp_id="OPS").order_by("field__erp_id")
        assert [(one.field.erp_id, one.gone_at is None) for one in options] == [
            ("department", False), ("team", True),
        ]  # fmt: skip


class Broken(InMemoryErp):
    """Ends a list before its end, without a word."""

    def changes(self, kind: MasterKind, cursor: str | None) -> Iterator[Page]:
        for page in super().changes(kind, cursor):
            yield replace(page, complete=False)


@pytest.mark.matrix("M5")
class TestAReadThatBreaksOff:
    @pytest.fixture
    def many(self, erp: InMemoryErp) -> InMemoryErp:
        """Two pages of vendors."""
        for number in range(150):
            erp.books.put(Master(VENDOR, f"W{number:03}", f"Vendor {number}"))
        return erp

    def test_takes_nothing_as_gone_and_keeps_its_cursor(
        self, connection: Connection, many: InMemoryErp
    ) -> None:
        full(connection, many)
        before = Mirror.objects.get().cursors["vendor"]
        many.books.remove(VENDOR, "V1")
        rename(many, VENDOR, "V2", "Vendor Two")
        many.faults.break_off_after = 1

        with pytest.raises(ErpError):
            full(connection, many)

        assert not Vendor.objects.exclude(gone_at=None).exists()
        assert Mirror.objects.get().cursors["vendor"] == before
        assert vendor("V2").name == "Vendor Two"

        many.faults.break_off_after = None
        assert full(connection, many)["vendor"]["gone"] == 1

    def test_in_a_delta_is_told_again_by_the_next_one(
        self, connection: Connection, many: InMemoryErp
    ) -> None:
        full(connection, many)
        for number in range(150):
            rename(many, VENDOR, f"W{number:03}", f"Renamed {number}")
        many.faults.break_off_after = 1
        with pytest.raises(ErpError):
            delta(connection, many)
        many.faults.break_off_after = None

        assert delta(connection, many)["vendor"]["read"] == 150
        assert Vendor.objects.filter(name__startswith="Renamed").count() == 150

    def test_without_a_word_is_an_error(self, connection: Connection, erp: InMemoryErp) -> None:
        full(connection, erp)

        with pytest.raises(ErpError, match="companies broke off before its end"):
            full(connection, Broken())

        assert ErpEntity.objects.get().is_active

    def test_or_that_suddenly_lists_nothing_is_not_believed(
        self, connection: Connection, many: InMemoryErp
    ) -> None:
        """As when our user may no longer read vendors, and the ERP says none instead of no."""
        full(connection, many)
        for kind, record_id in list(many.books.masters):
            if kind == VENDOR:
                many.books.remove(kind, record_id)

        with pytest.raises(ErpError, match="listed no vendors at all, where there were 153") as no:
            full(connection, many)

        assert no.value.code == Code.FORBIDDEN
        assert not Vendor.objects.exclude(gone_at=None).exists()


class TestWhatHasNoPlaceYet:
    def test_an_option_waits_for_its_field(self, connection: Connection, erp: InMemoryErp) -> None:
        erp.books.put(Master(MasterKind.DIMENSION_VALUE, "NORTH", "North", parent="region"))

        assert full(connection, erp)["option"]["kept_back"] == 1
        assert not FieldOption.objects.filter(erp_id="NORTH").exists()

        erp.books.put(Master(MasterKind.DIMENSION, "region", "Region"))
        assert delta(connection, erp)["option"]["kept_back"] == 0
        assert FieldOption.objects.get(erp_id="NORTH").field == CustomField.objects.get(
            erp_id="region"
        )

    def test_an_id_that_does_not_fit_is_counted_and_not_cut(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        erp.books.put(Master(ACCOUNT, "9" * 101, "Endless"))

        assert full(connection, erp)["account"]["kept_back"] == 1
        assert not LedgerAccount.objects.filter(name="Endless").exists()

    def test_a_code_that_no_longer_fits_leaves_the_row_as_it_was(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        full(connection, erp)
        travel = erp.books.masters[ACCOUNT, "6100"]
        erp.books.put(replace(travel, code="6" * 101, name="Other"))

        full(connection, erp)

        account = LedgerAccount.objects.get(erp_id="6100")
        assert (account.name, account.code, account.gone_at) == ("Travel", "6100", None)

    def test_a_name_that_is_too_long_fills_its_column(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        rename(erp, VENDOR, "V1", "x" * 301)

        full(connection, erp)

        assert vendor("V1").name == "x" * 300


class TestVendors:
    def test_bring_what_people_know_them_by(self, connection: Connection, erp: InMemoryErp) -> None:
        extra = {"email": "ap@acme.example", "country": "us"}
        erp.books.put(Master(VENDOR, "V1", "Acme", code="A1", extra=extra))

        full(connection, erp)

        acme = vendor("V1")
        assert (acme.email, acme.country, acme.code) == ("ap@acme.example", "US", "A1")

    def test_name_the_one_that_took_their_place(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        full(connection, erp)
        erp.books.merge("V1", into="V2")

        delta(connection, erp)

        assert (vendor("V1").merged_into, vendor("V1").is_active) == ("V2", False)

    def test_keep_of_tax_ids_and_banks_only_the_end_and_a_digest(
        self, connection: Connection, erp: InMemoryErp, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = {"tax_id": "12-3456789", "bank": "DE89 3704 0044 0532 0130 00"}
        erp.books.put(Master(VENDOR, "V1", "Acme", extra=secret))
        erp.books.put(Master(VENDOR, "x" * 101, "Kept back", extra=secret))

        full(connection, erp)

        with database.cursor() as cursor:
            cursor.execute("SELECT row_to_json(v)::text FROM connections_vendor v")
            rows = (
                "".join(row[0] for row in cursor.fetchall())
                + caplog.text
                + repr(erp.books.masters[VENDOR, "V1"])
            )
        acme = vendor("V1")
        assert (acme.tax_id_hint, acme.bank_hint) == ("6789", "3000")
        assert len(acme.bank_digest) == len(acme.tax_id_digest) == 64
        for text in ("3456789", "0532 0130", "05320130"):
            assert text not in rows

    def test_of_the_same_tax_id_meet_however_it_is_written(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        erp.books.put(Master(VENDOR, "V1", "Acme", extra={"tax_id": "DE 123-456.789"}))
        erp.books.put(Master(VENDOR, "V2", "ACME", extra={"tax_id": "de123456789"}))
        erp.books.put(Master(VENDOR, "V0", "Bank", extra={"bank": "de123456789"}))

        full(connection, erp)
        full(other := new_connection(), erp)

        assert (
            vendor_of(connection, "V1").tax_id_digest == vendor_of(connection, "V2").tax_id_digest
        )
        assert vendor_of(connection, "V0").bank_digest != vendor_of(connection, "V1").tax_id_digest
        assert vendor_of(other, "V1").tax_id_digest != vendor_of(connection, "V1").tax_id_digest

    def test_show_little_of_a_short_tax_id(self, connection: Connection, erp: InMemoryErp) -> None:
        erp.books.put(Master(VENDOR, "V1", "Acme", extra={"tax_id": "12345"}))

        full(connection, erp)

        assert vendor("V1").tax_id_hint == "45"

    def test_have_not_changed_when_our_key_has(
        self, connection: Connection, erp: InMemoryErp, settings: Settings
    ) -> None:
        erp.books.put(Master(VENDOR, "V1", "Acme", extra={"bank": "DE89370400440532013000"}))
        full(connection, erp)
        old = vendor("V1")
        newer = {"newer": base64.b64encode(os.urandom(32)).decode()}
        settings.ENCRYPTION_KEYS = newer | settings.ENCRYPTION_KEYS

        seen = full(connection, erp)

        new = vendor("V1")
        assert seen["vendor"]["changed"] == 0
        assert new.bank_digest != old.bank_digest
        assert new.changed_at == old.changed_at
        settings.ENCRYPTION_KEYS = newer
        assert full(connection, erp)["vendor"]["changed"] == 0

    def test_have_changed_when_their_bank_has(
        self, connection: Connection, erp: InMemoryErp
    ) -> None:
        erp.books.put(Master(VENDOR, "V1", "Acme", extra={"bank": "DE89370400440532013000"}))
        full(connection, erp)
        erp.books.put(Master(VENDOR, "V1", "Acme", extra={"bank": "DE11370400440532013000"}))

        assert delta(connection, erp)["vendor"]["changed"] == 1


def vendor_of(connection: Connection, erp_id: str) -> Vendor:
    return Vendor.objects.get(connection=connection, erp_id=erp_id)


class TestTaxes:
    @pytest.fixture
    def taxed(self, erp: InMemoryErp) -> InMemoryErp:
        for master in (
            Master(TAX, "T1", "VAT 20 %", extra={"rate": "0.20", "account": "2100"}),
            Master(TAX, "T2", "Denver", extra={"parts": "T3,T4"}),
            Master(TAX, "T3", "State", parent="T2", extra={"rate": "0.029", "account": "2100"}),
            Master(TAX, "T4", "County", parent="T2", extra={"rate": "0.0481", "account": "2100"}),
            Master(TAX, "T5", "Eco fee, 3 euros"),
        ):
            erp.books.put(master)
        return erp

    def test_become_rates_and_the_codes_that_people_choose(
        self, connection: Connection, taxed: InMemoryErp
    ) -> None:
        seen = full(connection, taxed)

        assert set(TaxRate.objects.values_list("erp_id", "rate", "account_erp_id")) == {
            ("T1", Decimal("0.2"), "2100"),
            ("T3", Decimal("0.029"), "2100"),
            ("T4", Decimal("0.0481"), "2100"),
        }
        codes = dict(TaxCode.objects.values_list("erp_id", "rate_erp_ids"))
        assert codes == {"T1": ["T1"], "T2": ["T3", "T4"]}
        assert (seen["tax_rate"]["new"], seen["tax_code"]["new"]) == (3, 2)

    def test_of_a_sort_that_ramp_does_not_know_are_counted(
        self, connection: Connection, taxed: InMemoryErp
    ) -> None:
        assert full(connection, taxed)["tax_code"]["kept_back"] == 1

    def test_that_become_a_fixed_amount_are_gone(
        self, connection: Connection, taxed: InMemoryErp
    ) -> None:
        full(connection, taxed)
        taxed.books.put(Master(TAX, "T1", "Three euros"))

        delta(connection, taxed)

        assert TaxRate.objects.get(erp_id="T1").gone_at is not None
        assert TaxCode.objects.get(erp_id="T1").gone_at is not None

    def test_of_another_rate_have_changed(self, connection: Connection, taxed: InMemoryErp) -> None:
        full(connection, taxed)
        taxed.books.put(Master(TAX, "T1", "VAT", extra={"rate": "0.19", "account": "2100"}))

        delta(connection, taxed)

        assert TaxRate.objects.get(erp_id="T1").rate == Decimal("0.19")
