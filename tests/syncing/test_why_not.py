"""Why something that Ramp holds is not here: a row of the table each."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from syncing.inquiries.asking import meant_by
from syncing.inquiries.reasons import Answer, Facts, Reading, why_not
from syncing.queries.words import Party
from tests import spend
from tests.syncing.world import ENTITY, coding, transaction_body

FACTS = Facts(
    customer="Harbor Coffee",
    erp_name="Tryton",
    stage="live",
    types=frozenset({"transaction", "bill", "reimbursement", "transfer", "cashback"}),
    entities={str(ENTITY): ("Harbor", True)},
)


def asked(
    body: Mapping[str, Any] | None, object_type: str = "transaction", **changes: Any
) -> Answer:
    facts = replace(FACTS, **{k: v for k, v in changes.items() if k in Facts.__slots__})
    rest = {k: v for k, v in changes.items() if k not in Facts.__slots__}
    reading = Reading(object_type, body, is_there=body is not None)
    return why_not(replace(reading, **rest), facts)


def bought(**changes: Any) -> dict[str, Any]:
    return transaction_body(**changes)


class TestAnswers:
    @pytest.mark.parametrize(
        ("code", "answer", "party"),
        [
            ("ramp.scope_missing", "no_permission", Party.CUSTOMER),
            ("ramp.unauthorised", "no_permission", Party.CUSTOMER),
            ("ramp.unavailable", "silent", Party.RAMP),
            ("ramp.rate_limited", "silent", Party.RAMP),
            ("ramp.odd", "unread", Party.US),
        ],
    )
    def test_that_ramp_was_not_read_says_why(self, code: str, answer: str, party: Party) -> None:
        found = asked(None, problem="It lacks the permission bills:read.", problem_code=code)

        assert (found.code, found.party) == (answer, party)
        assert found.title == "It lacks the permission bills:read."

    def test_what_ramp_does_not_have_is_told_so(self) -> None:
        found = asked(None, is_there=False)

        assert (found.code, found.party) == ("gone", Party.NOBODY)
        assert found.title == "Ramp has no such card transaction for Harbor Coffee."

    def test_what_nobody_can_read_is_for_a_developer(self) -> None:
        found = asked({"id": "nonsense"})

        assert (found.code, found.party) == ("malformed", Party.US)

    def test_what_somebody_else_synced_names_when(self) -> None:
        found = asked(bought(sync_status="SYNCED", synced_at="2026-11-03T10:00:00+00:00"))

        assert (found.code, found.party) == ("synced_elsewhere", Party.NOBODY)
        assert "on 2026-11-03" in found.title

    def test_a_type_that_is_off_is_ours_to_switch_on(self) -> None:
        found = asked(bought(), types=frozenset({"bill"}))

        assert (found.code, found.party) == ("type_off", Party.US)
        assert found.title == "Card transactions are not synced for Harbor Coffee."

    def test_what_is_not_ready_says_what_is_missing(self) -> None:
        found = asked(
            bought(
                sync_status="NOT_SYNC_READY",
                account=None,
                state="PENDING",
                accounting_date=None,
                requires_accounting_vendor_creation_to_sync=True,
            )
        )

        assert (found.code, found.party) == ("not_ready", Party.CUSTOMER)
        assert list(found.missing) == [
            "It is pending: the merchant has not settled it.",
            "It has no GL account.",
            "Its merchant has no accounting vendor yet.",
            "It has no accounting date.",
            "It has no receipt, which the customer's policy may ask for.",
        ]

    def test_the_line_without_an_account_is_named(self) -> None:
        body = bought(sync_status="NOT_SYNC_READY")
        line = body["line_items"][0]
        uncoded = {**line, "accounting_field_selections": []}
        body["line_items"] = [line, uncoded, {**line, "accounting_field_selections": [coding("1")]}]

        assert "Line 2 has no GL account." in asked(body).missing

    def test_a_word_that_nobody_knows_is_not_guessed(self) -> None:
        found = asked(bought(sync_status="HALF_SYNCED"))

        assert (found.code, found.party) == ("unknown_word", Party.US)
        assert "half synced" in found.title

    @pytest.mark.parametrize(
        ("stage", "code", "words"),
        [
            ("paused", "paused", "Harbor Coffee is paused: Audit."),
            ("setting_up", "setting_up", "still being set up"),
            ("closed", "closed", "disconnected"),
        ],
    )
    def test_a_customer_of_whom_nothing_is_read_says_so(
        self, stage: str, code: str, words: str
    ) -> None:
        found = asked(bought(), stage=stage, paused_reason="Audit.")

        assert (found.code, found.party) == (code, Party.US)
        assert words in found.title

    def test_what_stops_all_reading_stands_before_the_entity(self) -> None:
        found = asked(bought(), blocked="Ramp no longer accepts the credentials.", entities={})

        assert (found.code, found.title) == ("blocked", "Ramp no longer accepts the credentials.")

    @pytest.mark.parametrize("entities", [{}, {str(ENTITY): ("Harbor", False)}])
    def test_an_entity_without_a_company_is_named(self, entities: dict[str, Any]) -> None:
        found = asked(bought(), entities=entities)

        assert (found.code, found.party) == ("entity_not_mapped", Party.US)
        assert "Tryton" in found.title

    def test_what_is_ready_comes_with_the_next_reading(self) -> None:
        found = asked(bought())

        assert (found.code, found.can_read_now) == ("on_its_way", True)


class TestBills:
    def test_that_are_archived_or_not_meant_need_nothing(self) -> None:
        archived = spend.bill(archived_at="2026-11-01T00:00:00+00:00")
        not_meant = spend.bill(enable_accounting_sync=False)

        assert asked(archived, "bill").code == "archived"
        assert asked(not_meant, "bill").code == "not_meant"

    def test_that_the_list_does_not_have_are_not_approved(self) -> None:
        found = asked(spend.bill(approval_status="PENDING"), "bill", is_listed=False)

        assert (found.code, found.party) == ("not_ready", Party.CUSTOMER)
        assert "Its approval is pending." in found.missing

    def test_synced_elsewhere_name_the_number(self) -> None:
        body = spend.bill(sync_status="BILL_SYNCED", remote_id="BILL-7")

        assert "as BILL-7" in asked(body, "bill").title

    def test_that_are_not_paid_have_no_payment(self) -> None:
        assert asked(spend.bill(), "bill_payment").code == "not_paid"


class TestText:
    def test_of_an_address_tells_the_id_and_the_type(self) -> None:
        id_ = uuid.uuid4()
        for text, type_ in (
            (str(id_), ""),
            (f"  {str(id_).upper()} ", ""),
            (f"https://app.ramp.com/bills/{id_}?tab=1", "bill"),
            (f"https://app.ramp.com/business/{uuid.uuid4()}/transactions/{id_}", "transaction"),
            (f"https://app.ramp.com/vendor-credits/{id_}", "vendor_credit"),
        ):
            found = meant_by(text)
            assert found is not None
            assert (found.ramp_id, found.object_type) == (id_, type_)

    @pytest.mark.parametrize("text", ["", "INV-204", "RB-7K3Q", "1234-5678"])
    def test_without_an_id_means_nothing(self, text: str) -> None:
        assert meant_by(text) is None
