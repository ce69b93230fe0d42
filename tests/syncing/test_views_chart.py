"""The chart of one customer: drift, decisions, both sides of a record, uploads."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from connections.models import (
    Connection,
    CustomField,
    DriftDecision,
    LedgerAccount,
    Mirror,
    MirrorRun,
    UploadBatch,
    Vendor,
)
from syncing.queries import chart_records, mirroring
from syncing.queries.chart_records import After
from tests import spend
from tests.browser import chart_stories
from tests.browser.chart_stories import confirmed, mirror_of, used
from tests.factories import (
    CustomFieldFactory,
    FieldOptionFactory,
    LedgerAccountFactory,
    UserFactory,
    VendorFactory,
    now,
)

pytestmark = pytest.mark.django_db
SLUG = "harbor-coffee"
ODD = (
    "\0", "\ud800", f"1.{'9' * 40}", "0.-1", "9" * 5000, f"1.{'9' * 5000}", "\u0663.\u0664", "99.1",
    f"1~{'9' * 40}~x", f"1~-{'9' * 40}~\0", "99~1~x", "2026-01-01T00:00:00+00:00~x",
)  # fmt: skip
CHOICES = ({"show": "batches", "kind": "account"}, {"show": "refused", "kind": "option"})


@pytest.fixture
def connection() -> Connection:
    return chart_stories.customer()


@pytest.fixture
def support(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


def page(client: Client, name: str = "chart", *args: object, **query: str) -> str:
    response = client.get(reverse(name, args=[SLUG, *args]), query)
    assert response.status_code == 200, response.status_code
    return words(response)


def words(response: Any) -> str:
    """What a page says, on one line; live times without their wrapping."""
    html = response.content.decode().split("<main", 1)[-1]
    text = re.sub(r"<[^>]+>", "", html)
    return re.sub(r"\s+", " ", text)


def decide(client: Client, **data: str) -> Any:
    return client.post(reverse("decide", args=[SLUG]), {"field": "", **data})


def closed_account(connection: Connection) -> LedgerAccount:
    account: LedgerAccount = LedgerAccountFactory.create(
        connection=connection,
        erp_id="6999",
        code="6999",
        name="Old projects",
        is_active=False,
        **confirmed(),
    )
    return account


class TestMirror:
    def test_says_when_it_was_read_and_when_it_is_uploaded(
        self, support: Client, connection: Connection
    ) -> None:
        html = page(support)

        assert "Works" in html
        assert "2 min ago" in html
        assert "next in 11 min" in html
        assert "Both sides are alike" in html

    def test_says_what_stops_it_and_how_to_mend_that(self, support: Client) -> None:
        chart_stories.stopped(SLUG)

        html = page(support)

        assert "Another program is connected to this customer&#x27;s Ramp." in html
        assert "Ask the customer to disconnect it in Ramp." in html
        assert "once the mirror works again" in html

    def test_counts_what_ramp_offers_and_the_erp_lacks(
        self, support: Client, connection: Connection
    ) -> None:
        assert "Ramp also offers" not in page(support)
        Mirror.objects.filter(connection=connection).update(strangers={"vendor": 1200, "field": 1})

        assert "Ramp also offers 1 field, 1,200 vendors that" in page(support)

    @pytest.mark.parametrize("name", ["chart", "chart_records", "upload_batches", "decide"])
    def test_an_odd_address_is_no_mistake_of_ours(self, support: Client, name: str) -> None:
        for odd in ODD:
            keys = ("after", "q", "what", "field", "id", "version")
            for choice in ({"show": odd, "kind": odd}, *CHOICES):
                query = urlencode(dict.fromkeys(keys, odd) | choice, errors="surrogatepass")
                status = support.get(f"{reverse(name, args=[SLUG])}?{query}").status_code
                assert status < 500, query[:200]

    def test_a_customer_that_has_no_mirror_yet_says_so(
        self, support: Client, connection: Connection
    ) -> None:
        Mirror.objects.filter(connection=connection).delete()

        assert "The chart was never read" in page(support)

    @pytest.mark.parametrize(
        ("name", "columns"),
        [
            ("read_erp", {"read_due_at", "full_due_at"}),
            ("upload_chart", {"read_due_at", "push_due_at"}),
            ("verify_chart", {"verify_due_at"}),
        ],
    )
    def test_what_somebody_asks_for_is_due_at_once_in_his_name(
        self, support: Client, connection: Connection, name: str, columns: set[str]
    ) -> None:
        response = support.post(reverse(name, args=[SLUG]), follow=True)

        mirror = Mirror.objects.get(connection=connection)
        due = {
            column
            for column in ("read_due_at", "full_due_at", "push_due_at", "verify_due_at")
            if getattr(mirror, column) <= now()
        }
        assert due == columns
        assert mirror.asked_by == "maya"
        assert "within seconds" in words(response) or "what differs goes to Ramp" in words(response)

    def test_nothing_is_asked_for_of_a_customer_that_is_closed(
        self, support: Client, connection: Connection
    ) -> None:
        Connection.objects.update(stage=Connection.Stage.CLOSED)

        response = support.post(reverse("upload_chart", args=[SLUG]), follow=True)

        assert "This customer is closed" in words(response)
        assert Mirror.objects.get(connection=connection).asked_by == ""

    def test_uploads_by_hand_only_until_somebody_says_otherwise(
        self, support: Client, connection: Connection
    ) -> None:
        LedgerAccountFactory.create(connection=connection, ramp_id=None)
        url = reverse("switch_automatic", args=[SLUG])

        by_hand = words(support.post(url, {"automatic": "off"}, follow=True))
        by_itself = words(support.post(url, {"automatic": "on"}, follow=True))

        assert "Created when somebody uploads" in by_hand
        assert "Created with the next upload" in by_itself

    @pytest.mark.parametrize(
        "name", ["read_erp", "upload_chart", "verify_chart", "switch_automatic", "decide"]
    )
    def test_a_manager_looks_and_does_nothing(
        self, client: Client, connection: Connection, name: str
    ) -> None:
        client.force_login(UserFactory.create(roles=["manager"]))
        closed_account(connection)

        html = page(client)

        assert "Upload now" not in html
        assert "Decide" not in html
        assert client.post(reverse(name, args=[SLUG])).status_code == 403

    def test_a_poll_hears_nothing_until_something_changed(
        self, support: Client, connection: Connection
    ) -> None:
        html = support.get(reverse("chart", args=[SLUG])).content.decode()
        live = html.split("data-poll")[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
        headers = {"HX-Request": "true"}
        assert support.get(live, headers=headers).status_code == 204

        closed_account(connection)

        assert support.get(live, headers=headers).status_code == 200


class TestDrift:
    def test_says_of_each_difference_what_it_is_and_what_will_happen(self, support: Client) -> None:
        chart_stories.drifting()

        html = page(support)

        for expected in (
            "6200 Software becomes 6200 Software and subscriptions Changed in 11 min",
            "not in Ramp becomes 6700 Training Created in 11 min",
            "37 unsynced items use it · 1,557.70USD",
            "Waits for your decision Decide about 6999 Old projects",
            "maya.okafor: leave as it is, “The auditors still need it.”",
            "6300 Food becomes 6300 Meals Set back in 11 min",
            "The code 6800 is another account&#x27;s in Ramp already. Field: code.",
            "Hidden in 11 min Do otherwise",
            "Shown again in 11 min",
            "becomes Merged into V-200 Waits for your decision",
        ):
            assert expected in html, expected

    def test_is_narrowed_by_kind_by_way_and_by_name(self, support: Client) -> None:
        chart_stories.drifting()

        assert "6700 Training" not in page(support, kind="vendor")
        assert "V-100 Ecolab Inc." in page(support, kind="vendor")
        assert "6700 Training" in page(support, what="added")
        assert "V-100 Ecolab Inc." not in page(support, what="added")
        assert "6950 Old fleet" in page(support, q="old f")
        assert "6700 Training" not in page(support, q="old f")
        assert "Nothing differs in this way" in page(support, q="nobody")

    def test_nonsense_in_an_address_is_no_filter(self, support: Client) -> None:
        chart_stories.drifting()

        assert "6700 Training" in page(support, kind="x'--", what="%", after="~~", q="training")

    def test_goes_on_where_the_page_ended(self, support: Client, connection: Connection) -> None:
        for number in range(60):
            LedgerAccountFactory.create(
                connection=connection, erp_id=f"n{number}", code=f"{number:04}", ramp_id=None
            )
        html = support.get(reverse("chart", args=[SLUG])).content.decode()
        href = re.findall(r'id="drift-next"[^>]*href="([^"]+)"', html)[0].replace("&amp;", "&")

        following = support.get(reverse("chart", args=[SLUG]) + href).content.decode()

        shown = [re.findall(r'id="drift-account-\d+"', one) for one in (html, following)]
        assert [len(one) for one in shown] == [50, 10]
        assert 'title="0049 Software"' in html
        assert 'title="0050 Software"' in following

    def test_takes_as_many_statements_for_many_records_as_for_few(
        self, support: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        chart_stories.drifting()
        url = reverse("chart", args=[SLUG])
        support.get(url)

        with django_assert_num_queries(9):
            support.get(url)

    def test_a_customers_page_counts_it_and_leads_there(self, support: Client) -> None:
        chart_stories.drifting()

        html = page(support, "customer")

        assert "Differences 12, 2 wait for a decision, 1 refused" in html
        assert "Tryton read 2 min ago · uploaded 48 min ago" in html

    def test_a_customers_page_says_that_the_mirror_stands_still(self, support: Client) -> None:
        chart_stories.stopped(SLUG)

        assert "Another program is connected" in page(support, "customer")


class TestDeciding:
    def test_shows_what_hangs_on_a_record_and_what_comes_of_each_choice(
        self, support: Client, connection: Connection
    ) -> None:
        closed_account(connection)
        used(connection, spend.account("6999"), times=3)

        html = page(support, "decide", kind="account", id="6999")

        assert "3 unsynced items use this GL account" in html
        assert "3 unsynced items coded with it cannot be synced any more" in html
        assert "Leave as it is Advised" in html
        assert "Hide" not in html

    def test_advises_to_deactivate_what_nothing_uses(
        self, support: Client, connection: Connection
    ) -> None:
        closed_account(connection)

        html = page(support, "decide", kind="account", id="6999")

        assert "Deactivate in Ramp Advised" in html

    def test_advises_to_hide_options(self, support: Client, connection: Connection) -> None:
        department = CustomFieldFactory.create(connection=connection, **confirmed())
        FieldOptionFactory.create(field=department, erp_id="fld", is_active=False, **confirmed())

        html = page(support, "decide", kind="option", id="fld", field="department")

        assert "Hide: happens by itself Advised" in html
        assert "What is coded with it already is synced as before." in html

    def test_deactivates_what_nothing_uses_without_a_word(
        self, support: Client, connection: Connection
    ) -> None:
        closed_account(connection)

        response = decide(support, kind="account", id="6999", action="deactivate")

        decision = DriftDecision.objects.get()
        assert response.status_code == 302
        assert (decision.action, decision.actor) == ("deactivate", "maya")
        assert "Deactivated in 11 min" in page(support)

    def test_deactivates_what_is_in_use_only_with_a_reason(
        self, support: Client, connection: Connection
    ) -> None:
        closed_account(connection)
        used(connection, spend.account("6999"), times=2)
        choice = {"kind": "account", "id": "6999", "action": "deactivate"}

        refused = decide(support, **choice)
        assert refused.status_code == 422
        assert "2 unsynced items use this record" in words(refused)
        assert not DriftDecision.objects.exists()

        decide(support, **choice, reason="They are coded anew today.")
        decision = DriftDecision.objects.get()
        assert (decision.unsynced_items, decision.reason) == (2, "They are coded anew today.")

    def test_nothing_is_kept_without_a_choice(
        self, support: Client, connection: Connection
    ) -> None:
        closed_account(connection)

        response = decide(support, kind="account", id="6999")

        assert response.status_code == 422
        assert "Choose what is to become of it." in words(response)

    def test_what_the_erp_has_again_is_not_deactivated(
        self, support: Client, connection: Connection
    ) -> None:
        LedgerAccountFactory.create(connection=connection, erp_id="6100", **confirmed())

        response = decide(support, kind="account", id="6100", action="deactivate")

        assert response.status_code == 422
        assert not DriftDecision.objects.exists()

    def test_a_decision_is_changed_and_taken_back(
        self, support: Client, connection: Connection
    ) -> None:
        closed_account(connection)
        about = {"kind": "account", "id": "6999"}
        decide(support, **about, action="leave", reason="The auditors need it.")

        shown = page(support, "decide", **about)
        assert "maya decided " in shown
        assert ": leave as it is, “The auditors need it.”" in shown

        url = reverse("withdraw_decision", args=[SLUG])
        support.post(url, {**about, "field": ""})
        assert not DriftDecision.objects.exists()
        assert "nothing left to take back" in words(support.post(url, about, follow=True))

    def test_a_record_of_another_customer_is_no_page(
        self, support: Client, connection: Connection
    ) -> None:
        closed_account(chart_stories.customer("other"))

        for kind in ("account", "nonsense"):
            response = support.get(reverse("decide", args=[SLUG]), {"kind": kind, "id": "6999"})
            assert response.status_code == 404

    def test_what_was_refused_is_sent_again_if_somebody_says_so(self, support: Client) -> None:
        chart_stories.drifting()

        support.post(reverse("try_record_again", args=[SLUG]), {"kind": "account", "id": "6800"})

        assert LedgerAccount.objects.get(erp_id="6800").refused_content == ""


class TestBothSides:
    @pytest.mark.parametrize("text", ["6200", "62", "software", "SOFT", "subscr"])
    def test_finds_an_account_by_whatever_either_side_calls_it(
        self, support: Client, text: str
    ) -> None:
        chart_stories.drifting()

        html = page(support, "chart_records", q=text)

        assert "6200 Software and subscriptions" in html
        assert "called otherwise" in html
        assert "6300" not in html

    def test_finds_a_record_by_its_id_in_ramp(
        self, support: Client, connection: Connection
    ) -> None:
        vendor: Vendor = VendorFactory.create(connection=connection, name="Ecolab")
        VendorFactory.create(connection=connection, name="Uline")

        html = page(support, "chart_records", q=str(vendor.ramp_id))

        assert "Ecolab" in html
        assert "Uline" not in html

    @pytest.mark.parametrize(
        "text", ["ecolab", "Éco lab", "ecolab, inc.", "V-1", "v-1", "Old name"]
    )
    def test_finds_a_vendor_however_its_name_is_written(
        self, connection: Connection, text: str
    ) -> None:
        VendorFactory.create(
            connection=connection, name="Ecolab Inc.", code="V-1", ramp_name="Old name"
        )
        VendorFactory.create(connection=connection, name="Uline", code="W-9")

        found = chart_records.records(connection.pk, text=text)

        assert [one.name for one in found.rows] == ["Ecolab Inc."]

    @pytest.mark.parametrize("text", ["%", "_", "\\", "...", "'", "\0"])
    def test_signs_with_a_meaning_of_their_own_are_looked_for_as_they_are(
        self, connection: Connection, text: str
    ) -> None:
        VendorFactory.create(connection=connection, name="Uline")
        LedgerAccountFactory.create(connection=connection)

        assert chart_records.records(connection.pk, text=text).rows == []

    def test_pages_go_through_all_kinds_and_skip_nobody(self, connection: Connection) -> None:
        for number in range(7):
            LedgerAccountFactory.create(
                connection=connection, erp_id=f"a{number}", code=f"{number % 3}", name=f"A{number}"
            )
            VendorFactory.create(connection=connection, erp_id=f"v{number}", name="Same name")
        everything = {f"a{number}" for number in range(7)} | {f"v{number}" for number in range(7)}

        seen: list[str] = []
        after: After | None = None
        while True:
            found = chart_records.records(connection.pk, after=after, size=3)
            seen += [one.erp_id for one in found.rows]
            if found.next is None:
                break
            after = After.parse(str(found.next))

        assert sorted(seen) == sorted(everything)

    def test_shows_the_options_of_one_field(self, support: Client, connection: Connection) -> None:
        for field, option in (("department", "Engineering"), ("project", "Apollo")):
            parent = CustomFieldFactory.create(connection=connection, erp_id=field, name=field)
            FieldOptionFactory.create(field=parent, name=option)

        html = page(support, "chart_records", kind="option", field="project")

        assert "Apollo" in html
        assert "Engineering" not in html

    def test_takes_few_statements(
        self, support: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        chart_stories.drifting()
        url = reverse("chart_records", args=[SLUG])
        support.get(url)

        with django_assert_num_queries(6):
            support.get(url)


class TestField:
    def test_is_shown_otherwise_after_the_next_upload(
        self, support: Client, connection: Connection
    ) -> None:
        field = CustomFieldFactory.create(connection=connection, **confirmed())
        url = reverse("set_chart_field", args=[SLUG, field.pk])

        response = support.post(url, {"display_name": "Cost centre"}, follow=True)

        field.refresh_from_db()
        assert (field.display_name, field.is_splittable) == ("Cost centre", False)
        assert "is shown so after the next upload" in words(response)
        assert "Department Field Changed" in page(support)

    def test_what_it_is_required_for_is_chosen_only_before_ramp_has_it(
        self, support: Client, connection: Connection
    ) -> None:
        new = CustomFieldFactory.create(connection=connection, ramp_id=None)
        known = CustomFieldFactory.create(connection=connection, erp_id="project")
        choice = {"is_splittable": "on", "required_for": ["TRANSACTION", "BILL"]}

        for field in (new, known):
            support.post(reverse("set_chart_field", args=[SLUG, field.pk]), choice)

        chosen = {one.erp_id: one.required_for for one in CustomField.objects.all()}
        assert chosen == {"department": ["BILL", "TRANSACTION"], "project": []}
        assert "only when the field is created" in page(support, "chart_field", new.pk)
        assert "it has this one already" in page(support, "chart_field", known.pk)

    def test_a_word_that_ramp_does_not_know_is_refused(
        self, support: Client, connection: Connection
    ) -> None:
        field = CustomFieldFactory.create(connection=connection, ramp_id=None)
        url = reverse("set_chart_field", args=[SLUG, field.pk])

        assert support.post(url, {"required_for": ["LUNCH"]}).status_code == 422

    def test_a_field_of_another_customer_is_no_page(
        self, support: Client, connection: Connection
    ) -> None:
        field = CustomFieldFactory.create()

        for name in ("chart_field", "set_chart_field"):
            url = reverse(name, args=[SLUG, field.pk])
            assert {support.get(url).status_code, support.post(url).status_code} <= {404, 405}


class TestUploads:
    def test_lists_what_was_read_and_what_ramp_took(self, support: Client) -> None:
        chart_stories.drifting()

        html = page(support, "upload_batches")

        assert "1 GL account changed 1,204 vendors created, 1 GL account changed" in html
        assert "Asked for by maya.okafor Broken off Tryton does not answer." in html

    def test_progress_counts_records_and_names_the_trace_id(self, support: Client) -> None:
        chart_stories.drifting()
        batch = UploadBatch.objects.get(state="partly")

        html = page(support, "upload_batches", show="batches")

        assert "499 of 500 in Ramp · 1 refused · 10 calls" in html
        assert "120 of 500 in Ramp · 380 not known yet" in html
        assert batch.trace_id in html
        assert "at most 200 characters" in html

    def test_names_each_refused_record_its_field_and_what_to_do(self, support: Client) -> None:
        chart_stories.drifting()

        html = page(support, "upload_batches", show="refused")

        assert "6800 Bank charges" in html
        assert "another account&#x27;s in Ramp already. code Mend it in Tryton." in html
        assert "6100" not in html

    def test_one_refresh_adds_up_its_batches(self, support: Client) -> None:
        chart_stories.drifting()
        run = MirrorRun.objects.get(state="done")

        html = page(support, "mirror_run", run.pk)

        assert "Sent to Ramp 1,001 3 batches, 12 calls" in html
        assert "In Ramp 1,000" in html

    def test_says_that_an_unchanged_chart_cost_no_call(
        self, support: Client, connection: Connection
    ) -> None:
        run = MirrorRun.objects.create(
            connection=connection, trigger="schedule", state="done", finished_at=now()
        )

        assert "Ramp had every record already, so no call was made." in page(
            support, "mirror_run", run.pk
        )

    def test_pages_skip_no_refresh(self, connection: Connection) -> None:
        at = now()
        for _ in range(60):
            run = MirrorRun.objects.create(connection=connection, trigger="schedule")
            MirrorRun.objects.filter(pk=run.pk).update(started_at=at)

        seen, after = [], ""
        while True:
            found = mirroring.runs(connection.pk, after=after)
            seen += [one.pk for one in found.rows]
            if not found.next:
                break
            after = found.next

        assert len(seen) == len(set(seen)) == 60

    def test_a_refresh_of_another_customer_is_no_page(
        self, support: Client, connection: Connection
    ) -> None:
        run = MirrorRun.objects.create(
            connection=chart_stories.customer("other"), trigger="schedule"
        )

        url = reverse("mirror_run", args=[SLUG, run.pk])

        assert support.get(url).status_code == 404

    def test_says_that_there_is_nothing_yet(self, support: Client, connection: Connection) -> None:
        assert "No refresh yet" in page(support, "upload_batches")
        assert "Nothing was uploaded yet" in page(support, "upload_batches", show="batches")
        assert "Nothing is refused" in page(support, "upload_batches", show="refused")

    def test_shows_that_somebody_is_at_work(self, support: Client, connection: Connection) -> None:
        mirror_of(
            connection,
            lease_token="00000000-0000-4000-8000-000000000001",
            lease_until=now() + timedelta(minutes=5),
            asked_by="maya",
        )

        assert "Under way asked for by maya" in page(support)
