"""Changed details of vendors, and who may decide about them."""

import pytest
from django.db import IntegrityError, transaction

from connections.models import Connection, FieldOwner, Vendor, VendorChange, VendorField
from connections.vendor_book import changes, ownership
from connections.vendor_book.changes import NotDecidable, accept, check, reject
from tests.factories import (
    ConnectionFactory,
    RampVendorFactory,
    VendorChangeFactory,
    VendorFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbor() -> Connection:
    return ConnectionFactory.create()


@pytest.fixture
def uline(harbor: Connection) -> Vendor:
    """A vendor whose account was seen before and is another one now."""
    vendor = VendorFactory.create(
        connection=harbor, erp_id="12", bank_digest="old", bank_hint="…4421"
    )
    changes.find_bank_changes(harbor)
    return account(vendor, "new", "…9007")


def account(vendor: Vendor, digest: str, hint: str) -> Vendor:
    Vendor.objects.filter(pk=vendor.pk).update(bank_digest=digest, bank_hint=hint)
    vendor.refresh_from_db()
    return vendor


def the_change() -> VendorChange:
    return VendorChange.objects.get(state__in=("found", "checked"))


class TestFinding:
    def test_the_first_sight_is_no_change(self, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, bank_digest="a")
        VendorFactory.create(connection=harbor)

        assert changes.find_bank_changes(harbor) == 0

    def test_another_account_is_one(self, harbor: Connection, uline: Vendor) -> None:
        assert changes.find_bank_changes(harbor) == 1
        assert changes.find_bank_changes(harbor) == 0

        change = the_change()
        assert (change.before, change.after, change.state) == ("…4421", "…9007", "found")

    def test_a_first_account_of_a_known_vendor_is_one(self, harbor: Connection) -> None:
        vendor = VendorFactory.create(connection=harbor)
        changes.find_bank_changes(harbor)

        account(vendor, "new", "…9007")

        assert changes.find_bank_changes(harbor) == 1

    def test_another_change_must_be_checked_anew(self, harbor: Connection, uline: Vendor) -> None:
        changes.find_bank_changes(harbor)
        check(the_change(), actor="maya", reason="Called them.", digest="new")
        account(uline, "newer", "…1111")

        assert changes.find_bank_changes(harbor) == 1

        change = the_change()
        assert (change.state, change.checked_by, change.after) == ("found", "", "…1111")

    def test_going_back_ends_the_question(self, harbor: Connection, uline: Vendor) -> None:
        changes.find_bank_changes(harbor)
        account(uline, "old", "…4421")

        changes.find_bank_changes(harbor)

        assert VendorChange.objects.get().state == "rejected"

    def test_what_was_rejected_is_not_asked_again(self, harbor: Connection, uline: Vendor) -> None:
        changes.find_bank_changes(harbor)
        reject(the_change(), actor="maya", reason="They know nothing of it.")

        assert changes.find_bank_changes(harbor) == 0

    def test_another_customers_vendors_are_left_alone(self, uline: Vendor) -> None:
        assert changes.find_bank_changes(ConnectionFactory.create()) == 0


class TestDeciding:
    def test_two_people_accept_an_account(self, harbor: Connection, uline: Vendor) -> None:
        changes.find_bank_changes(harbor)
        check(the_change(), actor="maya", reason="Called them.", digest="new")

        accept(the_change(), actor="tomas")

        uline.refresh_from_db()
        assert (uline.accepted_bank_digest, uline.accepted_bank_hint) == ("new", "…9007")
        assert changes.find_bank_changes(harbor) == 0
        assert VendorChange.objects.get().reason == "Called them."

    @pytest.mark.parametrize("second", ["maya", "MAYA"])
    def test_one_person_cannot(self, harbor: Connection, uline: Vendor, second: str) -> None:
        changes.find_bank_changes(harbor)
        check(the_change(), actor="maya", reason="Called them.", digest="new")

        with pytest.raises(NotDecidable, match="second person"):
            accept(the_change(), actor=second)

        uline.refresh_from_db()
        assert uline.accepted_bank_digest == "old"

    def test_nobody_accepts_what_nobody_checked(self, harbor: Connection, uline: Vendor) -> None:
        changes.find_bank_changes(harbor)

        with pytest.raises(NotDecidable, match="checked by one person"):
            accept(the_change(), actor="maya")

    @pytest.mark.parametrize(
        ("checked_by", "decided_by"), [("", "maya"), ("maya", "maya"), ("maya", "")]
    )
    def test_the_database_holds_to_it_too(self, checked_by: str, decided_by: str) -> None:
        with pytest.raises(IntegrityError, match="bank_changes_need_two"), transaction.atomic():
            VendorChangeFactory.create(
                state="accepted", checked_by=checked_by, decided_by=decided_by
            )

    def test_what_changed_while_one_looked_is_not_checked(
        self, harbor: Connection, uline: Vendor
    ) -> None:
        changes.find_bank_changes(harbor)

        with pytest.raises(NotDecidable, match="not what you looked at"):
            check(the_change(), actor="maya", reason="Called.", digest="the one before")

    def test_what_changed_after_the_check_is_not_accepted(
        self, harbor: Connection, uline: Vendor
    ) -> None:
        changes.find_bank_changes(harbor)
        check(the_change(), actor="maya", reason="Called.", digest="new")
        account(uline, "newer", "…1111")  # and nobody has read the ERP since

        with pytest.raises(NotDecidable, match="changed the account again"):
            accept(the_change(), actor="tomas")

        assert the_change().state == "checked"

    def test_a_stale_page_decides_nothing(self, harbor: Connection, uline: Vendor) -> None:
        changes.find_bank_changes(harbor)
        stale = the_change()
        reject(the_change(), actor="maya", reason="No.")

        with pytest.raises(NotDecidable, match="decided this already"):
            reject(stale, actor="tomas", reason="No.")

    def test_a_name_is_accepted_by_one_and_not_checked(self, harbor: Connection) -> None:
        change = VendorChangeFactory.create(connection=harbor, field="name")

        with pytest.raises(NotDecidable, match="Only bank details"):
            check(change, actor="maya", reason="", digest="new")
        accept(change, actor="maya")

        change.refresh_from_db()
        assert change.state == "accepted"


class TestOwnership:
    def own(self, connection: Connection, owner: FieldOwner.Owner, field: str = "name") -> None:
        ownership.set_owner(connection, field=VendorField(field), owner=owner, actor="maya")

    def renamed(self, connection: Connection) -> Vendor:
        return VendorFactory.create(
            connection=connection, erp_id="12", name="Uline, Inc.", ramp_name="Uline"
        )

    def is_held(self, vendor: Vendor) -> bool:
        vendor.refresh_from_db()
        return vendor.name_is_held

    def test_the_erp_is_right_unless_somebody_says_otherwise(self, harbor: Connection) -> None:
        vendor = self.renamed(harbor)

        ownership.apply(harbor)

        assert set(ownership.owners(harbor).values()) == {FieldOwner.Owner.ERP}
        assert not self.is_held(vendor)

    def test_names_that_ramp_owns_are_held_back_until_the_erp_owns_them(
        self, harbor: Connection
    ) -> None:
        vendor = self.renamed(harbor)

        self.own(harbor, FieldOwner.Owner.RAMP)
        assert self.is_held(vendor)

        self.own(harbor, FieldOwner.Owner.ERP)
        assert not self.is_held(vendor)

    def test_asking_holds_a_name_back_until_it_is_accepted(self, harbor: Connection) -> None:
        vendor = self.renamed(harbor)
        self.own(harbor, FieldOwner.Owner.ASK)
        assert self.is_held(vendor)
        assert (the_change().before, the_change().after) == ("Uline", "Uline, Inc.")

        accept(the_change(), actor="maya")

        assert not self.is_held(vendor)
        assert ownership.apply(harbor) == 0
        assert not self.is_held(vendor)

    def test_a_rejected_name_stays_held_and_is_not_asked_again(self, harbor: Connection) -> None:
        vendor = self.renamed(harbor)
        self.own(harbor, FieldOwner.Owner.ASK)

        reject(the_change(), actor="maya", reason="Typing error in the ERP.")

        assert ownership.apply(harbor) == 0
        assert self.is_held(vendor)

    def test_an_address_that_differs_is_asked_about_and_the_answer_kept(
        self, harbor: Connection
    ) -> None:
        VendorFactory.create(connection=harbor, erp_id="12", email="ar@uline.com", country="US")
        RampVendorFactory.create(
            connection=harbor, linked_erp_id="12", email="old@uline.com", country="CA"
        )

        self.own(harbor, FieldOwner.Owner.ASK, "email")

        assert the_change().after == "ar@uline.com"
        accept(the_change(), actor="maya")
        assert ownership.apply(harbor) == 0

    def test_a_difference_that_is_gone_is_no_question(self, harbor: Connection) -> None:
        vendor = VendorFactory.create(connection=harbor, erp_id="12", country="US")
        RampVendorFactory.create(connection=harbor, linked_erp_id="12", country="CA")
        self.own(harbor, FieldOwner.Owner.ASK, "country")
        Vendor.objects.filter(pk=vendor.pk).update(country="CA")

        ownership.apply(harbor)

        assert VendorChange.objects.get().reason == "Both sides agree again."

    def test_an_owner_ends_the_questions(self, harbor: Connection) -> None:
        self.renamed(harbor)
        self.own(harbor, FieldOwner.Owner.ASK)

        self.own(harbor, FieldOwner.Owner.RAMP)

        assert VendorChange.objects.get().state == "rejected"
