"""Ten states, nine words; each list counts exactly what its word said."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rampbridge.lib.money import Money
from syncing.models import SyncItem
from syncing.queries import standing
from syncing.queries.words import LOOKS, Party, Word, party_of, rows_for, word_for
from syncing.states import ItemState
from tests.factories import ConnectionFactory, SyncItemFactory

STORIES = {
    Word.QUEUED: {},
    Word.RETRYING: {"retrying": True},
    Word.WORKING: {"posting": True},
    Word.UNCERTAIN: {"lapsed": True},
    Word.CUSTOMER: {"failed": True},
    Word.NEEDS_PERSON: {"broken": True},
    Word.DONE: {"acked": True},
    Word.OUTSIDE: {"state": ItemState.EXTERNAL},
    Word.WITHDRAWN: {"state": ItemState.WITHDRAWN},
}
OTHERS = [
    (Word.WORKING, {"posted": True}),
    (Word.UNCERTAIN, {"state": ItemState.REVIEW}),
    (Word.NEEDS_PERSON, {"state": ItemState.MISMATCH}),
    (Word.RETRYING, {"failed": True, "error_category": "transient"}),
    (Word.NEEDS_PERSON, {"failed": True, "error_category": "something_newer"}),
]
ALL = [*STORIES.items(), *OTHERS]


@pytest.mark.django_db
class TestWords:
    @pytest.mark.parametrize(("word", "values"), ALL)
    def test_a_row_its_list_and_its_count_agree(
        self, word: Word, values: dict[str, object]
    ) -> None:
        item = SyncItemFactory.create(**values)
        now = timezone.now()

        lines = standing.standings(now=now)

        assert word_for(item, now) == word
        assert [found for found in Word if SyncItem.objects.filter(rows_for(found, now))] == [word]
        assert {name: n for name, n in standing.by_word(lines).items() if n} == {word: 1}

    def test_every_word_has_a_look(self) -> None:
        assert set(LOOKS) == set(Word)
        assert all(look.meaning for look in LOOKS.values())

    def test_a_lease_that_runs_out_makes_an_item_uncertain(self) -> None:
        item = SyncItemFactory.create(posting=True)
        now = timezone.now()

        assert word_for(item, now) == Word.WORKING
        assert word_for(item, now + timedelta(minutes=2)) == Word.UNCERTAIN

    def test_each_word_names_who_must_move(self) -> None:
        assert party_of(Word.CUSTOMER, "FAILED") == Party.CUSTOMER
        assert party_of(Word.WORKING, "POSTING") == Party.ERP
        assert party_of(Word.WORKING, "POSTED") == Party.RAMP
        assert party_of(Word.DONE, "ACKED") == Party.NOBODY


@pytest.mark.django_db
class TestSums:
    def test_currencies_are_never_added_up(self) -> None:
        connection = ConnectionFactory.create()
        SyncItemFactory.create(connection=connection, amount_minor=1_000)
        SyncItemFactory.create(connection=connection, amount_minor=250)
        SyncItemFactory.create(
            connection=connection, amount_minor=90_000, currency="JPY", exponent=0
        )

        lines = standing.standings(now=timezone.now())

        assert standing.sums(lines) == [Money(1_250, "USD", 2), Money(90_000, "JPY", 0)]

    def test_lines_of_one_connection_leave_the_others_out(self) -> None:
        mine, other = SyncItemFactory.create(), SyncItemFactory.create()

        lines = standing.standings(now=timezone.now(), connection_id=mine.connection_id)

        assert sum(line.items for line in lines) == 1
        assert other.connection_id not in standing.per_connection(lines)
