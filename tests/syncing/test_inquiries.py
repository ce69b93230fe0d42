"""Ramp is asked for what people look for and what is not here, whatever comes of it."""

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.models import AuditLine
from syncing import errands
from syncing.errands import Errand
from syncing.inquiries import answering, asking
from syncing.inquiries.reasons import Answer, Reading, why_not
from syncing.models import Inquiry
from tests.factories import SyncItemFactory, UserFactory
from tests.syncing.ramp import Customer

pytestmark = pytest.mark.django_db


def ask(customer: Customer, ramp_id: Any, object_type: str = "transaction") -> Inquiry:
    return asking.ask(
        connection=customer.connection,
        object_type=object_type,
        ramp_id=uuid.UUID(str(ramp_id)),
        actor="maya",
    )


def answered(customer: Customer, inquiry: Inquiry) -> Answer:
    assert errands.due() == [(Errand.INQUIRIES, customer.connection.pk)]
    assert answering.answer_due(customer.connection.pk, customer.ramp) == 1
    inquiry = Inquiry.objects.get(pk=inquiry.pk)
    assert inquiry.due_at is None
    assert inquiry.answered_at is not None
    reading = Reading(
        inquiry.object_type, inquiry.body, inquiry.is_there, inquiry.is_listed,
        inquiry.problem, inquiry.problem_code,
    )  # fmt: skip
    return why_not(reading, asking.facts_of(customer.connection))


class TestAsking:
    def test_reads_the_object_and_keeps_ramps_trace(self) -> None:
        customer = Customer()
        bought = customer.business.create_transaction(minor=500, ready=False)
        inquiry = ask(customer, bought.id)

        answer = answered(customer, inquiry)

        assert answer.code == "not_ready"
        inquiry.refresh_from_db()
        assert inquiry.trace_id
        assert inquiry.body is not None
        assert inquiry.body["id"] == bought.id

    def test_of_something_unknown_is_told_so(self) -> None:
        customer = Customer()

        assert answered(customer, ask(customer, uuid.uuid4())).code == "gone"

    def test_of_what_is_ready_says_that_it_comes(self) -> None:
        customer = Customer()
        bought = customer.spend()
        facts = asking.facts_of(customer.connection)
        assert facts.stage == "live"

        answer = answered(customer, ask(customer, bought.id))

        assert answer.code in ("on_its_way", "entity_not_mapped")

    def test_without_the_permission_names_it(self) -> None:
        customer = Customer(types=("bill",))
        customer.wire.intercept = lambda request: (
            httpx.Response(
                403,
                json={
                    "error_v2": {
                        "error_code": "DEVELOPER_7003",
                        "message": "Missing scopes bills:read",
                        "additional_info": {"missing_scopes": ["bills:read"]},
                    }
                },
            )
            if "/bills/" in request.url.path
            else None
        )

        answer = answered(customer, ask(customer, uuid.uuid4(), "bill"))

        assert answer.code in ("no_permission", "unread")

    def test_that_ramp_does_not_answer_is_tried_again_and_then_told(self) -> None:
        customer = Customer()
        customer.wire.intercept = lambda request: (
            httpx.Response(503) if "/transactions/" in request.url.path else None
        )
        inquiry = ask(customer, uuid.uuid4())
        for _ in range(answering.MOST_TRIES - 1):
            answering.answer_due(customer.connection.pk, customer.ramp)
            inquiry.refresh_from_db()
            assert inquiry.due_at is not None
            Inquiry.objects.update(due_at=timezone.now() - timedelta(days=1))

        assert answered(customer, inquiry).code == "silent"

    def test_is_one_wish_however_often_somebody_asks(self) -> None:
        customer, id_ = Customer(), uuid.uuid4()

        assert ask(customer, id_) == ask(customer, id_)
        assert AuditLine.objects.filter(act="inquiries.ask").count() == 1


class TestPage:
    @pytest.fixture
    def support(self, client: Client) -> Client:
        client.force_login(UserFactory.create(username="maya", roles=["support"]))
        return client

    def test_leads_to_the_item_where_there_is_one(self, support: Client) -> None:
        item = SyncItemFactory.create(label="Figma", failed=True)

        html = support.get(reverse("why_not"), {"q": str(item.ramp_id)}).content.decode()

        assert reverse("item", args=[item.pk]) in html
        assert "Ask Ramp" not in html

    def test_asks_ramp_by_a_click_and_polls_until_it_is_answered(self, support: Client) -> None:
        customer = Customer()
        bought = customer.business.create_transaction(minor=500, ready=False)
        address = f"https://app.ramp.com/transactions/{bought.id}"
        question = {"q": address, "customer": customer.connection.slug}
        html = support.get(reverse("why_not"), question).content.decode()
        assert "It never came here" in html
        assert "Ask Ramp" in html
        assert not Inquiry.objects.exists(), "reading a page asks nobody"

        html = support.post(reverse("ask_why_not"), question, follow=True).content.decode()
        assert "Ramp is asked" in html
        live = html.split('id="why-not"')[1].split('hx-get="')[1].split('"')[0]
        live = live.replace("&amp;", "&")
        headers = {"HX-Request": "true"}
        assert support.get(live, headers=headers).status_code == 204
        answering.answer_due(customer.connection.pk, customer.ramp)
        html = support.get(live, headers=headers).content.decode()

        assert "is not ready to sync in Ramp" in html
        assert "hx-get" not in html, "what is answered is not asked for again"
        assert "<html" not in html

    @pytest.mark.parametrize("text", ["INV-204", "../../etc/passwd", "9" * 600])
    def test_of_nonsense_says_what_is_needed(self, support: Client, text: str) -> None:
        html = support.get(reverse("why_not"), {"q": text}).content.decode()

        assert "There is no Ramp id in that" in html

    def test_without_a_customer_asks_for_one(self, support: Client) -> None:
        asked = {"q": str(uuid.uuid4()), "customer": "nobody", "type": "nonsense"}

        html = support.get(reverse("why_not"), asked).content.decode()
        support.post(reverse("ask_why_not"), asked)

        assert "Choose the customer and the type above" in html
        assert not Inquiry.objects.exists()
