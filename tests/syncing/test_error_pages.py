"""The error desk's pages, as support people use them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from connections.models import AuditLine
from syncing.classifier import ErrorCategory
from syncing.error_desk import acts, judging
from syncing.error_desk.acts import Snooze
from syncing.error_desk.judging import Wish
from syncing.models import Comment, ErrorGroup, Occurrence, Ruling, SyncItem
from syncing.queries import customer_choices
from tests.factories import ConnectionFactory, SyncItemFactory, UserFactory, now

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
ERRORS = "/errors/"


@pytest.fixture
def support(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


@pytest.fixture
def implementer() -> Client:
    client = Client()
    client.force_login(UserFactory.create(username="tomas", roles=["implementer"]))
    return client


def failed(title: str = "The period May 2026 is closed in Tryton.", **changes: Any) -> SyncItem:
    item: SyncItem = SyncItemFactory.create(failed=True, error_title=title, **changes)
    item.refresh_from_db()
    return item


def group_of(item: SyncItem) -> ErrorGroup:
    return ErrorGroup.objects.get(pk=item.error_fingerprint)


def page(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def titles(html: str) -> list[str]:
    return re.findall(r'class="row-link error-title"[^>]*>([^<]*)</a>', html)


def of(item: SyncItem, name: str = "error_group") -> str:
    return reverse(name, args=[item.error_fingerprint])


class TestList:
    def test_shows_a_line_for_each_cause_with_what_it_holds(self, support: Client) -> None:
        for _ in range(2):
            connection = ConnectionFactory.create()
            failed(connection=connection, amount_minor=500)
            failed(connection=connection, amount_minor=200, currency="EUR")

        html = page(support, ERRORS)

        assert titles(html) == ["The period … is closed in Tryton."]
        assert "4 items" in html
        assert "2 customers" in html
        assert re.search(r'10.00<span class="currency">USD', html)
        assert re.search(r'4.00<span class="currency">EUR', html)

    def test_puts_what_came_back_on_top_and_then_money_times_age(self, support: Client) -> None:
        for title, minor, days in (
            ("Small.", 100, 2), ("Large.", 9_000, 2), ("Old.", 5_000, 20), ("Back.", 1, 2),
        ):  # fmt: skip
            item = failed(title, amount_minor=minor)
            since = now() - timedelta(days=days)
            ErrorGroup.objects.filter(pk=item.error_fingerprint).update(first_seen_at=since)
        ErrorGroup.objects.filter(title="Back.").update(regressed_at=now())

        assert titles(page(support, ERRORS)) == ["Back.", "Old.", "Large.", "Small."]

    def test_hides_nothing_that_is_open_and_puts_what_is_snoozed_last(
        self, support: Client
    ) -> None:
        snoozed = failed("Snoozed.", amount_minor=10**9)
        failed("Loud.", amount_minor=1)
        acts.snooze(group_of(snoozed), Snooze("Later.", for_more=3), actor="ana", now=now())

        assert titles(page(support, ERRORS)) == ["Loud.", "Snoozed."]

    def test_says_how_much_a_filter_hides(self, support: Client) -> None:
        failed("One.")
        failed("Two.", error_category="needs_integrator")
        failed("Three.", error_category="needs_integrator")

        html = page(support, f"{ERRORS}?category=user_actionable")

        assert titles(html) == ["One."]
        assert "2 open errors are hidden by this filter" in " ".join(html.split())

    @pytest.mark.parametrize(
        "query",
        [
            "customer=harbor", "category=needs_integrator", "origin=us", "owner=ana", "owner=me",
            "erp=ledger", "q=wanted", "q=us.bug", "state=new", "state=snoozed",
        ],
    )  # fmt: skip
    def test_filters_stand_in_the_address(self, support: Client, query: str) -> None:
        harbor = ConnectionFactory.create(slug="harbor", erp_kind="ledger")
        wanted = failed(
            "Wanted.", connection=harbor, error_category="needs_integrator", error_origin="us",
            error_code="us.bug",
        )  # fmt: skip
        failed("Other.", connection=ConnectionFactory.create(erp_kind="tryton"))
        ErrorGroup.objects.filter(title="Other.").update(first_seen_at=now() - timedelta(days=3))
        owner = "maya" if query == "owner=me" else "ana"
        ErrorGroup.objects.filter(pk=wanted.error_fingerprint).update(owner=owner)
        if query == "state=snoozed":
            acts.snooze(group_of(wanted), Snooze("Later.", for_more=3), actor="a", now=now())

        assert titles(page(support, f"{ERRORS}?{query}")) == ["Wanted."]

    def test_keeps_what_is_over_with_its_proof(self, support: Client) -> None:
        item = failed()
        SyncItem.objects.filter(pk=item.pk).update(state="WITHDRAWN")
        proof = SyncItemFactory.create(acked=True)
        ErrorGroup.objects.update(resolved_at=now(), resolved_by_item=proof)
        assert titles(page(support, ERRORS)) == []

        html = page(support, f"{ERRORS}?state=resolved")

        assert titles(html) == ["The period … is closed in Tryton."]
        assert reverse("item", args=[proof.pk]) in html

    def test_nonsense_in_the_address_is_no_filter(self, support: Client) -> None:
        failed()

        nonsense = "state=x&category=y&origin=z&from=-7&customer=%2F&q=" + "x" * 200

        assert len(titles(page(support, f"{ERRORS}?{nonsense}"))) == 1

    def test_says_nothing_is_wrong_if_nothing_is(self, support: Client) -> None:
        assert "Nothing is wrong" in page(support, ERRORS)

    def test_goes_on_to_the_next_page_without_gap_or_repeat(self, support: Client) -> None:
        for number in range(60):
            letters = chr(97 + number // 26) + chr(97 + number % 26)
            failed(f"Cause {letters}.", amount_minor=number + 1)

        first = page(support, ERRORS)
        second = page(support, f"{ERRORS}?from=50")

        assert len(set(titles(first) + titles(second))) == 60
        assert "from=50" in first

    def test_takes_a_bounded_number_of_statements(
        self, support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(20):
            failed(f"Cause {chr(97 + number)}.")

        with django_assert_max_num_queries(12):
            page(support, ERRORS)

    def test_an_unchanged_part_is_left_alone(self, support: Client) -> None:
        item = failed()
        live_url = re.search(r'hx-get="([^"]*version=[^"]*)"', page(support, ERRORS))
        assert live_url is not None
        url = live_url[1].replace("&amp;", "&")
        assert support.get(url, headers=HTMX).status_code == 204

        acts.comment(group_of(item), "Nothing that the list shows.", actor="ana")
        assert support.get(url, headers=HTMX).status_code == 204
        failed("Another.")

        assert support.get(url, headers=HTMX).status_code == 200


class TestGroup:
    def test_shows_the_very_text_that_the_customer_reads(self, support: Client) -> None:
        item = failed(error_text="The period is closed. Reopen it.", error_fix="Reopen it.")

        html = page(support, of(item))

        said = re.search(r'id="customer-text">\s*(.*?)\s*</blockquote>', html)
        assert said is not None
        assert said[1] == "The period is closed. Reopen it."
        assert "Ramp shows it" in html
        assert "breaks the promise" not in html

    def test_says_where_a_text_breaks_the_promise_of_its_category(self, support: Client) -> None:
        item = failed(error_text="Something went wrong.", error_fix="", failure_telling="due")

        html = page(support, of(item))

        assert "Ramp is being told" in html
        assert "It does not say what to do." in html
        assert "It says “something went wrong”." in html

    def test_names_the_causes_and_leads_to_the_mapping_that_ends_them(
        self, support: Client
    ) -> None:
        item = failed(
            "Tryton has no GL account called Old costs.",
            error_code="mapping.gl_account", blocked_by="mapping.GL account:7 7&x",
        )  # fmt: skip

        html = page(support, of(item))

        mapping = reverse("edit_mapping", args=[item.connection.slug])
        assert f"{mapping}?kind=gl_account&amp;id=7%207%26x&amp;field=&amp;" in html
        waits = "waits=mapping.GL%20account%3A7%207%26x"
        assert waits in html
        listed = page(support, f"{reverse('items')}?customer={item.connection.slug}&{waits}")
        assert f"item-{item.pk}" in listed

    def test_leads_to_all_its_items_and_to_what_a_retry_would_do(self, support: Client) -> None:
        items = [failed() for _ in range(12)]
        other = failed("Something else.")

        html = page(support, of(items[0]))

        query = f"cause={items[0].error_fingerprint}"
        assert f"{reverse('items')}?{query}" in html
        assert f"{reverse('job_new')}?act=retry&amp;{query}" in html
        listed = page(support, f"{reverse('items')}?{query}")
        assert f'id="item-{items[-1].pk}"' in listed
        assert f'id="item-{other.pk}"' not in listed

    def test_is_resolved_at_once_when_nothing_is_open(self, support: Client) -> None:
        item = failed()
        SyncItem.objects.filter(pk=item.pk).update(state="WITHDRAWN")

        html = page(support, of(item))

        assert "Resolved" in html
        assert "Nothing of it is open." in html

    def test_links_the_proof(self, support: Client) -> None:
        item = failed()
        SyncItem.objects.filter(pk=item.pk).update(state="WITHDRAWN")
        proof = SyncItemFactory.create(acked=True)
        ErrorGroup.objects.update(resolved_at=now(), resolved_by_item=proof)

        html = page(support, of(item))

        assert re.search(rf'id="proof"\s+href="{reverse("item", args=[proof.pk])}"', html)

    def test_shows_how_similar_ones_ended(self, support: Client) -> None:
        item = failed()
        past = failed("The period is closed for good.")
        SyncItem.objects.filter(pk=past.pk).update(state="WITHDRAWN")
        proof = SyncItemFactory.create(acked=True)
        ErrorGroup.objects.filter(pk=past.error_fingerprint).update(
            resolved_at=now(), resolved_by_item=proof
        )

        html = page(support, of(item))

        assert "The period is closed for good." in html
        assert f"{proof.reference} went through" in html

    def test_takes_a_bounded_number_of_statements(
        self, support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(15):
            item = failed(blocked_by=f"mapping.Department:{number}")

        with django_assert_max_num_queries(12):
            page(support, of(item))

    def test_an_unchanged_part_is_left_alone(
        self, support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        item = failed()
        live_url = re.search(r'hx-get="([^"]*version=[^"]*)"', page(support, of(item)))
        assert live_url is not None
        with django_assert_max_num_queries(6):
            assert support.get(live_url[1], headers=HTMX).status_code == 204

        failed()

        answer = support.get(live_url[1], headers=HTMX)
        assert answer.status_code == 200
        assert answer.content.decode().lstrip().startswith('<div class="stack"')

    def test_one_that_nobody_knows_is_not_found(self, support: Client) -> None:
        assert support.get(reverse("error_group", args=["0" * 32])).status_code == 404


class TestActs:
    def post(self, client: Client, item: SyncItem, name: str, **data: str) -> Any:
        return client.post(of(item, name), data, headers=HTMX)

    def test_answer_with_the_group_and_what_came_of_it(self, support: Client) -> None:
        item = failed()

        answer = self.post(support, item, "take_error")

        html = answer.content.decode()
        assert answer.status_code == 200
        assert 'data-announce="It is yours."' in html
        assert "cared for by maya" in html
        assert AuditLine.objects.get().actor == "maya"

    def test_without_a_script_lead_back_to_the_page(self, support: Client) -> None:
        item = failed()

        answer = support.post(of(item, "take_error"), follow=True)

        assert answer.redirect_chain == [(of(item), 302)]
        assert "It is yours." in answer.content.decode()

    def test_a_refused_form_comes_back_alone_with_the_reason(self, support: Client) -> None:
        item = failed()

        answer = self.post(support, item, "assign_error", owner="ghost")

        assert answer.status_code == 422
        assert answer["HX-Retarget"] == "#group-form"
        html = answer.content.decode()
        assert "nobody with the user name ghost" in html
        assert "<h1" not in html

    def test_a_form_is_also_a_page(self, support: Client) -> None:
        html = page(support, of(failed(), "snooze_error"))

        assert "<h1" in html
        assert 'name="span"' in html

    def test_comment_stands_on_the_page(self, support: Client) -> None:
        item = failed()

        self.post(support, item, "comment_error", text="Asked <them>.")

        assert "Asked &lt;them&gt;." in page(support, of(item))
        assert self.post(support, item, "comment_error", text=" ").status_code == 422
        assert Comment.objects.count() == 1

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({"until": "time", "span": "4h"}, "Put off until"),
            ({"until": "more", "more": "5"}, "Put off until 5 more items fail with it."),
            ({"until": "freed"}, "Put off until one of its items goes through."),
            ({"until": "release"}, "Put off until another version runs."),
        ],
    )
    def test_snooze_until_any_of_the_four(
        self, support: Client, data: dict[str, str], words: str
    ) -> None:
        item = failed()

        answer = self.post(support, item, "snooze_error", reason="They know.", **data)

        assert words in answer.content.decode()
        assert "Snoozed by maya" in " ".join(answer.content.decode().split())
        assert "no longer put off" in self.post(support, item, "wake_error").content.decode()

    def test_snooze_wants_a_reason_and_an_end(self, support: Client) -> None:
        item = failed()

        assert self.post(support, item, "snooze_error", until="time", span="1d").status_code == 422
        assert self.post(support, item, "snooze_error", reason="x").status_code == 422
        assert self.post(support, item, "snooze_error", until="more", reason="x").status_code == 422

    def test_a_ruling_changes_what_the_page_says(self, implementer: Client) -> None:
        item = failed()

        answer = self.post(
            implementer, item, "rule_error", category="needs_integrator", reason="Ours to mend."
        )

        html = " ".join(answer.content.decode().split())
        assert "Ruled by tomas" in html
        assert "Withdraw the ruling" in html
        assert f"and quote {item.reference}." in html
        html = self.post(implementer, item, "withdraw_ruling", reason="No.").content.decode()
        assert "The ruling is withdrawn." in html

    def test_a_ruling_needs_a_fix_that_passes_the_lint(self, implementer: Client) -> None:
        item = failed(error_category="needs_integrator", error_code="us.bug")

        answer = self.post(
            implementer, item, "rule_error", category="user_actionable", reason="r", fix="Soon."
        )

        assert answer.status_code == 422
        assert "begin with a verb" in answer.content.decode()
        assert not Ruling.objects.exists()

    def test_support_may_not_rule(self, support: Client) -> None:
        item = failed()

        assert support.get(of(item, "rule_error")).status_code == 403
        assert "Change the category" not in page(support, of(item))

    def test_a_ruling_that_is_over_cannot_be_withdrawn(self, implementer: Client) -> None:
        item = failed()
        ruling = judging.rule(
            group_of(item),
            Wish(ErrorCategory.NEEDS_INTEGRATOR, "x"),
            before="user_actionable",
            actor="ana",
        )
        judging.withdraw(ruling, group_of(item), reason="y", actor="ana")

        assert implementer.get(of(item, "withdraw_ruling")).status_code == 404

    def test_look_at_the_clock_for_times_to_come_only(self, support: Client) -> None:
        item = failed()
        Occurrence.objects.update(last_at=now() - timedelta(days=2))

        self.post(support, item, "snooze_error", until="time", span="7d", reason="x")

        group = group_of(item)
        assert group.snoozed_until is not None
        assert now() + timedelta(days=6.9) < group.snoozed_until < now() + timedelta(days=7.1)


def test_offers_each_kind_of_erp_once_by_a_name_that_a_customer_gave_it() -> None:
    for kind, name in (("tryton", "Tryton"), ("tryton", "ERP"), ("ledger", "Ledger")):
        ConnectionFactory.create(erp_kind=kind, erp_name=name)
    ConnectionFactory.create(erp_kind="gone", stage="closed")

    assert customer_choices.kinds_of_erp() == [("ledger", "Ledger"), ("tryton", "Tryton")]
