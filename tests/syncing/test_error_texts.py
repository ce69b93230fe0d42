"""The catalogue of error texts, line by line, held to what each category promises."""

import ast
import inspect
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connections.erp.errors import Code
from connections.erp.records import DocKind
from connections.erp.refusals import refusal
from connections.models import Connection
from rampbridge.lib.money import Money
from syncing import cannot_post, outages, sync_button
from syncing.cannot_post import CannotPost
from syncing.classifier import (
    ErrorCategory,
    SyncFailure,
    attempts_spent,
    classify,
    judged,
    text_for_customer,
)
from syncing.error_catalogue import ERP_RULES, OWN_RULES, PAYMENT_FIXES
from syncing.error_guide import GAVE_UP, GUIDES, UNKNOWN, guide_of
from syncing.error_texts import faults, fix_faults, form_faults
from syncing.models import SyncItem
from tests.factories import ScheduleFactory, SyncItemFactory, now

CONTACT = "support@integrator.example"
REFERENCE = "RB-7K3Q"
AT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "scopes": "accounting:write", "words": "The status of this item is “odd”.", "host": "x.example",
    "kind": "GL account", "what": "Old costs", "erp": "Tryton", "why": "is no longer active",
    "others": "A, B", "attempts": 8, "limit": 8, "needed": 16,
    "reason": "Harbor has no credentials yet.",
}  # fmt: skip


def said(failure: SyncFailure) -> str:
    return text_for_customer(
        failure, reference=REFERENCE, contact=CONTACT, next_try_at=AT, attempt=2, budget=8
    )


def every_judgement() -> Iterator[SyncFailure]:
    """One of each line of the catalogue, as the classifier makes it of facts."""
    for code in Code:
        failure = classify(refusal(code, erp="Tryton"), erp_name="Tryton")
        yield failure
        if failure.category is ErrorCategory.TRANSIENT:
            yield attempts_spent(failure, 8)
    for code in PAYMENT_FIXES:
        yield classify(
            refusal(code, erp="Tryton"),
            erp_name="Tryton",
            posting_date=date(2026, 5, 1),
            kind=DocKind.BILL_PAYMENT,
        )
    for name in OWN_RULES:
        yield judged(name, **FACTS)


EVERY = {f"{place} {one.code}": one for place, one in enumerate(every_judgement())}


class TestTheCatalogue:
    @pytest.mark.parametrize("failure", EVERY.values(), ids=EVERY)
    def test_keeps_the_promise_of_each_category(self, failure: SyncFailure) -> None:
        text = said(failure)

        assert faults(text, category=failure.category, fix=failure.fix, contact=CONTACT) == []

    def test_is_walked_whole(self) -> None:
        codes = {failure.code for failure in EVERY.values()}

        assert {f"erp.{code}" for code in ERP_RULES} <= codes
        assert set(OWN_RULES) <= codes

    def test_every_fix_of_our_own_refusals_tells_somebody_to_do_something(self) -> None:
        usd = Money(1000, "USD", 2)
        with_fix = [
            cannot_post.NoCoding(1, 2),
            cannot_post.NoAccountingDate(),
            cannot_post.NoMerchant(),
            cannot_post.TaxBelowZero("Reverse charge"),
        ]
        classes = [
            one
            for _, one in inspect.getmembers(cannot_post, inspect.isclass)
            if issubclass(one, CannotPost) and "Ramp. It then goes" in inspect.getsource(one)
        ]

        assert {type(one) for one in with_fix} == set(classes)
        for error in [*with_fix, cannot_post.CreditsDoNotFit(usd, usd)]:
            failure = classify(error, erp_name="Tryton")
            wrong = faults(
                said(failure), category=failure.category, fix=failure.fix, contact=CONTACT
            )
            assert wrong == []

    def test_nobody_judges_beside_it(self) -> None:
        """A literal judgement elsewhere would be held to nothing."""
        judges = {
            "syncing/classifier.py",
            "syncing/error_desk/judging.py",  # what a person has ruled
            "syncing/incidents.py",  # in the words of the failure that began it
            "syncing/setbacks.py",
        }
        found = set()
        for path in Path("syncing").rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                if is_call and node.func.id == "SyncFailure":  # type: ignore[attr-defined]
                    found.add(str(path))

        assert found == judges


@pytest.mark.django_db
class TestTextsOfTheirOwn:
    def test_a_long_outage_says_when_it_is_tried_again(self) -> None:
        connection: Connection = ScheduleFactory.create(
            erp_silent_since=now() - timedelta(hours=3)
        ).connection
        item = SyncItemFactory.create(connection=connection)
        failure = classify(refusal(Code.TIMEOUT, erp="Tryton"), erp_name="Tryton")

        outages.tell_waiting(connection, failure, next_try=timedelta(minutes=1))

        item = SyncItem.objects.get(pk=item.pk)
        assert faults(item.error_text, category=item.error_category, contact=CONTACT) == []

    def test_the_sync_button_says_when_it_is_tried_again(self) -> None:
        text = sync_button.NO_TIME.replace("{next}", "14:30")

        assert faults(text, category="transient") == []


class TestTheLint:
    GOOD = "May is closed in Tryton. Reopen May, or change the date in Ramp."

    @pytest.mark.parametrize(
        ("category", "text", "fix", "wrong"),
        [
            ("user_actionable", "May is closed in Tryton.", "", "what to do"),
            ("user_actionable", "May is closed.", "Reopen May.", "does not stand in it"),
            ("user_actionable", "May is closed. It is bad.", "It is bad.", "begin with a verb"),
            ("user_actionable", "Reopen it. We will retry.", "Reopen it.", "promises"),
            ("transient", "Tryton did not answer. We will try again later.", "", "next attempt"),
            ("needs_integrator", f"It failed. Quote {REFERENCE}.", "", "whom to turn to"),
            ("needs_integrator", f"It failed. Contact {CONTACT}.", "", "reference to quote"),
            ("needs_integrator", f"Contact {CONTACT}, quote RB-1. ", "", "reference to quote"),
            ("odd", "It failed.", "", "no category"),
        ],
    )  # fmt: skip
    def test_finds_a_broken_promise(self, category: str, text: str, fix: str, wrong: str) -> None:
        found = faults(text, category=category, fix=fix, contact=CONTACT)

        assert any(wrong in fault for fault in found), found

    def test_lets_a_kept_promise_pass(self) -> None:
        fix = "Reopen May, or change the date in Ramp."

        assert faults(self.GOOD, category="user_actionable", fix=fix) == []

    @pytest.mark.parametrize(
        ("text", "wrong"),
        [
            ("Oops, something went wrong.", "something went wrong"),
            ("Traceback of it.", "traceback"),
            ("It was null.", "null"),
            ("No full stop", "like a sentence"),
            ("Two  spaces.", "spaces"),
            ("Not {filled} in.", "not filled in"),
            ("The vendor None is missing.", "not filled in"),
            ("", "empty"),
        ],
    )
    def test_finds_what_nobody_should_read(self, text: str, wrong: str) -> None:
        assert any(wrong in fault for fault in form_faults(text))

    @pytest.mark.parametrize(
        "fix",
        [
            "Reopen the period.",
            "If it is, choose that vendor in Ramp.",
            "Check whether it is there. If it is another one, change its number.",
        ],
    )
    def test_takes_a_fix_that_tells_somebody_what_to_do(self, fix: str) -> None:
        assert fix_faults(fix) == []


class TestTheGuide:
    @pytest.mark.parametrize("failure", EVERY.values(), ids=EVERY)
    def test_knows_every_code_of_the_catalogue(self, failure: SyncFailure) -> None:
        guide = guide_of(failure.code, failure.category)

        assert guide is not UNKNOWN
        assert guide.us, "support is told what to do"

    def test_is_made_of_sentences(self) -> None:
        for guide in [*GUIDES.values(), GAVE_UP, UNKNOWN]:
            for text in (guide.means, *guide.us, guide.ends or "Nothing."):
                assert text.endswith("."), text
                assert "  " not in text
                assert text[0].isupper(), text

    def test_explains_a_code_of_a_later_version_by_its_family(self) -> None:
        assert guide_of("mapping.cost_centre", "user_actionable") is GUIDES["mapping"]
        assert guide_of("erp.something_new", "needs_integrator") is GUIDES["erp"]
        assert guide_of("odd", "needs_integrator") is UNKNOWN
