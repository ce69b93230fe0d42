"""Copies find each record again by code and name, and list what they cannot."""

import uuid

import pytest

from connections.mapping_book.changes import Change
from connections.mapping_book.cloning import CannotCopy, Plan, to_customer, to_sibling
from connections.mapping_book.revisions import save
from connections.models import Connection, LedgerAccount, MappingKind, MappingRevision
from tests.factories import ConnectionFactory, EntityFactory, LedgerAccountFactory, VendorFactory

pytestmark = pytest.mark.django_db
Kind = MappingKind


def customer(*accounts: tuple[str, str, str], **changes: str) -> Connection:
    made: Connection = ConnectionFactory.create(**changes)
    for erp_id, code, name in accounts:
        LedgerAccountFactory.create(
            connection=made, erp_id=erp_id, code=code, name=name, classification="LIABILITY"
        )
    return made


def write(connection: Connection, *changes: Change) -> None:
    save(
        connection,
        changes,
        actor="maya",
        reason="x",
        source=MappingRevision.Source.WORKBENCH,
    )


def account(external_id: str, after: str, **options: str) -> Change:
    return Change(Kind.GL_ACCOUNT, external_id, after, **options)


def copied(plan: Plan) -> list[tuple[str, str, str, str]]:
    return [
        (one.change.ramp_external_id, one.change.after, one.before, one.why) for one in plan.copied
    ]


class TestToAnotherCustomer:
    def test_records_are_found_again_by_code_and_name(self) -> None:
        source = customer(("1", "6100", "Travel"), ("2", "6200", "Software"), ("3", "", "Rent"))
        target = customer(("11", "6100", "Travel"), ("12", "6200", "IT"), ("13", "", "RENT"))
        write(source, account("a", "1"), account("b", "2"), account("c", "3"))

        plan = to_customer(source, target)

        assert copied(plan) == [
            ("a", "11", "", "same code and name"),
            ("b", "12", "", "same code"),
            ("c", "13", "", "same name"),
        ]
        assert plan.not_copied == []

    def test_a_coding_that_is_a_record_itself_is_found_again_too(self) -> None:
        source = customer(("1", "6100", "Travel"), ("9", "6999", "Old"))
        target = customer(("11", "6100", "Travel"), ("19", "6999", "Old"))
        write(source, account("9", "1"))

        assert copied(to_customer(source, target)) == [("19", "11", "", "same code and name")]

    def test_an_id_that_means_another_record_there_is_not_copied(self) -> None:
        source = customer(("1", "6100", "Travel"))
        target = customer(("11", "6100", "Travel"), ("old", "7000", "Something else"))
        write(source, account("old", "1"))

        (left,) = to_customer(source, target).not_copied
        assert left.why == "There the id means another record."

    def test_what_is_not_there_is_listed(self) -> None:
        source = customer(("1", "6100", "Travel"))
        target = customer(("11", "7777", "Other"))
        entity = EntityFactory.create(connection=source)
        VendorFactory.create(connection=source, erp_id="v", name="Acme")
        VendorFactory.create(connection=target, erp_id="w", name="Acme")
        write(
            source,
            account("a", "1", ramp_name="Old travel"),
            Change(Kind.ENTITY, str(entity.ramp_id), "*"),
            Change(Kind.VENDOR, str(uuid.uuid4()), "v"),
            Change(Kind.VENDOR, "code:A", "v"),
        )

        plan = to_customer(source, target)

        assert [(one.change.ramp_external_id, one.change.after) for one in plan.copied] == [
            ("code:A", "w")
        ]
        assert sorted((one.name == "Old travel", one.why) for one in plan.not_copied) == [
            (False, "Entities are each customer's own. Map them by hand."),
            (False, "Vendors of Ramp are each customer's own."),
            (True, "Tryton has no one 6100 Travel there."),
        ]

    def test_posting_accounts_come_along_and_bad_ones_are_listed(self) -> None:
        source = customer(("1", "2150", "Card"))
        target = customer(("11", "2150", "Card"))
        write(source, Change(Kind.PROFILE, "card_liability_account", "1"))
        assert copied(to_customer(source, target))[0][:2] == ("card_liability_account", "11")

        LedgerAccount.objects.filter(connection=target).update(classification="EXPENSE")
        (left,) = to_customer(source, target).not_copied
        assert "is an expense account" in left.why

    def test_says_what_leads_elsewhere_now_and_keeps_what_is_so_already(self) -> None:
        source = customer(("1", "6100", "Travel"), ("2", "6200", "Software"))
        target = customer(("1", "6100", "Travel"), ("2", "6200", "Software"))
        write(source, account("a", "1"), account("b", "1"))
        write(target, account("a", "2"), account("b", "1"))

        plan = to_customer(source, target)

        assert [one[2] for one in copied(plan)] == ["2", "1"]
        assert [one.ramp_external_id for one in plan.changes] == ["a"]

    def test_not_to_itself_and_not_to_another_erp(self) -> None:
        source, other = customer(), customer(erp_kind="tryton")

        for target in (source, other):
            with pytest.raises(CannotCopy):
                to_customer(source, target)


class TestToASibling:
    def test_the_own_lines_of_an_entity(self) -> None:
        connection = customer(("1", "6100", "Travel"), ("2", "2150", "Card"))
        one, two = (
            str(EntityFactory.create(connection=connection, name=name).ramp_id) for name in "ab"
        )
        write(
            connection,
            account("a", "1", entity_ramp_id=one),
            account("general", "1"),
            Change(Kind.PROFILE, "card_liability_account", "2", entity_ramp_id=one),
        )

        plan = to_sibling(connection, one, two)

        assert [(c.ramp_external_id, c.after, c.entity_ramp_id) for c in plan.changes] == [
            ("a", "1", two),
            ("card_liability_account", "2", two),
        ]
        write(connection, *plan.changes)
        assert to_sibling(connection, one, two).changes == []

    def test_not_to_itself_and_not_to_strangers(self) -> None:
        connection = customer()
        one = str(EntityFactory.create(connection=connection).ramp_id)

        for other in (one, str(uuid.uuid4()), ""):
            with pytest.raises(CannotCopy):
                to_sibling(connection, one, other)
