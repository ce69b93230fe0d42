"""The search, as a support person uses it with whatever is in hand."""

from datetime import date
from html import unescape
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from connections.models import Connection
from syncing.models import ErrorGroup, SyncItem
from syncing.queries.search import Scope, find
from syncing.queries.search import statements as search_statements
from tests.browser.stories import make_item
from tests.factories import ConnectionFactory, SyncItemFactory, UserFactory, now

pytestmark = pytest.mark.django_db


@pytest.fixture
def support(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


def found(text: str, scope: Scope = Scope()) -> dict[str, list[str]]:  # noqa: B008  it is frozen
    """The merchants of what is found, by the way in which they are."""
    result = find(text, scope, now=now())
    return {hits.way: [row.item.label for row in hits.rows] for hits in result.hits}


def bill(**changes: Any) -> SyncItem:
    return SyncItemFactory.create(object_type="bill", **changes)


class TestExactly:
    def test_what_only_one_item_is_called_leads_straight_to_it(self, support: Client) -> None:
        item = make_item(ConnectionFactory.create(), "done")
        SyncItem.objects.filter(pk=item.pk).update(invoice_number="INV-204", erp_id="4711")

        for text in (
            str(item.ramp_id),
            f"https://app.ramp.com/bills/{item.ramp_id}",
            item.erp_number,
            item.erp_number.lower(),
            item.reference,
            item.reference.lower(),
            "inv-204",
            "4711",
        ):
            response = support.get(reverse("search"), {"q": text})
            assert response.status_code == 302, text
            assert response["Location"] == reverse("item", args=[item.pk])

    def test_a_number_of_several_customers_lists_them(self, support: Client) -> None:
        for name in ("Harbor Coffee", "Blue Mesa"):
            bill(invoice_number="INV-204", connection=ConnectionFactory.create(name=name))

        html = support.get(reverse("search"), {"q": "INV-204"}).content.decode()

        assert "Harbor Coffee" in html
        assert "Blue Mesa" in html

    def test_a_bill_and_its_payment_are_two(self) -> None:
        item = bill(label="bill")
        SyncItemFactory.create(
            connection=item.connection,
            object_type="bill_payment",
            phase=1,
            ramp_id=item.ramp_id,
            label="payment",
        )

        assert found(str(item.ramp_id)) == {"ramp_id": ["payment", "bill"]}

    def test_comes_before_what_only_begins_so(self) -> None:
        bill(label="short", invoice_number="INV-20")
        bill(label="long", invoice_number="INV-204")

        ways = found("INV-20")

        assert list(ways)[:2] == ["invoice", "invoice_start"]
        assert (ways["invoice"], ways["invoice_start"]) == (["short"], ["long"])

    def test_an_erp_number_is_found_by_its_start_too(self) -> None:
        SyncItemFactory.create(label="done", acked=True, erp_number="JV-2026-118")

        assert found("jv-2026") == {"erp_start": ["done"]}


class TestAmounts:
    @pytest.mark.parametrize("text", ["412.50", "412,50", "$412.5", "412.5 USD", "-412.50"])
    def test_find_charges_and_refunds(self, text: str) -> None:
        SyncItemFactory.create(label="charge", amount_minor=41_250)
        SyncItemFactory.create(label="refund", amount_minor=-41_250)
        SyncItemFactory.create(label="other", amount_minor=41_251)

        assert found(text) == {"amount": ["refund", "charge"]}

    def test_of_a_currency_leave_out_the_others(self) -> None:
        SyncItemFactory.create(label="dollars", amount_minor=41_250)
        SyncItemFactory.create(label="euros", amount_minor=41_250, currency="EUR")

        assert found("412.50 EUR") == {"amount": ["euros"]}

    def test_without_decimals_are_yen_too(self) -> None:
        SyncItemFactory.create(label="ローソン", amount_minor=1200, currency="JPY", exponent=0)
        SyncItemFactory.create(label="dollars", amount_minor=1200)

        assert found("¥1200") == {"amount": ["ローソン"]}
        assert found("12.00") == {"amount": ["dollars"]}

    def test_with_words_need_both(self) -> None:
        SyncItemFactory.create(label="Amazon", amount_minor=41_250)
        SyncItemFactory.create(label="Figma", amount_minor=41_250)
        SyncItemFactory.create(label="Amazon", amount_minor=1)

        assert found("amazon 412.50") == {"amount_and_words": ["Amazon"]}

    def test_with_a_customers_name_are_that_customers(self) -> None:
        harbor = ConnectionFactory.create(name="The Harbor Coffee")
        SyncItemFactory.create(label="theirs", connection=harbor, amount_minor=41_250)
        SyncItemFactory.create(label="others", amount_minor=41_250)

        assert found("harbor 412.50")["amount_and_words"] == ["theirs"]


class TestCardsAndDays:
    def test_the_end_of_a_card_finds_what_it_paid(self) -> None:
        SyncItemFactory.create(label="Delta", card_last_four="4242")
        SyncItemFactory.create(label="Uber", card_last_four="4242")

        assert found("•4242") == {"card": ["Uber", "Delta"]}
        assert found("delta card 4242") == {"card_and_words": ["Delta"]}

    def test_a_day_is_the_one_of_the_document(self) -> None:
        SyncItemFactory.create(label="Uber", accounting_date=date(2026, 11, 20))
        SyncItemFactory.create(label="Delta", accounting_date=date(2026, 11, 20))
        SyncItemFactory.create(label="Lyft", accounting_date=date(2026, 11, 19))

        assert found("2026-11-20")["day"] == ["Delta", "Uber"]
        assert found("uber 2026-11-20")["day_and_words"] == ["Uber"]


class TestWords:
    def test_are_found_by_their_start_in_any_case_and_order(self) -> None:
        SyncItemFactory.create(label="Blue Bottle", memo="team offsite", person="Ada Byron")
        SyncItemFactory.create(label="Blue Mesa")

        assert found("BOT blu") == {"words": ["Blue Bottle"]}
        assert found("offsite ada") == {"words": ["Blue Bottle"]}
        assert found("ottle") == {}

    @pytest.mark.parametrize(
        ("label", "text"),
        [
            ("Crème & Sucre", "crème suc"),
            ("Crème & Sucre", "CRÈME"),
            ("O'Reilly", "o'rei"),
            ("O'Reilly", "reilly"),
            ("株式会社ローソン", "株式会社"),
            ("AT&T", "at&t"),
            ("7-Eleven", "7-elev"),
            ("McMaster-Carr", "mcmaster-c"),
            ("Müller Büromarkt", "büro"),
            ("figma.com", "figma"),
            ("Łódź Café", "łódź"),
        ],
    )
    def test_are_found_in_every_writing(self, label: str, text: str) -> None:
        SyncItemFactory.create(label=label)

        assert found(text) == {"words": [label]}

    @pytest.mark.parametrize("text", ["a & !b", "x:*", "(y", "'", "\\", "\\' | a", "%", "_", "a%b"])
    def test_signs_mean_nothing(self, text: str) -> None:
        SyncItemFactory.create(label="Figma")

        assert found(text) == {}

    def test_of_the_text_may_be_a_customers_name(self) -> None:
        harbor = ConnectionFactory.create(name="Harbor Coffee")
        SyncItemFactory.create(label="Figma", connection=harbor)
        SyncItemFactory.create(label="Figma")

        assert found("harbor figma") == {"customer_and_words": ["Figma"]}

    def test_beside_a_number_narrow_it_down(self) -> None:
        harbor = ConnectionFactory.create(name="Harbor Coffee")
        bill(label="theirs", invoice_number="INV-204", connection=harbor)
        bill(label="others", invoice_number="INV-204")

        assert found("INV-204 harbor")["number_and_words"] == ["theirs"]
        assert found("inv-204 others")["number_and_words"] == ["others"]

    def test_that_are_everywhere_show_the_newest(self) -> None:
        for _ in range(30):
            SyncItemFactory.create(label="Amazon")

        (hits,) = find("amazon", Scope(), now=now()).hits

        newest = SyncItem.objects.order_by("-pk").values_list("pk", flat=True)[:20]
        assert [row.item.pk for row in hits.rows] == list(newest)
        assert hits.is_more

    def test_are_found_far_back_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Behind the newest that are looked through one by one, the index knows where."""
        monkeypatch.setattr(search_statements, "CANDIDATES", 5)
        SyncItemFactory.create(label="Rarely")
        for _ in range(8):
            SyncItemFactory.create(label="Amazon")

        assert found("rarely") == {"words": ["Rarely"]}

    def test_are_found_beside_an_amount_that_many_younger_ones_have(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(search_statements, "LOOKED_INTO", 5)
        SyncItemFactory.create(label="Rarely", amount_minor=10_000)
        for _ in range(8):
            SyncItemFactory.create(label="Amazon", amount_minor=10_000)

        assert found("rarely 100.00")["amount_and_words"] == ["Rarely"]

    @pytest.mark.parametrize("older", [2, 6])
    def test_that_look_like_an_amount_are_found_as_words_too(
        self, monkeypatch: pytest.MonkeyPatch, older: int
    ) -> None:
        """Whether what has the other words is all at hand by then, or only the first of it."""
        monkeypatch.setattr(search_statements, "LOOKED_INTO", 5)
        monkeypatch.setattr(search_statements, "CANDIDATES", 10)
        SyncItemFactory.create(label="Landscaping 100")
        for number in range(older):
            SyncItemFactory.create(label=f"Landscaping {number}")
        for _ in range(12):
            SyncItemFactory.create(label="Amazon", amount_minor=10_000)

        assert found("landscaping 100") == {"words": ["Landscaping 100"]}


class TestScope:
    def test_narrows_every_way(self) -> None:
        ours = ConnectionFactory.create()
        for connection in (ours, ConnectionFactory.create()):
            bill(label="Acme", invoice_number="A-1", amount_minor=7700, connection=connection)
        SyncItemFactory.create(label="Acme", amount_minor=7700, connection=ours)
        scope = Scope(ours.pk, "bill")

        assert found("A-1", scope) == {"invoice": ["Acme"]}
        assert found("77.00", scope) == {"amount": ["Acme"]}
        assert found("acme", scope) == {"words": ["Acme"]}
        assert found("acme", Scope(object_type="transaction")) == {"words": ["Acme"]}

    def test_stands_in_the_address(self, support: Client) -> None:
        harbor = ConnectionFactory.create(slug="harbor", name="Harbor Coffee")
        for kind in ("transaction", "reimbursement"):
            for connection in (harbor, ConnectionFactory.create()):
                SyncItemFactory.create(label="Acme", object_type=kind, connection=connection)

        html = support.get(
            reverse("search"), {"q": "acme", "customer": "harbor", "type": "reimbursement"}
        ).content.decode()

        assert html.count('class="row-link clip"') == 1
        assert 'href="?q=acme&amp;type=reimbursement"' in html
        assert 'href="?q=acme&amp;customer=harbor"' in html

    def test_of_an_unknown_customer_is_no_page(self, support: Client) -> None:
        assert support.get(reverse("search"), {"q": "x", "customer": "no"}).status_code == 404


class TestResults:
    def test_say_the_state_whose_move_it_is_and_why(self, support: Client) -> None:
        SyncItemFactory.create(label="Acme", failed=True)
        SyncItemFactory.create(label="Acme", acked=True, erp_number="J-9")

        html = unescape(support.get(reverse("search"), {"q": "acme"}).content.decode())

        assert "Waiting for customer" in html
        assert "Customer's move" in html
        assert "The period October 2026 is closed in Tryton." in html
        assert "In Tryton as J-9, and Ramp has its number." in html

    def test_have_each_item_once(self) -> None:
        bill(label="Acme", invoice_number="ACME-1", memo="ACME-1")

        assert found("ACME-1") == {"invoice": ["Acme"]}

    def test_have_customers_and_causes(self, support: Client) -> None:
        ConnectionFactory.create(name="Harbor Coffee")
        item = SyncItemFactory.create(failed=True)

        assert "Harbor Coffee" in support.get("/search?q=coffee").content.decode()
        html = support.get("/search?q=period+closed").content.decode()
        assert reverse("error_group", args=[item.error_fingerprint]) in html
        assert ErrorGroup.objects.get().title in html

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("o'bri", "Murphy & O'Brien"),
            ("brien", None),  # in the middle of a word
            ("\\back", "The  \\Backslash"),  # with two spaces
            ("SÖHNE gmb", "Müller Söhne GmbH"),
            ("100%", "100% Juice"),
            ("10_%", None),
        ],
    )
    def test_have_customers_by_the_beginning_of_any_word_of_their_name(
        self, text: str, name: str | None
    ) -> None:
        for one in ("Murphy & O'Brien", "The  \\Backslash", "Müller Söhne GmbH", "100% Juice"):
            ConnectionFactory.create(name=one)

        customers = find(text, Scope(), now=now()).customers

        assert [one.name for one in customers] == ([name] if name else [])

    def test_of_nothing_say_what_was_tried_and_where_to_ask(self, support: Client) -> None:
        html = support.get("/search?q=zz+412.50").content.decode()

        assert "Nothing found" in html
        assert "an amount of 412.50 in any currency with the words “zz”" in html
        assert f"{reverse('why_not')}?q=zz%20412.50" in html

    def test_take_few_statements_however_much_is_found(
        self, support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for connection in ConnectionFactory.create_batch(12):
            SyncItemFactory.create(label="Acme 412.50", amount_minor=41_250, connection=connection)
        support.get("/search")

        with django_assert_max_num_queries(12):
            support.get("/search?q=acme+412.50")

    def test_are_no_error_whatever_is_typed(self, support: Client) -> None:
        for text in (
            "9" * 400,
            "RB-ZZZZZZZZZZZZZ",
            "/items/999999999999999999/",
            "🙂",
            "1e9",
        ):
            assert support.get(reverse("search"), {"q": text}).status_code == 200, text


class TestSuggestions:
    def test_are_the_first_few_of_each_kind(self, support: Client) -> None:
        ConnectionFactory.create(name="Acme Holding")
        for _ in range(9):
            SyncItemFactory.create(label="Acme Hosting")

        html = support.get(reverse("search_suggestions"), {"q": "acm"}).content.decode()

        assert "<html" not in html
        assert html.count("Acme Hosting") == 3
        assert html.count("Acme Holding") == 1
        assert "All results for" in html

    def test_are_none_for_a_letter_or_for_nothing(self, support: Client) -> None:
        SyncItemFactory.create(label="Acme")

        for text in ("", "a", "zzz"):
            html = support.get(reverse("search_suggestions"), {"q": text}).content.decode()
            assert not html.strip(), text


class TestPlans:
    def test_no_way_reads_all_items(self) -> None:
        """With sequential scans made dear, none is left: each way has an index to go by."""
        SyncItemFactory.create()
        Connection.objects.get()
        with database.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            for text in ("INV-204", "acme 412.50", "•4242", "21 Nov", "INV-204 harbor", "rb-7k3q"):
                question = search_statements.Scope()
                asked = find(text, question, now=now()).asked
                made = search_statements.statement(asked, question, [], 21)
                cursor.execute(f"EXPLAIN {made.sql}", made.params)
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert "Seq Scan on syncing" not in plan, text
