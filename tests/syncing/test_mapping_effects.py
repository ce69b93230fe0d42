"""What a missing mapping holds up is known before it is made, and goes on when it is."""

import pytest
from pytest_django import DjangoAssertNumQueries

from connections.erp.records import MasterKind
from connections.mapping_book import lines
from connections.mapping_book.changes import Change
from connections.mapping_book.revisions import BadTarget
from connections.models import LedgerAccount, Mapping, MappingKind, PostingProfile
from syncing import mapping_services
from syncing.mapping_backlog import backlog
from syncing.mapping_effects import would_release
from syncing.models import ItemEvent, SyncItem
from tests.syncing.mapping_world import (
    account,
    held_up,
    saved,
    second_entity,
    states,
    work,
    world_with_chart,
)
from tests.syncing.world import CARD, World, coding, transaction_body

pytestmark = pytest.mark.django_db

Kind = MappingKind


def effect(world: World, *changes: Change) -> tuple[int, list[str]]:
    before = lines.standing(world.connection, [one.key for one in changes])
    found = would_release(world.connection, changes, before)
    return found.items, [str(money) for money in found.sums]


class TestAMissingMapping:
    def test_of_31_items_is_made_once_and_all_31_go_through(self) -> None:
        world = world_with_chart()
        held_up(world, "old-77", 31, cents=39_677)
        assert states() == {"FAILED": 31}

        (held,) = backlog(world.connection).held
        assert (held.items, [str(money) for money in held.sums]) == (31, ["12299.87 USD"])
        assert effect(world, *held.changes("6200")) == (31, ["12299.87 USD"])
        done = saved(world, *held.changes("6200"))
        work(world)

        assert done.released == 31
        assert states() == {"POSTED": 31}
        assert len(world.erp.books.entries) == 31
        assert backlog(world.connection).held == ()

    def test_leaves_a_line_on_each_items_timeline_with_who_and_why(self) -> None:
        world = world_with_chart()
        held_up(world, "old-77")
        saved(world, account("old-77", "6200"))

        line = ItemEvent.objects.get(kind="released")
        assert (line.text, line.actor) == ("Mapped in revision 1.", "maya")

    def test_is_remembered_with_the_items_it_let_go(self) -> None:
        world = world_with_chart()
        held_up(world, "old-77", 2)

        revision = saved(world, account("old-77", "6200")).revision

        assert revision
        assert revision.released == 2
        assert set(revision.released_items) == set(SyncItem.objects.values_list("pk", flat=True))

    def test_of_another_coding_stays(self) -> None:
        world = world_with_chart()
        held_up(world, "old-77")
        held_up(world, "old-78")

        assert saved(world, account("old-77", "6200")).released == 1
        work(world)

        assert states() == {"FAILED": 1, "POSTED": 1}

    def test_that_cannot_be_made_frees_nothing(self) -> None:
        world = world_with_chart()
        held_up(world, "old-77")

        with pytest.raises(BadTarget):
            saved(world, account("old-77", "no such account"))

        assert states() == {"FAILED": 1}
        assert not Mapping.objects.exists()

    def test_of_one_entity_frees_that_entitys_items_only(self) -> None:
        world = world_with_chart()
        other = second_entity(world)
        held_up(world, "old-77", 2)
        held_up(world, "old-77", 3, entity_id=other)

        own = account("old-77", "6200", entity_ramp_id=other)
        assert effect(world, own)[0] == saved(world, own).released == 3
        work(world)
        assert states() == {"FAILED": 2, "POSTED": 3}

    def test_for_all_does_not_count_entities_with_a_line_of_their_own(self) -> None:
        world = world_with_chart()
        other = second_entity(world)
        saved(world, account("old-77", "6300", entity_ramp_id=other))
        held_up(world, "old-77", 2)
        SyncItem.objects.update(entity_ramp_id=other)  # it was held up before that line was made

        assert effect(world, account("old-77", "6200"))[0] == 0


class TestOtherKinds:
    def test_a_field_option(self) -> None:
        world = world_with_chart()
        option = coding("gone-9") | {
            "type": "OTHER",
            "name": "Growth",
            "category_info": {"id": "x", "external_id": "department", "type": "OTHER"},
        }
        held_up(world, "6200", 2, accounting_field_selections=[option])

        (held,) = backlog(world.connection).held
        assert (held.place.kind, held.place.field_erp_id) == (Kind.FIELD_OPTION, "department")
        assert (held.place.external_id, held.name) == ("gone-9", "Growth")
        assert saved(world, *held.changes("ENG")).released == 2
        work(world)
        assert states() == {"POSTED": 2}

    def test_an_entity_and_its_posting_account(self) -> None:
        world = world_with_chart()
        PostingProfile.objects.all().delete()
        world.connection.entities.update(is_mapped=False)
        held_up(world, "6200", 2)
        (held,) = backlog(world.connection).held
        assert held.place.kind == Kind.ENTITY

        assert saved(world, *held.changes("*")).released == 2
        work(world)
        (held,) = backlog(world.connection).held
        assert (held.place.kind, held.place.external_id) == (
            Kind.PROFILE,
            "card_liability_account",
        )
        assert saved(world, *held.changes(CARD)).released == 2
        work(world)
        assert states() == {"POSTED": 2}

    def test_an_account_for_lines_without_coding(self) -> None:
        world = world_with_chart()
        world.ready(transaction_body(account=None))
        work(world)
        change = Change(Kind.PROFILE, "fallback_expense_account", "6200")

        assert effect(world, change)[0] == saved(world, change).released == 1
        work(world)
        assert states() == {"POSTED": 1}


class TestAClosedAccount:
    def closed(self, world: World) -> None:
        """The ERP closes 6999, which codings and a mapping lead to."""
        saved(world, account("old-77", "6999"))
        world.erp.books.deactivate(MasterKind.ACCOUNT, "6999")
        LedgerAccount.objects.filter(erp_id="6999").update(is_active=False)

    def test_is_mapped_to_another_one_with_everything_that_leads_to_it(self) -> None:
        world = world_with_chart()
        self.closed(world)
        held_up(world, "6999", 2)
        held_up(world, "old-77", 3)

        (held,) = backlog(world.connection).held
        assert (held.is_closed, held.items) == (True, 5)
        assert saved(world, *held.changes("6200")).released == 5
        work(world)
        assert states() == {"POSTED": 5}

    def test_frees_only_the_coding_that_is_led_elsewhere(self) -> None:
        world = world_with_chart()
        self.closed(world)
        held_up(world, "6999", 2)
        held_up(world, "old-77", 3)

        change = account("old-77", "6200")
        assert effect(world, change)[0] == saved(world, change).released == 3
        work(world)
        assert states() == {"FAILED": 2, "POSTED": 3}


class TestTakingBack:
    def test_frees_what_the_older_mapping_lets_through(self) -> None:
        world = world_with_chart()
        held_up(world, "old-77")
        first = saved(world, account("old-77", "6200")).revision
        assert first
        undone = mapping_services.revert(first, actor="tomas", reason="Wrong account")
        assert undone.released == 0
        work(world)
        assert states() == {"FAILED": 1}
        assert undone.revision

        again = mapping_services.revert(undone.revision, actor="maya", reason="It was right")
        work(world)

        assert again.released == 1
        assert states() == {"POSTED": 1}


class TestTheBacklog:
    def test_puts_most_money_first_in_the_customers_own_currency(self) -> None:
        world = world_with_chart()
        held_up(world, "many", 5, cents=100)
        held_up(world, "dear", 1, cents=90_000)
        SyncItem.objects.filter(blocked_by="mapping.GL account:many").update(currency="EUR")

        found = backlog(world.connection)

        assert [one.place.external_id for one in found.held] == ["dear", "many"]
        assert found.items == 6
        assert [str(money) for money in found.sums] == ["900.00 USD", "5.00 EUR"]
        assert found.is_all

    def test_is_read_in_the_same_statements_however_much_there_is(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        world = world_with_chart()
        for number in range(6):
            held_up(world, f"old-{number}", 2)

        with django_assert_max_num_queries(6):
            assert len(backlog(world.connection).held) == 6

    def test_belongs_to_one_customer(self) -> None:
        world, neighbour = world_with_chart(), world_with_chart()
        held_up(neighbour, "old-77", 2)

        assert backlog(world.connection).held == ()
        assert effect(world, account("old-77", "6200")) == (0, [])
