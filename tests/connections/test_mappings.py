"""From codings of Ramp to records of the ERP, and what is loaded for it."""

import json
import uuid
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from connections.mapping_sets import mapping_set
from connections.mappings import (
    MappingSet,
    MissingMapping,
    Profile,
    ProfileAccount,
    Target,
    TaxPart,
)
from connections.models import (
    Connection,
    Entity,
    LedgerAccount,
    Mapping,
    MappingKind,
    PostingProfile,
    TaxCode,
    TaxRate,
    Vendor,
)
from syncing.classifier import classify
from syncing.posting import document_for
from tests.factories import (
    ConnectionFactory,
    CustomFieldFactory,
    EntityFactory,
    FieldOptionFactory,
    LedgerAccountFactory,
    now,
)
from tests.syncing.world import transaction_body


class TestTheProfile:
    @pytest.mark.parametrize(
        ("account", "words"),
        [
            ("bank_account", "account for bill payments"),
            ("reimbursement_account", "account for reimbursements"),
            ("transfer_bank_account", "account for payments of the card balance"),
            ("cashback_account", "account for cashback"),
        ],
    )
    def test_says_which_account_is_missing(self, account: ProfileAccount, words: str) -> None:
        with pytest.raises(MissingMapping) as missing:
            Profile(card_liability_account="2150").needed(account)

        said = classify(missing.value, erp_name="Tryton").title
        assert said == f"The posting profile {words} is not set up for Tryton yet."

    def test_pays_the_card_balance_from_the_bank_unless_told_otherwise(self) -> None:
        bank = Profile("2150", bank_account="1010")
        own = Profile("2150", bank_account="1010", transfer_bank_account="1020")

        assert bank.needed("transfer_bank_account") == "1010"
        assert own.needed("transfer_bank_account") == "1020"


class TestVendors:
    def test_a_code_nobody_has_is_missing_under_the_vendors_name(self) -> None:
        with pytest.raises(MissingMapping) as missing:
            MappingSet().vendor_with_code("C-9", "Acme")

        assert (missing.value.value, missing.value.name) == ("code:C-9", "Acme")


def new_customer() -> Connection:
    made: Connection = ConnectionFactory.create()
    return made


def mapped(connection: Connection, kind: str, source: str, goal: str, **more: object) -> None:
    Mapping.objects.create(
        connection=connection, kind=kind, ramp_external_id=source, erp_id=goal, **more
    )


def vendor(connection: Connection, erp_id: str, name: str, **changes: object) -> None:
    Vendor.objects.create(connection=connection, erp_id=erp_id, name=name, **changes)


@pytest.mark.django_db
class TestLoading:
    def test_vendors_are_known_by_id_code_and_name(self) -> None:
        connection = new_customer()
        vendor(connection, "1", "Acme Hosting", code="A")

        loaded = mapping_set(connection)

        acme = Target("1", "Acme Hosting")
        assert (loaded.vendors["1"], loaded.vendor_codes["A"]) == (acme, acme)
        assert loaded.vendor_names == {"acme hosting": acme}

    def test_a_name_or_code_that_two_vendors_share_tells_nothing(self) -> None:
        connection = new_customer()
        vendor(connection, "1", "Acme", code="A")
        vendor(connection, "2", "ACME", code="A")

        loaded = mapping_set(connection)

        assert (dict(loaded.vendor_names), dict(loaded.vendor_codes)) == ({}, {})

    def test_an_inactive_namesake_does_not_stand_in_the_way(self) -> None:
        connection = new_customer()
        vendor(connection, "1", "Acme", is_active=False)
        vendor(connection, "2", "Acme")

        assert mapping_set(connection).vendor_names["acme"].erp_id == "2"

    def test_a_vendor_of_ramp_can_be_mapped_by_its_id(self) -> None:
        connection, ramp_id = new_customer(), str(uuid.uuid4())
        vendor(connection, "1", "Acme")
        Mapping.objects.create(
            connection=connection, kind=Mapping.Kind.VENDOR, ramp_external_id=ramp_id, erp_id="1"
        )

        assert mapping_set(connection).vendor(ramp_id) == Target("1", "Acme")

    def test_every_account_of_the_profile_and_the_entitys_currency_are_read(self) -> None:
        connection = new_customer()
        entity = Entity.objects.create(
            connection=connection, ramp_id=uuid.uuid4(), name="Own", currency="EUR", is_mapped=True
        )
        accounts = {
            "card_liability_account": "1",
            "bank_account": "2",
            "payables_account": "3",
            "reimbursement_account": "4",
            "transfer_bank_account": "5",
            "cashback_account": "6",
            "fallback_expense_account": "7",
        }
        PostingProfile.objects.create(connection=connection, entity=entity, **accounts)

        loaded = mapping_set(connection)

        assert loaded.profile(str(entity.ramp_id)) == Profile(**accounts)
        assert loaded.entity(str(entity.ramp_id)).currency == "EUR"

    def test_a_vendor_of_a_code_or_name_of_ramps_can_be_mapped(self) -> None:
        connection = new_customer()
        vendor(connection, "1", "Acme")
        mapped(connection, MappingKind.VENDOR, "code:OLD-7", "1")

        loaded = mapping_set(connection)

        assert loaded.vendor_with_code("OLD-7") == Target("1", "Acme")
        with pytest.raises(MissingMapping):
            loaded.vendor("OLD-7")  # what is mapped by its code is not mapped by its id

    def test_what_has_left_the_erps_lists_counts_as_closed(self) -> None:
        connection = new_customer()
        option = FieldOptionFactory.create(
            field=CustomFieldFactory.create(connection=connection), gone_at=now()
        )
        LedgerAccountFactory.create(connection=connection, erp_id="6", gone_at=now())
        vendor(connection, "1", "Acme", gone_at=now())

        loaded = mapping_set(connection)

        found = (
            loaded.account("6"),
            loaded.vendor("1"),
            loaded.option("department", option.erp_id),
        )
        assert [target.is_active for target in found] == [False, False, False]

    def test_takes_one_statement_however_many_vendors_there_are(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        connection = new_customer()
        for number in range(20):
            vendor(connection, str(number), f"Vendor {number}")

        with django_assert_num_queries(1):
            mapping_set(connection)


@pytest.mark.django_db
class TestMergedVendors:
    def test_lead_to_the_last_heir_by_id_code_and_name(self) -> None:
        connection = new_customer()
        vendor(connection, "1", "Acme Old", code="A", merged_into="2")
        vendor(connection, "2", "Acme Older", merged_into="3")
        vendor(connection, "3", "Acme")
        mapped(connection, MappingKind.VENDOR, "ramp-1", "1")

        loaded = mapping_set(connection)

        heir = Target("3", "Acme")
        assert loaded.vendor("1") == loaded.vendor("2") == loaded.vendor("ramp-1") == heir
        assert loaded.vendor_with_code("A") == heir
        assert loaded.vendor_names["acme old"] == heir

    def test_do_not_take_the_name_of_another_vendor(self) -> None:
        connection = new_customer()
        vendor(connection, "1", "Acme", merged_into="2")
        vendor(connection, "2", "Beta")
        vendor(connection, "3", "Acme")

        assert mapping_set(connection).vendor_names["acme"].erp_id == "3"

    @pytest.mark.parametrize("heir", ["1", "2", "nobody"])
    def test_in_a_circle_or_into_nobody_stay_closed(self, heir: str) -> None:
        connection = new_customer()
        vendor(connection, "1", "Acme", merged_into=heir)
        vendor(connection, "2", "Beta", merged_into="1")

        assert mapping_set(connection).vendor("1") == Target("1", "Acme", is_active=False)


@pytest.mark.django_db
class TestTaxCodes:
    def test_have_the_sum_of_their_rates(self) -> None:
        connection = new_customer()
        for erp_id, rate in (("gst", "0.05"), ("qst", "0.09975")):
            TaxRate.objects.create(connection=connection, erp_id=erp_id, name=erp_id, rate=rate)
        TaxCode.objects.create(
            connection=connection, erp_id="QC", name="Quebec", rate_erp_ids=["gst", "qst"]
        )
        mapped(connection, MappingKind.TAX_CODE, "old", "QC")

        loaded = mapping_set(connection)

        assert loaded.tax_code("QC").rate == Decimal("0.14975")
        assert loaded.tax_code("old").erp_id == "QC"

    def test_name_their_parts_in_order_and_the_account_of_each(self) -> None:
        connection = new_customer()
        for erp_id, account in (("qst", "2"), ("gst", "1")):
            TaxRate.objects.create(
                connection=connection,
                erp_id=erp_id,
                name=erp_id.upper(),
                rate="0.05",
                account_erp_id=account,
            )
        TaxCode.objects.create(
            connection=connection, erp_id="QC", name="Quebec", rate_erp_ids=["gst", "qst"]
        )

        found = mapping_set(connection).tax_code("QC")

        rate = Decimal("0.05")
        assert found.parts == (TaxPart("gst", "GST", rate, "1"), TaxPart("qst", "QST", rate, "2"))
        assert found.is_active

    @pytest.mark.parametrize("change", [{"is_active": False}, {"gone_at": now()}])
    @pytest.mark.parametrize("of", [TaxCode, TaxRate])
    def test_are_closed_with_one_of_their_rates(
        self, of: type[TaxCode | TaxRate], change: dict[str, object]
    ) -> None:
        connection = new_customer()
        TaxRate.objects.create(connection=connection, erp_id="gst", name="GST", rate="0.05")
        TaxCode.objects.create(
            connection=connection, erp_id="QC", name="Quebec", rate_erp_ids=["gst"]
        )
        of._default_manager.filter(connection=connection).update(**change)

        assert not mapping_set(connection).tax_code("QC").is_active

    def test_are_missing_while_one_of_their_rates_is_unknown(self) -> None:
        connection = new_customer()
        TaxCode.objects.create(
            connection=connection, erp_id="QC", name="Quebec", rate_erp_ids=["gst"]
        )
        mapped(connection, MappingKind.TAX_CODE, "old", "QC")

        for one in ("QC", "old"):
            with pytest.raises(MissingMapping):
                mapping_set(connection).tax_code(one)


@pytest.mark.django_db
class TestOneEntity:
    """R-20, R-30: a line with an entity holds for it alone, and before the general one."""

    def world(self) -> tuple[Connection, str, str]:
        connection = new_customer()
        for code in ("61", "62"):
            LedgerAccount.objects.create(connection=connection, erp_id=code, name=f"A{code}")
        own = EntityFactory.create(connection=connection, is_mapped=True)
        other = EntityFactory.create(connection=connection, is_mapped=True)
        mapped(connection, MappingKind.GL_ACCOUNT, "old", "61")
        mapped(connection, MappingKind.GL_ACCOUNT, "old", "62", entity=own)
        return connection, str(own.ramp_id), str(other.ramp_id)

    def test_has_its_own_lines_before_the_general_ones(self) -> None:
        connection, own, other = self.world()

        loaded = mapping_set(connection)

        assert loaded.of_entity(own).account("old").erp_id == "62"
        assert loaded.of_entity(own).account("61").erp_id == "61"
        assert loaded.of_entity(other).account("old").erp_id == "61"
        assert loaded.account("old").erp_id == "61"

    def test_copies_nothing_of_the_chart(self) -> None:
        connection, own, other = self.world()
        loaded = mapping_set(connection)

        assert loaded.of_entity(other) is loaded
        assert loaded.of_entity(own).vendor_names is loaded.vendor_names
        assert sorted(loaded.of_entity(own).accounts) == sorted(loaded.accounts)
        assert len(loaded.of_entity(own).accounts) == 3

    def test_fills_its_posting_accounts_from_the_general_ones(self) -> None:
        connection, own, other = self.world()
        PostingProfile.objects.create(
            connection=connection, card_liability_account="1", bank_account="2"
        )
        PostingProfile.objects.create(
            connection=connection, entity=Entity.objects.get(ramp_id=own), bank_account="9"
        )

        loaded = mapping_set(connection)

        assert loaded.profile(own) == Profile("1", bank_account="9")
        assert loaded.profile(other) == Profile("1", bank_account="2")

    def test_is_what_a_document_of_it_is_made_with(self) -> None:
        connection, own, other = self.world()
        PostingProfile.objects.create(connection=connection, card_liability_account="1")
        loaded = mapping_set(connection)

        def account_of(entity: str) -> str:
            body = json.dumps(transaction_body(account="old", entity_id=entity))
            return document_for("transaction", body, mappings=loaded, tenant="t").lines[0].account

        assert (account_of(own), account_of(other)) == ("62", "61")
