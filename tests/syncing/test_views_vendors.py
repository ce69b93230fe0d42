"""The vendor pages: what stands on them, and what people can do there."""

import uuid
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.models import (
    Connection,
    FieldOwner,
    Mirror,
    RampVendor,
    SeparateVendors,
    VendorChange,
    VendorLink,
)
from connections.vendor_book import changes, following
from tests.factories import (
    ConnectionFactory,
    EntityFactory,
    RampVendorFactory,
    ScheduleFactory,
    SyncItemFactory,
    UserFactory,
    VendorChangeFactory,
    VendorCreationFactory,
    VendorFactory,
    VendorLinkFactory,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def harbor() -> Connection:
    connection: Connection = ScheduleFactory.create(connection__slug="harbor").connection
    return connection


@pytest.fixture
def maya(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


def another(name: str, role: str = "support") -> Client:
    client = Client()
    client.force_login(UserFactory.create(username=name, roles=[role]))
    return client


def at(name: str, **more: object) -> str:
    return reverse(name, kwargs={"slug": "harbor", **more})


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def pair_of(connection: Connection, name: str = "Figma", erp_id: str = "12") -> str:
    VendorFactory.create(connection=connection, erp_id=erp_id, name=f"{name}, Inc.")
    vendor = RampVendorFactory.create(connection=connection, name=name)
    return f"{vendor.pk}:{erp_id}"


class TestUnlinked:
    def test_shows_who_it_may_be_and_why(self, maya: Client, harbor: Connection) -> None:
        pair_of(harbor)

        page = text_of(maya.get(at("vendors")))

        assert "Figma, Inc." in page
        assert "same name but for spelling or legal form" in page
        assert "Link 1 exact match" in page

    def test_comes_by_spend_and_page_by_page(self, maya: Client, harbor: Connection) -> None:
        for n in range(60):
            RampVendorFactory.create(connection=harbor, name=f"Vendor {n:02}", spend_minor=n)

        first = maya.get(at("vendors"))
        following_page = maya.get(at("vendors"), {"after": first.context["page"].next})

        shown = [row.vendor.spend_minor for row in first.context["rows"]]
        assert shown == list(range(59, 9, -1))
        assert len(following_page.context["rows"]) == 10

    def test_says_so_when_there_is_nothing(self, maya: Client, harbor: Connection) -> None:
        assert "vendors were not read yet" in text_of(maya.get(at("vendors")))

    def test_htmx_gets_the_part_alone(self, maya: Client, harbor: Connection) -> None:
        part = maya.get(at("vendors"), headers=HTMX).content.decode()

        assert "<html" not in part
        assert 'id="vendors"' in part

    @pytest.mark.parametrize("tab", ["unlinked", "all", "duplicates", "changes", "conflicts", "x"])
    def test_every_tab_takes_few_statements(
        self, maya: Client, harbor: Connection, tab: str
    ) -> None:
        for n in range(12):
            pair_of(harbor, f"Vendor {n // 2}", str(n))
            RampVendorFactory.create(connection=harbor, name=f"V {n}", linked_erp_id=str(n))
            VendorChangeFactory.create(connection=harbor, vendor_erp_id=str(n))
        maya.get(at("vendors"))  # the session is there

        with CaptureQueriesContext(database) as queries:
            assert maya.get(at("vendors"), {"tab": tab}).status_code == 200

        assert len(queries) <= 12, [query["sql"][:90] for query in queries]


class TestPicking:
    def test_ticks_survive_the_next_page(self, maya: Client, harbor: Connection) -> None:
        pair = pair_of(harbor)
        key = pair.split(":")[0]

        bar = maya.post(at("pick_vendors"), {"pair": pair, "of": key}, headers=HTMX)
        assert "1 ticked" in text_of(bar)
        maya.get(at("vendors"), {"after": "5~5"})

        assert "checked" in maya.get(at("vendors")).content.decode()
        assert "Figma" in text_of(maya.get(at("link_vendors")))

    def test_unticking_and_clearing(self, maya: Client, harbor: Connection) -> None:
        first, second = pair_of(harbor), pair_of(harbor, "Zoom", "13")
        for pair in (first, second):
            maya.post(at("pick_vendors"), {"pair": pair, "of": pair.split(":")[0]}, headers=HTMX)

        bar = maya.post(at("pick_vendors"), {"of": first.split(":")[0]}, headers=HTMX)
        assert "1 ticked" in text_of(bar)
        maya.post(at("pick_vendors"), {"clear": "1"})

        assert "Nothing is ticked" in text_of(maya.get(at("link_vendors")))

    def test_nonsense_ticks_nothing(self, maya: Client, harbor: Connection) -> None:
        bar = maya.post(at("pick_vendors"), {"pair": "x", "of": "y"}, headers=HTMX)

        assert "Tick vendors to link several" in text_of(bar)


class TestLinking:
    def confirm(self, client: Client, *pairs: str, **more: Any) -> Any:
        batch = more.pop("batch", uuid.uuid4())
        return client.post(at("link_vendors"), {"pair": pairs, "batch": batch}, **more)

    def test_what_was_shown_is_linked_and_each_link_has_its_outcome(
        self, maya: Client, harbor: Connection
    ) -> None:
        pairs = [pair_of(harbor), pair_of(harbor, "Zoom", "13")]
        preview = maya.get(at("link_vendors"), {"exact": "1"})
        assert preview.context["possible"] == 2

        answer = self.confirm(maya, *pairs, batch=preview.context["batch"])
        self.confirm(maya, *pairs, batch=preview.context["batch"])  # a second click

        assert VendorLink.objects.count() == 2
        page = text_of(maya.get(answer.url))
        assert "<strong>0 linked</strong>, 2 on the way, 0 refused" in page

    def test_one_row_is_linked_in_its_place(self, maya: Client, harbor: Connection) -> None:
        row = text_of(self.confirm(maya, pair_of(harbor), headers=HTMX))

        assert row.startswith("<tr")
        assert "To be linked" in row

    def test_nothing_chosen_says_what_to_do(self, maya: Client, harbor: Connection) -> None:
        answer = maya.post(at("link_vendors"), {}, follow=True)

        assert "Tick the vendors" in text_of(answer)

    def test_an_outcome_can_be_taken_along(self, maya: Client, harbor: Connection) -> None:
        batch = uuid.uuid4()
        vendor = RampVendorFactory.create(connection=harbor, name="=cmd|'x'!A1")
        VendorLinkFactory.create(
            ramp_vendor=vendor, batch=batch, state="refused", refusal="No.", trace_id="t-1"
        )

        table = maya.get(at("vendor_links", batch=batch), {"format": "csv"}).content.decode()

        assert "'=cmd" in table
        assert "t-1" in table

    def test_refused_ones_are_tried_again(self, maya: Client, harbor: Connection) -> None:
        batch = uuid.uuid4()
        VendorFactory.create(connection=harbor, erp_id="12")
        vendor = RampVendorFactory.create(connection=harbor)
        VendorLinkFactory.create(ramp_vendor=vendor, batch=batch, state="refused", refusal="No.")

        maya.post(at("link_again", batch=batch))

        assert VendorLink.objects.get().state == "wanted"

    def test_an_unchanged_list_of_links_is_left_alone(
        self, maya: Client, harbor: Connection
    ) -> None:
        batch = uuid.uuid4()
        VendorLinkFactory.create(
            ramp_vendor=RampVendorFactory.create(connection=harbor), batch=batch
        )
        page = maya.get(at("vendor_links", batch=batch))
        address = page.context["live_url"]

        assert maya.get(address, headers=HTMX).status_code == 204

    def test_another_customers_links_are_not_found(self, maya: Client, harbor: Connection) -> None:
        batch = uuid.uuid4()
        VendorLinkFactory.create(batch=batch)

        assert maya.get(at("vendor_links", batch=batch)).status_code == 404

    def test_a_manager_may_look_and_not_link(self, harbor: Connection) -> None:
        manager = another("mona", "manager")
        pair = pair_of(harbor)

        assert "pick-" not in manager.get(at("vendors")).content.decode()
        assert self.confirm(manager, pair).status_code == 403
        assert not VendorLink.objects.exists()


class TestAll:
    def test_finds_by_name_code_and_id_from_their_start(
        self, maya: Client, harbor: Connection
    ) -> None:
        VendorFactory.create(connection=harbor, erp_id="77", name="Uline", code="V-1003")
        VendorFactory.create(connection=harbor, erp_id="88", name="Not this one")

        for text in ("uli", "v-10", "77"):
            found = maya.get(at("vendors"), {"tab": "all", "q": text}).context["rows"]
            assert [vendor.erp_id for vendor, _, _ in found] == ["77"], text
        assert maya.get(at("vendors"), {"tab": "all", "q": "%"}).context["rows"] == []

    def test_goes_on_where_the_page_ended(self, maya: Client, harbor: Connection) -> None:
        for n in range(55):
            VendorFactory.create(connection=harbor, erp_id=str(n), name=f"Twin {n // 20}")

        first = maya.get(at("vendors"), {"tab": "all", "q": "twin"})
        rest = maya.get(
            at("vendors"), {"tab": "all", "q": "twin", "after": first.context["page"].next}
        )

        ids = [v.erp_id for page in (first, rest) for v, _, _ in page.context["rows"]]
        assert sorted(ids, key=int) == [str(n) for n in range(55)]

    def test_shows_what_ramp_alone_has(self, maya: Client, harbor: Connection) -> None:
        RampVendorFactory.create(connection=harbor, name="Uline")

        assert "In Ramp only" in text_of(maya.get(at("vendors"), {"tab": "all", "q": "uli"}))


class TestDuplicates:
    def make(self, connection: Connection) -> None:
        for erp_id, name in (("1", "Royal Cup"), ("2", "ROYAL CUP, INC.")):
            VendorFactory.create(connection=connection, erp_id=erp_id, name=name)

    def test_are_kept_separate_and_taken_back(self, maya: Client, harbor: Connection) -> None:
        self.make(harbor)
        assert "Keep separate" in text_of(maya.get(at("vendors"), {"tab": "duplicates"}))

        kept = maya.post(at("keep_vendors_separate"), {"erp_id": ["1", "2"]}, headers=HTMX)
        assert "Take back" in text_of(kept)
        assert SeparateVendors.objects.get().actor == "maya"
        assert "No two vendors look alike" in text_of(
            maya.get(at("vendors"), {"tab": "duplicates"})
        )

        maya.post(at("take_back_separate"), {"erp_id": ["1", "2"]})
        assert not SeparateVendors.objects.exists()

    def test_one_alone_cannot_be_kept_separate(self, maya: Client, harbor: Connection) -> None:
        self.make(harbor)

        answer = maya.post(at("keep_vendors_separate"), {"erp_id": ["1", "99"]}, headers=HTMX)

        assert answer.status_code == 422
        assert "two vendors at least" in text_of(answer)


class TestChanges:
    @pytest.fixture
    def change(self, harbor: Connection) -> VendorChange:
        vendor = VendorFactory.create(
            connection=harbor, erp_id="12", name="Uline", bank_digest="a", bank_hint="…4421"
        )
        changes.find_bank_changes(harbor)
        vendor.bank_digest, vendor.bank_hint = "b", "…9007"
        vendor.save(update_fields=["bank_digest", "bank_hint"])
        changes.find_bank_changes(harbor)
        return VendorChange.objects.get()

    def act(self, client: Client, change: VendorChange, act: str, reason: str = "", **more: Any):  # type: ignore[no-untyped-def]
        change.refresh_from_db()
        seen = more.pop("seen", change.found_at.isoformat())
        prefix = f"{act}-{change.pk}"
        return client.post(
            at("decide_vendor_change", pk=change.pk, act=act),
            {f"{prefix}-reason": reason, f"{prefix}-seen": seen},
            headers=HTMX,
        )

    def test_one_checks_and_another_accepts(
        self, maya: Client, harbor: Connection, change: VendorChange
    ) -> None:
        checked = text_of(self.act(maya, change, "check", "Called them."))
        assert "Waits for a second person" in checked
        assert "Somebody else must accept it" in checked

        alone = self.act(maya, change, "accept")
        assert alone.status_code == 422
        assert "A second person must accept it." in text_of(alone)

        accepted = self.act(another("tomas"), change, "accept")
        assert accepted.status_code == 200
        change.refresh_from_db()
        assert (change.checked_by, change.decided_by) == ("maya", "tomas")

    def test_a_reason_is_asked_for(self, maya: Client, change: VendorChange) -> None:
        answer = self.act(maya, change, "check")

        assert answer.status_code == 422
        assert "Say how you know." in text_of(answer)
        change.refresh_from_db()
        assert change.state == "found"

    def test_an_old_page_decides_nothing(self, maya: Client, change: VendorChange) -> None:
        answer = self.act(maya, change, "reject", "No.", seen="2020-01-01T00:00:00+00:00")

        assert answer.status_code == 422
        assert "changed it again meanwhile" in text_of(answer)

    def test_works_without_htmx(self, maya: Client, change: VendorChange) -> None:
        prefix = f"reject-{change.pk}"
        answer = maya.post(
            at("decide_vendor_change", pk=change.pk, act="reject"),
            {f"{prefix}-reason": "Fraud.", f"{prefix}-seen": change.found_at.isoformat()},
            follow=True,
        )

        assert "Rejected." in text_of(answer)
        assert "Fraud." in text_of(answer)

    def test_another_customers_change_is_not_found(self, maya: Client, harbor: Connection) -> None:
        assert self.act(maya, VendorChangeFactory.create(), "reject", "No.").status_code == 404


class TestMerchants:
    def test_one_is_told_which_vendor_it_is(self, maya: Client, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, erp_id="12", name="Figma, Inc.")
        creation = VendorCreationFactory.create(connection=harbor, name="FIGMA", stuck=True)
        assert "It is this one" in text_of(maya.get(at("vendors"), {"tab": "changes"}))

        maya.post(at("decide_creation", pk=creation.pk), {"erp_id": "12"})

        creation.refresh_from_db()
        assert (creation.erp_id, creation.decided_by) == ("12", "maya")
        again = maya.post(at("decide_creation", pk=creation.pk), {"own": "1"}, follow=True)
        assert "decided this already" in text_of(again)

    def test_another_customers_is_not_found(self, maya: Client, harbor: Connection) -> None:
        stranger = VendorCreationFactory.create(stuck=True)

        assert maya.post(at("decide_creation", pk=stranger.pk)).status_code == 404


class TestConflicts:
    def test_say_where_two_differ_and_who_is_right(self, maya: Client, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, erp_id="12", name="Uline", country="US")
        RampVendorFactory.create(
            connection=harbor, name="Uline, Inc.", linked_erp_id="12", country="CA"
        )

        page = text_of(maya.get(at("vendors"), {"tab": "conflicts"}))

        assert "Change it in Ramp." in page
        maya.post(at("own_vendor_field"), {"field": "country", "owner": "ramp"})
        assert FieldOwner.objects.get().actor == "maya"
        page = text_of(maya.get(at("vendors"), {"tab": "conflicts"}))
        assert "Change it in Tryton." in page

    def test_show_links_that_lead_nowhere(self, maya: Client, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, erp_id="12", is_active=False)
        RampVendorFactory.create(connection=harbor, linked_erp_id="12")
        RampVendorFactory.create(connection=harbor, linked_erp_id="nobody")

        page = text_of(maya.get(at("vendors"), {"tab": "conflicts"}))

        assert "is inactive in the ERP" in page
        assert "is not in the ERP" in page

    def test_a_field_without_a_choice_has_none(self, maya: Client, harbor: Connection) -> None:
        maya.post(at("own_vendor_field"), {"field": "bank", "owner": "erp"})

        assert not FieldOwner.objects.exists()


class TestIdentity:
    def test_shows_every_side_of_a_vendor(self, maya: Client, harbor: Connection) -> None:
        EntityFactory.create(connection=harbor)
        EntityFactory.create(connection=harbor, name="Roastery", is_primary=False)
        VendorFactory.create(connection=harbor, erp_id="12", name="GitHub, Inc.", code="V-1")
        RampVendorFactory.create(
            connection=harbor, name="GitHub", linked_erp_id="12", merchant_id="m"
        )
        VendorCreationFactory.create(connection=harbor, merchant_id="m", name="GITHUB.COM")
        SyncItemFactory.create(connection=harbor, label="GitHub")

        page = text_of(maya.get(at("vendor", key="12")))

        for words in ("GITHUB.COM", "GitHub, Inc.", "V-1", "Roastery", "Newest items"):
            assert words in page

    def test_is_found_by_ramps_id_too(self, maya: Client, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, erp_id="12", name="GitHub, Inc.")
        linked = RampVendorFactory.create(connection=harbor, linked_erp_id="12")

        assert "GitHub, Inc." in text_of(maya.get(at("vendor", key=linked.ramp_id)))

    def test_of_an_unlinked_one_offers_whom_to_link(self, maya: Client, harbor: Connection) -> None:
        pair_of(harbor)
        VendorFactory.create(connection=harbor, erp_id="99", name="Zebra")
        vendor = RampVendor.objects.get()

        page = text_of(maya.get(at("vendor", key=vendor.ramp_id), {"q": "zeb"}))

        assert "same name but for spelling" in page
        assert f"{vendor.pk}:99" in page

    def test_tells_what_happened(self, maya: Client, harbor: Connection) -> None:
        maya.post(at("link_vendors"), {"pair": pair_of(harbor), "batch": uuid.uuid4()})

        page = text_of(maya.get(at("vendor", key="12")))

        assert "<strong>maya</strong> wished the link to 12" in page

    def test_a_merged_one_leads_to_its_heir(self, maya: Client, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, erp_id="1", merged_into="2", is_active=False)
        VendorFactory.create(connection=harbor, erp_id="2")
        following.follow_erp(harbor)

        page = maya.get(at("vendor", key="1"))

        assert page.context["heir"] == "2"

    def test_takes_few_statements(self, maya: Client, harbor: Connection) -> None:
        pair_of(harbor)
        RampVendorFactory.create(connection=harbor, linked_erp_id="12")
        maya.get(at("vendors"))

        for key in ("12", RampVendor.objects.get(linked_erp_id="").ramp_id):
            with CaptureQueriesContext(database) as queries:
                maya.get(at("vendor", key=key))
            assert len(queries) <= 20, len(queries)

    @pytest.mark.parametrize("key", ["nobody", "7b3d0f7e-5d5c-4a0e-9b0e-3a4c5d6e7f80"])
    def test_nobody_is_not_found(self, maya: Client, harbor: Connection, key: str) -> None:
        assert maya.get(at("vendor", key=key)).status_code == 404

    def test_another_customers_vendor_is_not_found(self, maya: Client, harbor: Connection) -> None:
        stranger = RampVendorFactory.create(connection=ConnectionFactory.create())

        assert maya.get(at("vendor", key=stranger.ramp_id)).status_code == 404


def test_names_never_become_markup(maya: Client, harbor: Connection) -> None:
    evil = "<img src=x onerror=alert(1)>"
    VendorFactory.create(connection=harbor, erp_id="12", name=evil, code=evil)
    RampVendorFactory.create(connection=harbor, name=evil)

    for tab in ("unlinked", "all", "duplicates"):
        assert evil not in maya.get(at("vendors"), {"tab": tab}).content.decode()
    assert evil not in maya.get(at("vendor", key="12")).content.decode()


class TestNonsense:
    @pytest.mark.parametrize("tab", ["unlinked", "all", "duplicates", "conflicts"])
    @pytest.mark.parametrize(
        "cursor", ["9" * 5000, f"{'9' * 5000}~{'9' * 5000}", f"{'9' * 30}~a", "²~²", "~"]
    )
    def test_in_a_cursor_is_the_first_page_or_an_empty_one(
        self, maya: Client, harbor: Connection, tab: str, cursor: str
    ) -> None:
        pair_of(harbor)

        assert maya.get(at("vendors"), {"tab": tab, "after": cursor}).status_code == 200

    @pytest.mark.parametrize("where", ["?q=%00", "%00/", "links/%00/"])
    def test_with_a_nul_character_is_a_bad_request(
        self, maya: Client, harbor: Connection, where: str
    ) -> None:
        assert maya.get(at("vendors") + where).status_code in (400, 404)

    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_about_another_customers_vendor_links_nothing(
        self, maya: Client, harbor: Connection, headers: dict[str, str]
    ) -> None:
        pair = pair_of(ConnectionFactory.create())

        answer = maya.post(
            at("link_vendors"), {"pair": pair, "batch": str(uuid.uuid4())}, headers=headers
        )

        assert answer["Location"] == at("vendors")
        assert not VendorLink.objects.exists()

    def test_in_what_is_ticked_is_left_out(self, maya: Client, harbor: Connection) -> None:
        answer = maya.post(at("pick_vendors"), {"of": "9" * 5000, "pair": "9" * 5000})

        assert answer.status_code == 302

    def test_about_where_one_came_from_leads_to_the_list(
        self, maya: Client, harbor: Connection
    ) -> None:
        answer = maya.post(at("take_back_separate"), {"of": "a\nb"})

        assert answer["Location"].startswith(at("vendors"))


class TestReadNow:
    def test_puts_a_customer_on_the_schedule_that_was_not_on_it(
        self, maya: Client, harbor: Connection
    ) -> None:
        maya.post(at("read_vendors"))

        assert Mirror.objects.get().asked_by == "maya"

    def test_is_refused_for_a_customer_that_is_disconnected(
        self, maya: Client, harbor: Connection
    ) -> None:
        Connection.objects.update(stage=Connection.Stage.CLOSED)

        assert "Nothing is read any more" in text_of(maya.post(at("read_vendors"), follow=True))
        assert not Mirror.objects.exists()
