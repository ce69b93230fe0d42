"""The list of items as people act on it, and the rules that keep a live list under their hands."""

import csv
import io
import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.models import AuditLine
from syncing import handling, saved_views, selections
from syncing.bulk import running
from syncing.models import Job, SavedView, SyncItem
from tests.factories import ConnectionFactory, EntityFactory, SyncItemFactory, UserFactory, now

pytestmark = pytest.mark.django_db
ITEMS = "/items/"
HTMX = {"HX-Request": "true"}
TICKED = r"<input[^>]*\sdata-pick\s[^>]*\schecked>"


@pytest.fixture
def support(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


def labels(html: str) -> list[str]:
    return re.findall(r'class="row-link clip".*?>([^<]*)</a>', html, re.DOTALL)


def listed(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{ITEMS}?{query}")
    assert response.status_code == 200
    return labels(response.content.decode())


class LiveList:
    """The list as a browser has it: it polls with the rows that it shows."""

    def __init__(self, client: Client, query: str = "state=open") -> None:
        self.client = client
        self.html = client.get(f"{ITEMS}?{query}").content.decode()

    def poll(self, **more: str) -> Any:
        address = self.html.split('id="items-live"')[1].split('hx-get="')[1].split('"')[0]
        rows = re.findall(r'data-item="(\d+)" data-version="(\w+)"', self.html)
        shown = ",".join(f"{pk}.{version}" for pk, version in rows)
        parameters = urlencode({"shown": shown, **more})
        return self.client.get(f"{address.replace('&amp;', '&')}&{parameters}", headers=HTMX)


class TestFilters:
    def test_narrow_by_what_stands_on_the_document(self, support: Client) -> None:
        entity = EntityFactory.create()
        SyncItemFactory.create(
            label="wanted",
            connection=entity.connection,
            entity_ramp_id=entity.ramp_id,
            accounting_date=date(2026, 10, 15),
            amount_minor=41_250,
            card_last_four="4421",
            invoice_number="INV-204",
        )
        SyncItemFactory.create(label="other", accounting_date=date(2026, 11, 1), amount_minor=1)

        for query in (
            "dated_from=2026-10-15&dated_to=2026-10-15",
            "least=412.50&most=412.50",
            "card=4421",
            "invoice=inv-2",
            f"entity={entity.ramp_id}",
        ):
            assert listed(support, query) == ["wanted"], query

    def test_an_amount_means_the_same_in_every_currency(self, support: Client) -> None:
        SyncItemFactory.create(label="yen", amount_minor=500, currency="JPY", exponent=0)
        SyncItemFactory.create(label="dollar", amount_minor=50_000)
        SyncItemFactory.create(label="cents", amount_minor=500)

        assert sorted(listed(support, "least=500")) == ["dollar", "yen"]

    def test_narrow_by_who_cares_and_how_it_is_filed(self, support: Client) -> None:
        mine, tomas, free = (SyncItemFactory.create(label=name) for name in ("mine", "his", "free"))
        handling.assign([mine.pk], owner="maya", actor="maya")
        handling.assign([tomas.pk], owner="tomas", actor="maya")
        handling.tag([free.pk], tag="vip", actor="maya")

        assert listed(support, "owner=me") == ["mine"]
        assert listed(support, "owner=tomas") == ["his"]
        assert listed(support, "owner=nobody") == ["free"]
        assert listed(support, "tag=VIP") == ["free"]

    def test_the_default_view_says_how_many_it_hides(self, support: Client) -> None:
        later = SyncItemFactory.create(label="later")
        SyncItemFactory.create(label="here")
        handling.snooze([later.pk], until=now() + timedelta(days=1), actor="maya")

        html = support.get(ITEMS).content.decode()

        assert labels(html) == ["here"]
        assert "1 snoozed hidden" in " ".join(html.split())
        assert sorted(listed(support, "snoozed=shown")) == ["here", "later"]

    @pytest.mark.parametrize(
        "query",
        ["least=x", "dated_from=2026-99-99", "card=<b>", "entity=1", "owner=", "most=9e99",
         "snoozed=x", "least=NaN", "invoice=" + "x" * 300],
    )  # fmt: skip
    def test_nonsense_is_no_filter(self, support: Client, query: str) -> None:
        SyncItemFactory.create(label="here")

        assert listed(support, query) == ["here"]

    def test_a_list_of_many_customers_is_typed_into(
        self, support: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("syncing.views.item_list.CUSTOMERS_LISTED", 1)
        for name in ("Harbor Coffee", "Northwind"):
            ConnectionFactory.create(name=name, slug=name.split()[0].lower())

        html = support.get(ITEMS).content.decode()
        found = support.get(reverse("customer_choices") + "?customer=coff").content.decode()

        assert 'list="customer-choices"' in html
        assert '<option value="harbor">' in found
        assert "northwind" not in found


class TestTicking:
    def tick(self, client: Client, query: str = "", **what: object) -> Any:
        return client.post(f"{reverse('select_items')}?{query}", what, headers=HTMX)

    def test_gives_back_the_bar_with_count_and_money(self, support: Client) -> None:
        items = [SyncItemFactory.create(amount_minor=100).pk for _ in range(3)]

        html = self.tick(support, on=f"{items[0]},{items[1]}").content.decode()

        words = " ".join(re.sub(r"<[^>]+>", " ", html).split())
        assert "2 selected of 3 matching · 2.00 USD" in words

    def test_says_how_many_of_the_ticked_no_longer_match(self, support: Client) -> None:
        items = [SyncItemFactory.create(failed=True) for _ in range(3)]
        query = "state=waiting-for-customer"
        self.tick(support, query, on=f"{items[0].pk},{items[1].pk}")
        SyncItem.objects.filter(pk=items[0].pk).update(state="READY", error_category="")

        html = support.get(f"{ITEMS}?{query}").content.decode()

        words = " ".join(re.sub(r"<[^>]+>", " ", html.split('id="bulk-bar"')[1]).split())
        assert "2 selected of 2 matching 1 no longer matches" in words

    def test_survives_paging_and_another_window(self, support: Client) -> None:
        for n in range(60):
            SyncItemFactory.create(label=f"item {n}")
        first = LiveList(support)
        page = [int(pk) for pk in re.findall(r'data-item="(\d+)"', first.html)]
        self.tick(support, on=",".join(map(str, page[:40])))

        following = re.search(r'id="page-next"\s+rel="next"\s+href="([^"]+)"', first.html)
        assert following
        second = support.get(following[1].replace("&amp;", "&")).content.decode()
        back = support.get(f"{ITEMS}?state=open").content.decode()

        assert re.findall(TICKED, second) == []
        assert "<strong>40 selected</strong>" in second
        assert len(re.findall(TICKED, back)) == 40

    def test_all_that_match_and_none(self, support: Client) -> None:
        for _ in range(3):
            SyncItemFactory.create()

        assert "3 selected" in self.tick(support, tick="all").content.decode()
        assert "selected" not in self.tick(support, tick="none").content.decode()

    def test_too_many_are_refused_as_a_422_fragment(
        self, support: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(selections, "MOST", 1)
        items = [SyncItemFactory.create().pk for _ in range(2)]
        self.tick(support, on=str(items[0]))

        response = self.tick(support, on=str(items[1]))

        assert response.status_code == 422
        assert "narrow the list by its filters" in response.content.decode()

    @pytest.mark.parametrize("ids", ["x", "9" * 30, ",,", "1;DROP"])
    def test_nonsense_ticks_nothing(self, support: Client, ids: str) -> None:
        assert "selected" not in self.tick(support, on=ids).content.decode()


class TestHtmxRules:
    def test_an_unchanged_list_answers_a_poll_with_204(self, support: Client) -> None:
        SyncItemFactory.create()

        assert LiveList(support).poll().status_code == 204

    def test_a_row_that_changed_is_swapped_by_its_id(self, support: Client) -> None:
        items = [SyncItemFactory.create(label=f"item {n}") for n in range(3)]
        live = LiveList(support)
        handling.tag([items[1].pk], tag="vip", actor="tomas")

        html = live.poll().content.decode()

        assert re.findall(r'id="row-(\d+)"', html) == [str(items[1].pk)]
        assert 'id="item-list"' not in html
        assert "1 item changed." in html

    def test_nothing_is_swapped_under_a_ticked_box(self, support: Client) -> None:
        item = SyncItemFactory.create()
        selections.tick("maya", "", [item.pk], on=True)
        live = LiveList(support)
        SyncItemFactory.create(label="new")

        html = live.poll().content.decode()

        assert 'id="item-list"' not in html
        assert "<strong>1 new</strong>" in html
        assert "refresh</a>" in html

    def test_nothing_is_swapped_while_somebody_has_the_list_in_hand(self, support: Client) -> None:
        SyncItemFactory.create()
        live = LiveList(support)
        SyncItemFactory.create(label="new")

        html = live.poll(held="1").content.decode()

        assert 'id="item-list"' not in html
        assert "<strong>1 new</strong>" in html

    def test_the_list_is_swapped_where_nobody_has_it_in_hand(self, support: Client) -> None:
        SyncItemFactory.create(label="old")
        live = LiveList(support)
        SyncItemFactory.create(label="new")

        html = live.poll().content.decode()

        assert 'id="item-list"' in html
        assert sorted(labels(html)) == ["new", "old"]

    def test_a_row_that_left_the_list_stays_in_place_and_says_so(self, support: Client) -> None:
        item = SyncItemFactory.create(failed=True)
        selections.tick("maya", "state=waiting-for-customer", [item.pk], on=True)
        live = LiveList(support, "state=waiting-for-customer")
        SyncItem.objects.filter(pk=item.pk).update(state="READY", error_category="")

        html = live.poll().content.decode()

        assert 'class="is-gone"' in html
        assert "no longer in this list" in html
        assert "Queued" in html

    def test_a_change_is_announced_politely(self, support: Client) -> None:
        SyncItemFactory.create()
        live = LiveList(support)
        SyncItemFactory.create()

        assert re.search(r'data-announce="\s*1 new', live.poll(held="1").content.decode())

    def test_a_tick_in_another_window_shows_here(self, support: Client) -> None:
        item = SyncItemFactory.create()
        live = LiveList(support)

        selections.tick("maya", "", [item.pk], on=True)

        assert "<strong>1 selected</strong>" in live.poll().content.decode()

    def test_fragments_are_pages_too(self, support: Client) -> None:
        item = SyncItemFactory.create()
        job = self._job(support, item)
        for address in (ITEMS, f"/items/{item.pk}/summary/", "/jobs/", f"/jobs/{job.pk}/"):
            whole = support.get(address, headers={}).content.decode()
            part = support.get(address, headers=HTMX).content.decode()

            assert "<html" in whole, address
            assert "<html" not in part, address
            assert re.sub(r"\s+", "", part)[:200].split("?")[0] in re.sub(r"\s+", "", whole), (
                address
            )

    def test_the_back_button_gets_a_whole_page(self, support: Client) -> None:
        headers = {**HTMX, "HX-History-Restore-Request": "true"}

        assert "<html" in support.get(f"{ITEMS}?state=open", headers=headers).content.decode()

    def test_a_double_submit_is_one_job(self, support: Client) -> None:
        SyncItemFactory.create(failed=True)
        form = {"key": str(uuid4()), "shown": "1"}

        first = support.post("/jobs/new?act=retry", form)
        second = support.post("/jobs/new?act=retry", form)

        assert first.status_code == second.status_code == 302
        assert first["Location"] == second["Location"]
        assert Job.objects.count() == 1

    def test_nothing_is_counted_over_the_whole_table(self, support: Client) -> None:
        for _ in range(3):
            SyncItemFactory.create(label="GitHub")
        addresses = [ITEMS, f"{ITEMS}?q=git", f"{ITEMS}?state=all&owner=me", "/jobs/", "/views/"]

        for address in addresses:
            with CaptureQueriesContext(database) as seen:
                support.get(address)
            for query in seen.captured_queries:
                assert not _counts_without_bound(query["sql"]), (address, query["sql"])

    def test_a_page_takes_no_more_than_twelve_statements(self, support: Client) -> None:
        connection = ConnectionFactory.create(slug="harbor")
        items = [SyncItemFactory.create(connection=connection, label="a").pk for _ in range(60)]
        handling.assign(items, owner="maya", actor="maya")
        selections.tick("maya", "", items[:5], on=True)
        job = self._job(support, SyncItem.objects.first())
        support.get(ITEMS)

        for address in (ITEMS, f"{ITEMS}?customer=harbor&q=a", f"/items/{items[0]}/summary/",
                        "/jobs/", f"/jobs/{job.pk}/", "/jobs/new?act=assign&scope=ticked",
                        "/views/"):  # fmt: skip
            with CaptureQueriesContext(database) as seen:
                support.get(address)
            assert len(seen) <= 12, (address, [query["sql"][:90] for query in seen])

    def _job(self, client: Client, item: SyncItem | None) -> Job:
        assert item
        form = {"key": str(uuid4()), "shown": "1", "tag": "vip"}
        client.post(f"/jobs/new?act=tag&ids={item.pk}", form)
        running.run_next()
        return Job.objects.get()


def _counts_without_bound(sql: str) -> bool:
    """Whether a statement counts items of which there may be ten millions.

    What is past its lease is at most what workers have in hand, and has an index of its own.
    """
    counts = "COUNT(" in sql and '"syncing_syncitem"' in sql
    return counts and "LIMIT" not in sql and '"lease_until" <' not in sql


class TestDrawer:
    def handle(self, client: Client, item: SyncItem, act: str, **fields: str) -> Any:
        data = {"act": act, "in_list": "1", **{f"{act}-{k}": v for k, v in fields.items()}}
        return client.post(
            reverse("handle_item", args=[item.pk]), data,
            headers={**HTMX, "HX-Current-URL": "http://testserver/items/?state=open"},
        )  # fmt: skip

    def test_an_act_shows_in_the_drawer_and_in_the_row(self, support: Client) -> None:
        item = SyncItemFactory.create()

        html = self.handle(support, item, "assign", owner="@maya").content.decode()

        assert 'id="drawer-item"' in html
        assert f'id="row-{item.pk}"' in html
        assert AuditLine.objects.get().text == f"{item.reference}: Assign to maya"

    def test_a_retry_queues_it_again(self, support: Client) -> None:
        item = SyncItemFactory.create(failed=True)

        self.handle(support, item, "retry")

        item.refresh_from_db()
        assert item.state == "READY"

    @pytest.mark.parametrize(
        ("act", "fields", "words"),
        [
            ("retry", {}, "It is through"),
            ("tag", {"tag": "<b>"}, "A tag has up to 40"),
            ("comment", {"text": ""}, "Write something first"),
            ("assign", {"owner": "@nobody-of-that-name"}, "Nobody of that name has a role here"),
            ("snooze", {"how_long": "day"}, "Choose the day"),
            ("snooze", {"how_long": "day", "day": "2020-01-01"}, "has begun already"),
        ],
    )
    def test_a_refusal_is_a_422_fragment_in_words(
        self, support: Client, act: str, fields: dict[str, str], words: str
    ) -> None:
        item = SyncItemFactory.create(acked=True)

        response = self.handle(support, item, act, **fields)

        assert response.status_code == 422
        assert words in response.content.decode()

    def test_works_without_a_script(self, support: Client) -> None:
        item = SyncItemFactory.create()

        response = support.post(
            reverse("handle_item", args=[item.pk]),
            {"act": "comment", "comment-text": "Asked the controller."},
            follow=True,
        )

        assert "Your comment stands on the timeline." in response.content.decode()

    def test_a_manager_may_assign_but_not_retry(self, client: Client) -> None:
        client.force_login(UserFactory.create(username="hannah", roles=["manager"]))
        item = SyncItemFactory.create(failed=True)

        assert self.handle(client, item, "tag", tag="vip").status_code == 200
        assert self.handle(client, item, "retry").status_code == 403
        assert client.get("/jobs/new?act=retry").status_code == 403

    def test_unknown_acts_and_items_are_no_pages(self, support: Client) -> None:
        item = SyncItemFactory.create()

        assert self.handle(support, item, "explode").status_code == 404
        assert self.handle(support, SyncItem(pk=item.pk + 1), "tag", tag="x").status_code == 404
        assert support.get("/jobs/new?act=explode").status_code == 404


class TestJobPages:
    def post(self, client: Client, query: str, **fields: str) -> Any:
        form = {"key": str(uuid4()), "shown": "100", **fields}
        return client.post(f"/jobs/new?{query}", form)

    def test_a_preview_changes_nothing_and_a_confirmation_does(self, support: Client) -> None:
        SyncItemFactory.create(failed=True)
        html = support.get("/jobs/new?act=retry&state=waiting-for-customer").content.decode()
        assert "Nothing has been done yet" in html
        assert not Job.objects.exists()

        response = self.post(support, "act=retry&state=waiting-for-customer")
        running.run_next()
        page = support.get(response["Location"]).content.decode()

        assert Job.objects.get().done == 1
        assert "Queued again." in page

    def test_list_and_job_totals_agree(self, support: Client) -> None:
        for _ in range(7):
            SyncItemFactory.create(failed=True)
        SyncItemFactory.create(acked=True)

        self.post(support, "act=retry&state=waiting-for-customer")
        running.run_next()

        job = Job.objects.get()
        assert (job.total, job.done) == (7, 7)
        assert len(listed(support, "state=queued")) == 7
        assert listed(support, "state=waiting-for-customer") == []

    def test_what_is_ticked_is_frozen_and_unticked(self, support: Client) -> None:
        items = [SyncItemFactory.create().pk for _ in range(3)]
        selections.tick("maya", "q=git", items[:2], on=True)

        self.post(support, "act=tag&scope=ticked&q=git", tag="vip")

        assert Job.objects.get().total == 2
        assert selections.is_empty(selections.of("maya", "q=git", now=now()))

    def test_a_form_with_a_fault_is_a_422_with_words(self, support: Client) -> None:
        SyncItemFactory.create()

        response = self.post(support, "act=tag", tag="<b>")

        assert response.status_code == 422
        assert "A tag has up to 40" in response.content.decode()
        assert not Job.objects.exists()

    def test_what_was_not_done_comes_first_and_can_be_tried_again(self, support: Client) -> None:
        SyncItemFactory.create(failed=True, label="goes")
        SyncItemFactory.create(posting=True, label="busy")
        location = self.post(support, "act=retry")["Location"]
        running.run_next()

        html = support.get(location).content.decode()
        assert labels(html) == ["busy"]
        response = support.post(f"{location}again")

        assert Job.objects.get(pk=response["Location"].split("/")[2]).total == 1

    def test_an_assignment_can_be_undone_and_a_retry_cannot(self, support: Client) -> None:
        SyncItemFactory.create(failed=True)
        assigned = self.post(support, "act=assign", owner="@maya")["Location"]
        retried = self.post(support, "act=retry")["Location"]
        running.run_next()
        running.run_next()

        assert 'id="undo-job"' in support.get(assigned).content.decode()
        assert 'id="undo-job"' not in support.get(retried).content.decode()
        support.post(f"{assigned}undo")
        running.run_next()

        assert listed(support, "owner=me") == []

    def test_results_can_be_taken_as_a_file(self, support: Client) -> None:
        SyncItemFactory.create(failed=True, label="=cmd", amount_minor=-12_345)
        location = self.post(support, "act=retry")["Location"]
        running.run_next()

        text = support.get(f"{location}csv").getvalue().decode("utf-8-sig")

        (row,) = list(csv.DictReader(io.StringIO(text, newline="")))
        assert (row["merchant_or_vendor"], row["amount"], row["result"]) == (
            "'=cmd",
            "-123.45",
            "Done",
        )

    def test_a_poll_hears_nothing_until_something_changed(self, support: Client) -> None:
        SyncItemFactory.create(failed=True)
        location = self.post(support, "act=retry")["Location"]
        html = support.get(location).content.decode()
        live = html.split('id="job"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")

        assert support.get(live, headers=HTMX).status_code == 204
        running.run_next()
        assert support.get(live, headers=HTMX).status_code == 200


class TestFile:
    def read(self, client: Client, query: str = "") -> list[dict[str, str]]:
        response: Any = client.get(f"{reverse('items_csv')}?{query}")
        text = response.getvalue().decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def test_is_the_whole_list_in_its_order_with_exact_money(
        self, support: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("syncing.queries.exports.READ_AT_ONCE", 2)
        for n in range(5):
            SyncItemFactory.create(
                label=f"+{n}", amount_minor=-1, ready_at=now() - timedelta(minutes=n)
            )
        SyncItemFactory.create(acked=True)

        rows = self.read(support, "state=open")

        assert [row["merchant_or_vendor"] for row in rows] == ["'+4", "'+3", "'+2", "'+1", "'+0"]
        assert {row["amount"] for row in rows} == {"-0.01"}

    def test_or_what_is_ticked_of_it(self, support: Client) -> None:
        items = [SyncItemFactory.create(label=f"item {n}").pk for n in range(3)]
        selections.tick("maya", "", items[:1], on=True)

        assert [row["merchant_or_vendor"] for row in self.read(support, "scope=ticked")] == [
            "item 0"
        ]

    def test_whoever_takes_one_leaves_a_line(self, support: Client) -> None:
        self.read(support, "q=git&state=all")

        line = AuditLine.objects.get()
        assert (line.actor, line.act, line.data["query"]) == (
            "maya",
            "items.csv",
            "q=git&state=all",
        )


class TestViews:
    def save(self, client: Client, **fields: str) -> Any:
        return client.post(reverse("views"), {"page": "items", **fields})

    def test_keeps_the_filters_and_not_where_somebody_was(self, support: Client) -> None:
        query = "?state=queued&after=2026-01-01T00:00:00%2B00:00~5&version=x&q=git"

        self.save(support, name="Queued at GitHub", query=query)

        assert SavedView.objects.get().query == "q=git&state=queued"
        assert "Queued at GitHub" in support.get(reverse("views")).content.decode()

    def test_a_private_one_is_seen_by_its_owner_alone_and_a_team_one_by_all(
        self, support: Client
    ) -> None:
        saved_views.save(owner="tomas", page="items", query="", name="His own")
        saved_views.save(owner="tomas", page="items", query="", name="Ours", is_team=True)

        html = support.get(reverse("views")).content.decode()

        assert "Ours" in html
        assert "His own" not in html

    def test_nobody_changes_what_is_anothers(self, support: Client) -> None:
        view = saved_views.save(owner="tomas", page="items", query="", name="Ours", is_team=True)

        support.post(reverse("change_view", args=[view.pk]), {"act": "delete"})
        support.post(reverse("change_view", args=[view.pk]), {"act": "rename", "name": "Mine"})

        assert SavedView.objects.get().name == "Ours"

    def test_a_name_is_taken_once(self, support: Client) -> None:
        self.save(support, name="Mine", query="")

        response = self.save(support, name="Mine", query="?q=x")

        assert response.status_code == 422
        assert "already" in response.content.decode()

    def test_counts_from_the_roll_up_and_is_the_list_by_itself(self, support: Client) -> None:
        for _ in range(3):
            SyncItemFactory.create(failed=True)
        view = saved_views.save(
            owner="maya", page="items", query="state=waiting-for-customer", name="Theirs"
        )
        address = reverse("view_count", args=[view.pk])

        assert support.get(address, headers=HTMX).content.decode().strip() == "3"
        assert support.get(address)["Location"] == "/items/?state=waiting-for-customer"

    def test_a_role_begins_with_its_view(self, client: Client, support: Client) -> None:
        view = saved_views.save(owner="hannah", page="items", query="q=git", name="G", is_team=True)
        saved_views.begin_with(view, "support", actor="hannah")

        assert support.get(ITEMS)["Location"] == "/items/?q=git"
        assert support.get(f"{ITEMS}?state=open").status_code == 200
        assert support.get(ITEMS, headers=HTMX).status_code == 200

    def test_only_a_lead_decides_what_a_role_begins_with(self, support: Client) -> None:
        view = saved_views.save(owner="maya", page="items", query="q=x", name="G", is_team=True)
        data = {"act": "default", "role": "support"}

        support.post(reverse("change_view", args=[view.pk]), data)

        view.refresh_from_db()
        assert view.default_for == ""

    def test_a_view_that_is_taken_back_is_no_roles_first_one(self) -> None:
        view = saved_views.save(owner="h", page="items", query="q=x", name="G", is_team=True)
        saved_views.begin_with(view, "support", actor="h")

        saved_views.change(view, actor="h", is_lead=False, is_team=False)

        assert saved_views.default_view("items", ["support"]) is None

    def test_pinned_ones_stand_in_the_navigation_with_their_counts(self, support: Client) -> None:
        SyncItemFactory.create(failed=True)
        saved_views.save(
            owner="maya", page="items", query="state=waiting-for-customer", name="At hand",
            is_pinned=True,
        )  # fmt: skip

        html = support.get(reverse("pinned_views"), headers=HTMX).content.decode()

        assert "At hand" in html
        assert '<span class="side-count">1</span>' in html
