"""From codings of Ramp to records of the ERP, and what is loaded for it."""

import uuid

import pytest
from pytest_django import DjangoAssertNumQueries

from connections.mapping_sets import mapping_set
from connections.mappings import MappingSet, MissingMapping, Profile, ProfileAccount, Target
from connections.models import Connection, Entity, Mapping, PostingProfile, Vendor
from syncing.classifier import classify
from tests.connections.world import new_connection


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

        assert (missing.value.value, missing.value.name) == ("C-9", "Acme")


def vendor(connection: Connection, erp_id: str, name: str, **changes: object) -> None:
    Vendor.objects.create(connection=connection, erp_id=erp_id, name=name, **changes)


@pytest.mark.django_db
class TestLoading:
    def test_vendors_are_known_by_id_code_and_name(self) -> None:
        connection = new_connection()
        vendor(connection, "1", "Acme Hosting", code="A")

        loaded = mapping_set(connection)

        acme = Target("1", "Acme Hosting")
        assert (loaded.vendors["1"], loaded.vendor_codes["A"]) == (acme, acme)
        assert loaded.vendor_names == {"acme hosting": acme}

    def test_a_name_or_code_that_two_vendors_share_tells_nothing(self) -> None:
        connection = new_connection()
        vendor(connection, "1", "Acme", code="A")
        vendor(connection, "2", "ACME", code="A")

        loaded = mapping_set(connection)

        assert (dict(loaded.vendor_names), dict(loaded.vendor_codes)) == ({}, {})

    def test_an_inactive_namesake_does_not_stand_in_the_way(self) -> None:
        connection = new_connection()
        vendor(connection, "1", "Acme", is_active=False)
        vendor(connection, "2", "Acme")

        assert mapping_set(connection).vendor_names["acme"].erp_id == "2"

    def test_a_vendor_of_ramp_can_be_mapped_by_its_id(self) -> None:
        connection, ramp_id = new_connection(), str(uuid.uuid4())
        vendor(connection, "1", "Acme")
        Mapping.objects.create(
            connection=connection, kind=Mapping.Kind.VENDOR, ramp_external_id=ramp_id, erp_id="1"
        )

        assert mapping_set(connection).vendor(ramp_id) == Target("1", "Acme")

    def test_every_account_of_the_profile_and_the_entitys_currency_are_read(self) -> None:
        connection = new_connection()
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

    def test_takes_one_statement_however_many_vendors_there_are(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        connection = new_connection()
        for number in range(20):
            vendor(connection, str(number), f"Vendor {number}")

        with django_assert_num_queries(1):
            mapping_set(connection)
