"""The book of mappings: saved whole or not at all, by somebody, for a reason, and taken back."""

import uuid
from threading import Thread

import pytest
from django.db import connection as database
from django.db.models import QuerySet

from connections.mapping_book.revisions import (
    ONLY_COMPANY,
    BadTarget,
    Change,
    Conflict,
    Difference,
    Outdated,
    diff,
    revert,
    save,
)
from connections.models import (
    Connection,
    Entity,
    ErpEntity,
    LedgerAccount,
    Mapping,
    MappingKind,
    MappingRevision,
    PostingProfile,
    TaxCode,
)
from tests.factories import (
    ConnectionFactory,
    CustomFieldFactory,
    EntityFactory,
    FieldOptionFactory,
    LedgerAccountFactory,
    VendorFactory,
    now,
)

Kind = MappingKind
Source = MappingRevision.Source


@pytest.fixture
def connection(db: None) -> Connection:
    """A customer with two accounts to map to."""
    made: Connection = ConnectionFactory.create()
    for code, name in (("61", "Travel"), ("62", "Software")):
        LedgerAccountFactory.create(connection=made, erp_id=code, code=code, name=name)
    return made


def write(connection: Connection, *changes: Change, **options: object) -> MappingRevision | None:
    """What a person saves on the page."""
    values = {"actor": "maya", "reason": "asked for", "source": Source.WORKBENCH}
    return save(connection, changes, **values | options)  # type: ignore[arg-type]


def account(external_id: str, after: str, **options: str) -> Change:
    return Change(Kind.GL_ACCOUNT, external_id, after, **options)


def led(connection: Connection) -> dict[str, str]:
    rows = Mapping.objects.filter(connection=connection)
    return dict(rows.values_list("ramp_external_id", "erp_id"))


class TestSaving:
    def test_writes_the_line_who_why_and_what_was_before(self, connection: Connection) -> None:
        write(connection, account("old", "61", ramp_name="Old travel"))
        revision = write(connection, account("old", "62"), reason="Closed in June", actor="tomas")

        assert revision
        assert (revision.number, revision.actor, revision.reason) == (2, "tomas", "Closed in June")
        (line,) = revision.changes.all()
        assert (line.before, line.after) == ("61", "62")
        row = Mapping.objects.get(connection=connection)
        assert (row.erp_id, row.changed_by, row.ramp_name) == ("62", "tomas", "Old travel")

    def test_is_no_revision_if_all_is_so_already(self, connection: Connection) -> None:
        write(connection, account("old", "61"))

        assert write(connection, account("old", "61"), account("other", "")) is None
        assert connection.mapping_revisions.count() == 1

    def test_takes_a_line_out_of_the_book(self, connection: Connection) -> None:
        write(connection, account("old", "61"))
        write(connection, account("old", ""))

        assert led(connection) == {}

    def test_keeps_an_entitys_own_line_beside_the_general_one(self, connection: Connection) -> None:
        entity = EntityFactory.create(connection=connection)
        own = account("old", "62", entity_ramp_id=str(entity.ramp_id))
        write(connection, account("old", "61"), own)
        write(connection, account("old", ""))

        assert [(row.entity, row.erp_id) for row in Mapping.objects.all()] == [(entity, "62")]

    def test_numbers_the_revisions_of_each_customer_by_themselves(
        self, connection: Connection
    ) -> None:
        other = ConnectionFactory.create()
        LedgerAccountFactory.create(connection=other, erp_id="61")
        write(connection, account("old", "61"))

        revision = write(other, account("old", "61"))

        assert revision
        assert revision.number == 1

    def test_maps_an_entity_to_the_only_company(self, connection: Connection) -> None:
        entity = EntityFactory.create(connection=connection)
        change = Change(Kind.ENTITY, str(entity.ramp_id), ONLY_COMPANY)
        write(connection, change)

        entity.refresh_from_db()
        assert (entity.is_mapped, entity.erp_entity) == (True, "")
        assert write(connection, change) is None

    def test_maps_an_entity_to_a_company_and_away_from_it(self, connection: Connection) -> None:
        entity = EntityFactory.create(connection=connection)
        ErpEntity.objects.create(connection=connection, erp_id="7", name="Seven")
        write(connection, Change(Kind.ENTITY, str(entity.ramp_id), "7"))
        entity.refresh_from_db()
        assert (entity.is_mapped, entity.erp_entity) == (True, "7")

        write(connection, Change(Kind.ENTITY, str(entity.ramp_id), ""))
        entity.refresh_from_db()
        assert (entity.is_mapped, entity.erp_entity) == (False, "")

    def test_writes_posting_accounts_general_and_of_one_entity(
        self, connection: Connection
    ) -> None:
        entity = EntityFactory.create(connection=connection)
        LedgerAccountFactory.create(connection=connection, erp_id="10", classification="ASSET")
        bank = Change(Kind.PROFILE, "bank_account", "10")
        own = Change(Kind.PROFILE, "bank_account", "10", entity_ramp_id=str(entity.ramp_id))
        write(connection, bank, own)
        assert {
            (profile.entity, profile.bank_account) for profile in PostingProfile.objects.all()
        } == {(None, "10"), (entity, "10")}

        write(connection, Change(Kind.PROFILE, "bank_account", ""))
        assert [profile.entity for profile in PostingProfile.objects.all()] == [entity]


class TestWhatIsRefused:
    def refused(self, connection: Connection, change: Change) -> tuple[str, str]:
        """The field and the words; and that nothing was written, not even what is right."""
        right = account("right", "61")
        with pytest.raises(BadTarget) as refused:
            write(connection, right, change)
        assert led(connection) == {}
        assert not MappingRevision.objects.exists()
        return refused.value.field, str(refused.value)

    def test_an_account_that_the_erp_does_not_have(self, connection: Connection) -> None:
        field, words = self.refused(connection, account("old", "999"))

        assert field == "erp_id"
        assert words == (
            "Tryton has no GL account with the id 999."
            " Choose one of the list, or read Tryton again if it is new."
        )

    def test_a_closed_account_a_heading_and_one_that_is_gone(self, connection: Connection) -> None:
        for erp_id, changes in (
            ("70", {"is_active": False}),
            ("71", {"is_postable": False}),
            ("72", {"gone_at": now()}),
        ):
            LedgerAccountFactory.create(
                connection=connection, erp_id=erp_id, code=erp_id, name="Odd", **changes
            )
        words = [self.refused(connection, account("x", one))[1] for one in ("70", "71", "72")]

        assert words[0].startswith("The GL account 70 Odd is closed in Tryton.")
        assert words[1].startswith("71 Odd is a heading in Tryton, which nothing is posted to.")
        assert words[2].startswith("The GL account 72 Odd is no longer in Tryton.")

    def test_a_posting_account_of_the_wrong_class(self, connection: Connection) -> None:
        change = Change(Kind.PROFILE, "card_liability_account", "61")

        assert self.refused(connection, change) == (
            "erp_id",
            "61 Travel is an expense account in Tryton, which card liability cannot use."
            " Choose a credit card or a liability account.",
        )

    def test_a_vendor_that_was_merged_says_into_which(self, connection: Connection) -> None:
        VendorFactory.create(connection=connection, erp_id="v1", name="Acme", merged_into="v2")

        _, words = self.refused(connection, Change(Kind.VENDOR, "ramp-vendor", "v1"))

        assert words.endswith("Choose the one it was merged into: v2.")

    def test_an_option_of_another_field(self, connection: Connection) -> None:
        department = CustomFieldFactory.create(connection=connection)
        CustomFieldFactory.create(connection=connection, erp_id="project", name="Project")
        FieldOptionFactory.create(field=department, erp_id="ENG")

        field, words = self.refused(
            connection, Change(Kind.FIELD_OPTION, "x", "ENG", field_erp_id="project")
        )

        assert (field, words[:43]) == ("erp_id", "Tryton has no Project value with the id ENG")

    def test_a_field_an_entity_and_a_purpose_that_nobody_has(self, connection: Connection) -> None:
        stranger = str(uuid.uuid4())
        fields = [
            self.refused(connection, Change(Kind.FIELD_OPTION, "x", "1", field_erp_id="none"))[0],
            self.refused(connection, account("x", "61", entity_ramp_id=stranger))[0],
            self.refused(connection, Change(Kind.PROFILE, "petty_cash", "61"))[0],
            self.refused(connection, Change(Kind.ENTITY, stranger, ONLY_COMPANY))[0],
            self.refused(connection, account("", "61"))[0],
        ]

        assert fields == ["field", "entity", "ramp_id", "ramp_id", "ramp_id"]

    def test_a_company_of_the_erp_that_is_not_there_or_closed(self, connection: Connection) -> None:
        entity = EntityFactory.create(connection=connection)
        ErpEntity.objects.create(connection=connection, erp_id="7", name="Old", is_active=False)

        for company in ("7", "8"):
            change = Change(Kind.ENTITY, str(entity.ramp_id), company)
            assert self.refused(connection, change)[0] == "erp_id"

    def test_a_tax_code_that_is_closed(self, connection: Connection) -> None:
        TaxCode.objects.create(connection=connection, erp_id="T", name="Old", is_active=False)

        assert self.refused(connection, Change(Kind.TAX_CODE, "x", "T"))[0] == "erp_id"

    def test_two_targets_for_one_coding(self, connection: Connection) -> None:
        with pytest.raises(BadTarget, match="twice"):
            write(connection, account("old", "61"), account("old", "62"))

    def test_a_line_that_stays_is_not_looked_at_again(self, connection: Connection) -> None:
        write(connection, account("old", "61"))
        connection_accounts(connection, "61").update(is_active=False)

        assert write(connection, account("old", "61"), account("new", "62"))


def connection_accounts(connection: Connection, erp_id: str) -> QuerySet[LedgerAccount]:
    return LedgerAccount.objects.filter(connection=connection, erp_id=erp_id)


class TestTwoPeople:
    def test_the_second_is_told_whose_change_it_would_overwrite(
        self, connection: Connection
    ) -> None:
        write(connection, account("old", "61", ramp_name="Old travel"), actor="tomas")

        with pytest.raises(Outdated) as outdated:
            write(connection, account("old", "62"), expected_number=0)

        assert str(outdated.value) == (
            "tomas has changed Old travel meanwhile, in revision 1. Look at it and save again."
        )
        assert led(connection) == {"old": "61"}

    def test_different_lines_do_not_stand_in_each_others_way(self, connection: Connection) -> None:
        write(connection, account("old", "61"), expected_number=0)

        assert write(connection, account("other", "62"), expected_number=0)

    @pytest.mark.django_db(transaction=True)
    def test_both_at_once_get_a_number_each(self) -> None:
        made = ConnectionFactory.create()
        LedgerAccountFactory.create(connection=made, erp_id="61")

        def save_one(name: str) -> None:
            write(made, account(name, "61"))
            database.close()

        threads = [Thread(target=save_one, args=(f"line-{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        numbers = made.mapping_revisions.order_by("number").values_list("number", flat=True)
        assert list(numbers) == [1, 2, 3, 4]


class TestTakingBack:
    def test_leads_everything_where_it_led_before(self, connection: Connection) -> None:
        write(connection, account("a", "61"))
        revision = write(connection, account("a", "62"), account("b", "62"))
        assert revision

        back = revert(revision, actor="tomas", reason="Wrong customer")

        assert back
        assert (back.number, back.source, back.reverts) == (3, Source.REVERT, revision)
        assert led(connection) == {"a": "61"}

    def test_does_not_overwrite_what_was_changed_later(self, connection: Connection) -> None:
        revision = write(connection, account("a", "61", ramp_name="A"), account("b", "61"))
        assert revision
        write(connection, account("a", "62"))

        with pytest.raises(Conflict) as conflict:
            revert(revision, actor="tomas", reason="Wrong")

        assert str(conflict.value).startswith("A was changed again after revision 1.")
        assert led(connection) == {"a": "62", "b": "61"}

        revert(revision, actor="tomas", reason="The rest", only_unchanged=True)
        assert led(connection) == {"a": "62"}

    def test_refuses_to_lead_back_to_what_is_closed_by_now(self, connection: Connection) -> None:
        write(connection, account("a", "61"))
        revision = write(connection, account("a", "62"))
        assert revision
        connection_accounts(connection, "61").update(is_active=False)

        with pytest.raises(BadTarget):
            revert(revision, actor="tomas", reason="Wrong")
        assert led(connection) == {"a": "62"}


class TestComparing:
    def test_shows_only_what_leads_elsewhere_in_the_end(self, connection: Connection) -> None:
        write(connection, account("a", "61"), account("b", "61"))
        write(connection, account("a", "62"), account("c", "61"))
        write(connection, account("c", ""))

        assert [(one.key.external_id, one.before, one.after) for one in diff(connection, 1, 3)] == [
            ("a", "61", "62")
        ]
        assert [(one.key.external_id, one.before, one.after) for one in diff(connection, 3, 0)] == [
            ("a", "62", ""),
            ("b", "61", ""),
        ]
        assert diff(connection, 2, 2) == []

    def test_knows_the_entity_of_a_line(self, connection: Connection) -> None:
        entity: Entity = EntityFactory.create(connection=connection)
        own = account("a", "61", entity_ramp_id=str(entity.ramp_id), ramp_name="A")
        write(connection, own)

        assert diff(connection, 0, 1) == [Difference(own.key, "A", "", "61")]
