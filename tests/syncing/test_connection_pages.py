"""Who may do what on a connection's pages, and what they cost."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections import secrets
from connections.models import AuditLine, Chore, Connection, Credential, HealthCheck
from tests.browser import settings_stories
from tests.factories import ConnectionFactory, UserFactory, now

pytestmark = pytest.mark.django_db

NEW = {
    "name": "Harbor Coffee Roasters",
    "provider_name": "rampbridge",
    "erp_name": "Tryton",
    "time_zone": "America/Los_Angeles",
    "object_types": ["transaction", "bill"],
    "ramp-client_id": "an-id-9f3c",
    "ramp-client_secret": "hush",
    "erp_kind": "tryton",
    "erp-url": "https://tryton.example.com/",
    "erp-database": "books",
    "erp-login": "rampbridge",
    "erp-password": "open sesame",
}


def signed_in(client: Client, role: str) -> Client:
    client.force_login(UserFactory.create(roles=[role]))
    return client


class TestNewCustomer:
    def test_is_kept_with_its_secrets_sealed_and_both_sides_are_asked(self, client: Client) -> None:
        answer = signed_in(client, "implementer").post(reverse("onboarding_start"), NEW)

        connection = Connection.objects.get()
        assert answer["Location"] == reverse("onboarding", args=["harbor-coffee-roasters"])
        assert connection.object_types == ["transaction", "bill"]
        assert connection.stage == Connection.Stage.SETTING_UP
        assert secrets.credential(connection, Credential.Side.ERP) == {
            "url": "https://tryton.example.com",
            "database": "books",
            "login": "rampbridge",
            "password": "open sesame",
        }
        assert Chore.objects.get().kind == Chore.Kind.CHECK

    def test_a_form_that_is_sent_twice_makes_one_customer(self, client: Client) -> None:
        form = signed_in(client, "implementer").get(reverse("onboarding_start"))
        key = form.content.decode().split('name="key" value="')[1].split('"')[0]

        answers = [client.post(reverse("onboarding_start"), {**NEW, "key": key}) for _ in range(2)]

        assert Connection.objects.get().pk == uuid.UUID(key)
        assert {answer["Location"] for answer in answers} == {
            reverse("onboarding", args=["harbor-coffee-roasters"])
        }

    def test_a_name_that_is_taken_at_the_same_moment_gets_another_address(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ConnectionFactory.create(slug="taken")
        slugs = iter(["taken", "free"])
        monkeypatch.setattr("syncing.views.onboarding.free_slug", lambda _name: next(slugs))

        signed_in(client, "implementer").post(reverse("onboarding_start"), NEW)

        assert Connection.objects.filter(slug="free").exists()

    def test_two_of_one_name_have_addresses_of_their_own(self, client: Client) -> None:
        signed_in(client, "implementer")
        for _ in range(2):
            client.post(reverse("onboarding_start"), NEW)
        client.post(reverse("onboarding_start"), {**NEW, "name": "New"})

        slugs = sorted(Connection.objects.values_list("slug", flat=True))
        assert slugs == ["harbor-coffee-roasters", "harbor-coffee-roasters-2", "new-2"]

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"erp-url": "http://10.0.0.7"}, "The address must begin with https://."),
            ({"erp-url": "https://169.254.169.254/"}, "own network"),
            ({"name": " "}, "Enter the customer&#x27;s name"),
            ({"ramp-client_secret": ""}, "Copy the client secret"),
            ({"object_types": []}, "Choose at least one type"),
        ],
    )
    def test_says_what_is_wrong_and_gives_no_secret_back(
        self, client: Client, changes: dict[str, Any], words: str
    ) -> None:
        answer = signed_in(client, "implementer").post(
            reverse("onboarding_start"), {**NEW, **changes}
        )

        html = answer.content.decode()
        assert answer.status_code == 422
        assert words in html
        assert "open sesame" not in html
        assert 'value="books"' in html
        assert not Connection.objects.exists()


class TestWhoMayDoWhat:
    @pytest.mark.parametrize("role", ["support", "manager"])
    def test_only_those_who_connect_change_anything(self, client: Client, role: str) -> None:
        connection = ConnectionFactory.create()
        signed_in(client, role)
        slug = connection.slug

        for name, *rest in (
            ("onboarding_start",),
            ("edit_basics", slug),
            ("new_credentials", slug, "ramp"),
            ("disconnect", slug),
            ("turn_switch", slug, "vendor_credits_enabled"),
            ("ask", slug, "seat"),
            ("read_chart", slug),
        ):
            assert client.post(reverse(name, args=rest)).status_code == 403, name
        assert not Chore.objects.exists()
        assert client.get(reverse("connection_settings", args=[slug])).status_code == 200

    def test_support_may_have_both_sides_looked_at(self, client: Client) -> None:
        connection = ConnectionFactory.create()

        signed_in(client, "support").post(reverse("check_now", args=[connection.slug]))

        assert Chore.objects.get().kind == Chore.Kind.CHECK


class TestClosingWithoutRamp:
    @pytest.fixture
    def shut_out(self) -> Connection:
        connection: Connection = ConnectionFactory.create(name="Harbor")
        HealthCheck.objects.create(
            connection=connection, side="ramp", is_ok=False, title="Refused.", checked_at=now()
        )
        return connection

    def test_closes_with_a_reason_and_says_what_stays_in_ramp(
        self, client: Client, shut_out: Connection
    ) -> None:
        url = reverse("close_customer", args=[shut_out.slug])
        html = signed_in(client, "implementer").get(url).content.decode()
        assert "Danger Zone" in html

        client.post(url, {"typed": "Harbor", "reason": "They deleted our app."})

        shut_out.refresh_from_db()
        assert shut_out.stage == Connection.Stage.CLOSED
        audit = AuditLine.objects.get()
        assert audit.act == "connection.close_here"
        assert "They deleted our app." in audit.text

    @pytest.mark.parametrize("entered", [{"typed": "Harbor"}, {"reason": "?", "typed": "Harbour"}])
    def test_wants_the_name_and_a_reason(
        self, client: Client, shut_out: Connection, entered: dict[str, str]
    ) -> None:
        url = reverse("close_customer", args=[shut_out.slug])

        answer = signed_in(client, "implementer").post(url, entered)

        shut_out.refresh_from_db()
        assert (answer.status_code, shut_out.stage) == (422, Connection.Stage.LIVE)

    def test_is_not_offered_while_ramp_can_be_told(self, client: Client) -> None:
        connection = ConnectionFactory.create(name="Harbor")

        signed_in(client, "implementer").post(
            reverse("close_customer", args=[connection.slug]), {"typed": "Harbor", "reason": "?"}
        )

        connection.refresh_from_db()
        assert connection.stage == Connection.Stage.LIVE


class TestSettings:
    def test_take_few_statements_however_much_has_happened(
        self, client: Client, django_assert_max_num_queries: Any
    ) -> None:
        connection = settings_stories.ill()
        signed_in(client, "implementer")

        with django_assert_max_num_queries(22):
            answer = client.get(reverse("connection_settings", args=[connection.slug]))

        assert answer.status_code == 200

    def test_a_closed_customer_can_be_read_and_not_changed(self, client: Client) -> None:
        connection = settings_stories.well()
        Connection.objects.update(stage=Connection.Stage.CLOSED)
        signed_in(client, "implementer")

        html = client.get(reverse("connection_settings", args=[connection.slug])).content.decode()

        assert "Disconnected. Nothing is synced any more" in html
        assert "Danger zone" not in html
        for what in ("seat", "webhook", "live"):
            answer = client.post(reverse("ask", args=[connection.slug, what]))
            assert answer.status_code == 404

    def test_a_poll_hears_nothing_until_something_changed(self, client: Client) -> None:
        connection = settings_stories.well()
        signed_in(client, "implementer")
        page = client.get(reverse("connection_settings", args=[connection.slug])).content.decode()
        live = page.split("data-poll")[1].split('hx-get="')[1].split('"')[0]

        assert client.get(live, headers={"HX-Request": "true"}).status_code == 204
        client.post(reverse("turn_switch", args=[connection.slug, "vendor_credits_enabled"]))
        assert client.get(live, headers={"HX-Request": "true"}).status_code == 200


@pytest.mark.parametrize(
    ("page", "more"),
    [
        ("check_now", {}),
        ("edit_basics", {}),
        ("turn_switch", {"name": "vendor_credits_enabled"}),
        ("new_credentials", {"side": "erp"}),
        ("ask", {"what": "live"}),
    ],
)
def test_nothing_is_changed_of_a_customer_that_is_disconnected(
    client: Client, page: str, more: dict[str, str]
) -> None:
    connection = ConnectionFactory.create(stage="closed")
    address = reverse(page, kwargs={"slug": connection.slug, **more})

    answer = signed_in(client, "admin").post(address, {"on": "yes"})

    assert answer.status_code == 404
    assert not Chore.objects.exists()


class TestAWayOut:
    """Whatever a step waits for, somebody can do something about it."""

    def page(self, client: Client, connection: Connection) -> str:
        address = reverse("onboarding", args=[connection.slug])
        return signed_in(client, "implementer").get(address).content.decode()

    def test_of_missing_credentials(self, client: Client) -> None:
        assert 'id="credentials-missing"' in self.page(client, ConnectionFactory.create())

    def test_of_a_webhook_that_ramp_never_verified(self, client: Client) -> None:
        connection = seated()
        connection.subscriptions.create(status="pending")

        assert 'id="ask-webhook"' in self.page(client, connection)

    def test_of_entities_that_were_never_read(self, client: Client) -> None:
        assert 'id="check-entities"' in self.page(client, seated())


def seated() -> Connection:
    """A customer whose seat is ours, and of whom nothing else is known."""
    connection: Connection = ConnectionFactory.create(
        stage="setting_up", ramp_connection_id=uuid.uuid4()
    )
    for side in Credential.Side:
        secrets.keep_credential(connection, side, {"login": "x"})
        HealthCheck.objects.create(
            connection=connection, side=side, is_ok=True, checked_at=connection.created_at
        )
    return connection
