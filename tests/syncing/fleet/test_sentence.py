"""The sentence that says how a customer stands."""

from datetime import UTC, datetime, timedelta

import pytest

from rampbridge.lib.money import Money
from syncing.queries.health import HEALTHS, Health, look
from syncing.queries.sentence import Situation, as_text, noun_of, sentence

NOON = datetime(2026, 5, 14, 12, tzinfo=UTC)
WORKING = look("Working", "Items go through.")
OF_UX = Situation(
    health=WORKING,
    last_export_at=NOON - timedelta(minutes=12),
    done_today=41,
    waiting=3,
    waiting_for="closed period",
    uncertain=1,
    oldest_at=NOON - timedelta(hours=2, minutes=10),
    unsynced=[Money(14_220_00, "USD", 2)],
)


def said(of: Situation) -> str:
    return as_text(sentence(of), now=NOON)


class TestSentence:
    def test_says_everything_that_matters_at_once(self) -> None:
        assert said(OF_UX) == (
            "Working. Last export 12 min ago (41 ok in 24 h). 3 blocked on customer"
            " (closed period), 1 uncertain, oldest 2 h 10 min, 14,220.00 USD unsynced."
        )

    @pytest.mark.parametrize(
        ("of", "words"),
        [
            (Situation(WORKING), "Working. Nothing was exported yet. Nothing waits."),
            (
                Situation(WORKING, last_export_at=NOON - timedelta(seconds=40), done_today=1_204),
                "Working. Last export 40 s ago (1,204 ok in 24 h). Nothing waits.",
            ),
            (
                Situation(WORKING, last_export_at=NOON - timedelta(days=3, hours=4)),
                "Working. Last export 3 d 4 h ago (none in 24 h). Nothing waits.",
            ),
            (
                Situation(look("Setting up", "Nothing is exported yet.", 1)),
                "Setting up. Nothing is exported yet. Nothing was exported yet. Nothing waits.",
            ),
            (
                Situation(
                    look("Blocked", "Tryton no longer accepts the sign-in.", 5),
                    last_export_at=NOON - timedelta(hours=5),
                    queued=9,
                    oldest_at=NOON - timedelta(hours=5),
                    unsynced=[Money(700_00, "USD", 2), Money(9_000, "JPY", 0)],
                ),
                "Blocked. Tryton no longer accepts the sign-in. Last export 5 h ago"
                " (none in 24 h). 9 under way, oldest 5 h, 700.00 USD and 9,000 JPY unsynced.",
            ),
            (
                Situation(
                    look("ERP silent", "Tryton does not answer. We try again by ourselves.", 4),
                    last_export_at=NOON - timedelta(minutes=20), retrying=31,
                    oldest_at=NOON - timedelta(minutes=19),
                ),
                "ERP silent. Tryton does not answer. We try again by ourselves. Last export"
                " 20 min ago (none in 24 h). 31 retrying, oldest 19 min.",
            ),
            (
                Situation(WORKING, needs_person=1, needs_person_for="missing mapping",
                          oldest_at=NOON - timedelta(days=2)),
                "Working. Nothing was exported yet. 1 needs a person (missing mapping),"
                " oldest 2 d.",
            ),
            (
                Situation(WORKING, needs_person=2, waiting=1, uncertain=3, retrying=4, queued=5,
                          oldest_at=NOON),
                "Working. Nothing was exported yet. 2 need a person, 1 blocked on customer,"
                " 3 uncertain, 4 retrying, 5 under way, oldest 0 s.",
            ),
        ],
    )  # fmt: skip
    def test_fits_the_situation(self, of: Situation, words: str) -> None:
        assert said(of) == words

    def test_a_refund_counts_with_its_sign(self) -> None:
        of = Situation(WORKING, queued=1, oldest_at=NOON, unsynced=[Money(-12_50, "EUR", 2)])

        assert said(of).endswith("-12.50 EUR unsynced.")

    @pytest.mark.parametrize("word", HEALTHS)
    def test_begins_with_the_word_of_the_list(self, word: str) -> None:
        assert said(Situation(look(word))).startswith(f"{word}.")

    def test_an_unknown_word_has_a_look(self) -> None:
        assert look("Enlightened") == Health("Enlightened", "neutral", "circle-help")


class TestNouns:
    @pytest.mark.parametrize(
        ("code", "noun"),
        [
            ("erp.period_closed", "closed period"),
            ("mapping.odd_new_thing", "odd new thing"),
            ("plain", "plain"),
            ("", ""),
        ],
    )
    def test_a_cause_in_two_words(self, code: str, noun: str) -> None:
        assert noun_of(code) == noun
