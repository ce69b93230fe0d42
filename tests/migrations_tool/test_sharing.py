"""The customer's links: unguessable, ending, and good for one answer only."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migrations_tool import services, sharing
from migrations_tool.models import (
    ConnectionMigration,
    Evidence,
    OldRecord,
    Report,
    Rule,
    ShareLink,
    Signature,
    StepRecord,
)
from migrations_tool.proofs import newest
from migrations_tool.reports_written.digests import digest_of
from migrations_tool.sharing import LinkGone
from migrations_tool.sharing.customer_page import page_of
from migrations_tool.steps import Path, Step
from migrations_tool.wizard import Refused
from rampbridge.logs import clean_text
from tests.factories import ConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def migration() -> ConnectionMigration:
    connection = ConnectionFactory.create(name="Harbor", ramp_provider_name="Tryton by rampbridge")
    return services.start(connection, path=Path.MIGRATION, actor="ines", now=timezone.now())


def made(migration: ConnectionMigration, purpose: str = "follow", **more: Any) -> str:
    more = {"given_to": "maria@example.com"} | more
    return sharing.make(migration, purpose, actor="ines", now=timezone.now(), **more)


def get(token: str) -> Any:
    return Client().get(reverse("migration_share", args=[token]))


def post(token: str, **said: str) -> Any:
    answered = {"name": "Maria", "email": "maria@example.com", "agrees": "on"} | said
    return Client().post(reverse("migration_share", args=[token]), answered)


class TestLinks:
    def test_only_the_hash_is_kept(self, migration: ConnectionMigration) -> None:
        token = made(migration)

        link = ShareLink.objects.get()
        assert len(token) >= 43  # 256 bits
        assert token not in str(vars(link))
        assert sharing.open_link(token, now=timezone.now()) == link

    @pytest.mark.parametrize("why", ["unknown", "ended", "revoked", "endless"])
    def test_one_that_leads_nowhere_says_so_and_no_more(
        self, migration: ConnectionMigration, why: str
    ) -> None:
        token = made(migration, days=1)
        if why == "ended":
            past = timezone.now() - timedelta(seconds=1)
            ShareLink.objects.update(expires_at=past)
        elif why == "revoked":
            sharing.revoke(ShareLink.objects.get(), actor="ines", now=timezone.now())
        else:
            token = "x" * (43 if why == "unknown" else 500)

        response = get(token)

        assert response.status_code == (410 if why in {"ended", "revoked"} else 404)
        assert "This link has ended" in response.content.decode()
        assert "Harbor" not in response.content.decode()
        with pytest.raises(LinkGone):
            sharing.open_link(token, now=timezone.now())

    def test_all_end_together(self, migration: ConnectionMigration) -> None:
        tokens = [made(migration), made(migration, "rules")]

        assert sharing.revoke_all(migration, actor="ines", now=timezone.now()) == 2
        assert {get(token).status_code for token in tokens} == {410}

    def test_a_token_is_in_no_log(self, migration: ConnectionMigration) -> None:
        token = made(migration)

        assert token not in clean_text(f"GET /m/{token}/")


class TestThePage:
    def test_needs_no_account_and_is_kept_nowhere(self, migration: ConnectionMigration) -> None:
        response = get(made(migration))

        assert response.status_code == 200
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "no-referrer"
        assert "noindex" in response["X-Robots-Tag"]
        assert "sessionid" not in response.cookies
        assert ShareLink.objects.get().last_seen_at is not None

    def test_names_the_exact_clicks_the_label_and_the_fields(
        self, migration: ConnectionMigration
    ) -> None:
        OldRecord.objects.create(
            migration=migration,
            kind="field",
            old_id="qbo-class",
            name="Class",
            state="mapped",
            erp_id="department",
            erp_name="Department",
        )

        page = get(made(migration)).content.decode()

        for told in ("Accounting", "Settings", "Danger Zone", "Switch Providers"):
            assert f"<strong>{told}</strong>" in page
        assert "Tryton by rampbridge</strong>" in page
        assert re.search(r"Class</td>.*?Department", page, re.DOTALL)

    def test_says_when_one_may_switch(self, migration: ConnectionMigration) -> None:
        token = made(migration)
        assert "Please do not switch yet" in get(token).content.decode()

        migration.marked_ready_at = timezone.now()
        migration.save(update_fields=["marked_ready_at"])

        page = get(token).content.decode()
        assert "You can switch now. Please do what is still open below first." in page
        assert "tone-done" not in page

    @pytest.mark.parametrize("name", ["Ines", ""])
    def test_questions_go_to_a_name_and_never_to_a_login(
        self, migration: ConnectionMigration, name: str
    ) -> None:
        UserFactory.create(username="ines", first_name=name, last_name="", email="i@us.example")
        migration.implementer = "ines"
        migration.save(update_fields=["implementer"])

        page = get(made(migration)).content.decode()

        whom = "Ines, i@us.example" if name else settings.SUPPORT_CONTACT
        assert f"Questions go to {whom}." in page

    def test_a_link_to_follow_answers_nothing(self, migration: ConnectionMigration) -> None:
        assert post(made(migration)).status_code == 200
        assert not Evidence.objects.exists()
        assert ShareLink.objects.get().used_at is None


class TestAnswers:
    def test_rules_are_confirmed_by_name_once(self, migration: ConnectionMigration) -> None:
        Rule.objects.create(
            migration=migration,
            kind="rule",
            name="Uber to Travel",
            entered_by="ines",
            entered_at=timezone.now(),
        )
        token = made(migration, "rules")
        assert "Uber to Travel" in get(token).content.decode()

        assert "Thank you" in post(token).content.decode()
        post(token, name="Somebody else")

        confirmed = Evidence.objects.get(code="rules.confirmed")
        assert confirmed.by == "Maria"

    def test_without_the_tick_nothing_is_confirmed(self, migration: ConnectionMigration) -> None:
        response = post(made(migration, "rules"), agrees="")

        assert response.status_code == 422
        assert "Tick this once you have read it" in response.content.decode()
        assert not Evidence.objects.exists()

    def test_a_report_that_has_changed_is_not_signed(self, migration: ConnectionMigration) -> None:
        facts = {"customer": "Harbor", "mapping_version": "b" * 64}
        Report.objects.create(
            migration=migration,
            kind="rehearsal",
            made_at=timezone.now(),
            made_by="ines",
            facts=facts,
            html="<p>What it would be</p>",
            digest=digest_of(facts),
        )
        token = made(migration, "sign")
        page = get(token).content.decode()
        assert digest_of(facts) in page
        assert "<p>What it would be</p>" in page

        response = post(token, report_hash="c" * 64)

        assert response.status_code == 422
        assert not migration.signatures.exists()
        assert ShareLink.objects.get().used_at is None

    def test_a_signature_under_an_older_report_is_asked_for_again(
        self, migration: ConnectionMigration
    ) -> None:
        Signature.objects.create(
            migration=migration,
            role="customer",
            name="Maria",
            at=timezone.now(),
            report_hash="a" * 64,
            mapping_version="b" * 64,
        )
        link = sharing.open_link(made(migration), now=timezone.now())

        def is_signed() -> bool:
            return next(one for one in page_of(link).to_dos if "Sign" in one.title).is_done

        assert not is_signed()
        link.migration.flipped_at = timezone.now()
        assert is_signed()

    def test_an_ended_migration_asks_nothing(self, migration: ConnectionMigration) -> None:
        token = made(migration, "rules")
        ConnectionMigration.objects.update(state="abandoned")

        assert "called off" in get(token).content.decode()
        post(token)
        assert newest(migration, "rules.confirmed") is None


class TestWhoAnswers:
    """Whoever made the link could open it too, and sign under any name."""

    def made_by(self, client: Client, migration: ConnectionMigration) -> str:
        client.force_login(UserFactory.create(username="ines", roles=["implementer"]))
        page = reverse("migration_links", args=[migration.pk])
        asked = {"purpose": "rules", "days": 14, "given_to": "maria@example.com"}
        shown = client.post(page, asked).content.decode()
        address = re.search(r"/m/([\w-]+)/", shown)
        assert address is not None, shown
        return address[1]

    def test_evidence_says_by_which_link_of_whom(
        self, migration: ConnectionMigration, client: Client
    ) -> None:
        token = self.made_by(client, migration)

        assert post(token).status_code == 200

        confirmed = Evidence.objects.get(code="rules.confirmed")
        assert "by the link given to maria@example.com by ines" in confirmed.text
        assert confirmed.inputs["made_by"] == "ines"

    def test_nobody_of_us_answers_while_signed_in(
        self, migration: ConnectionMigration, client: Client
    ) -> None:
        token = self.made_by(client, migration)
        other = Client()
        other.force_login(UserFactory.create(username="omar", roles=["support"]))
        for one, name in ((client, "ines"), (other, "omar")):
            answered = {"name": "Maria", "email": "maria@example.com", "agrees": "on"}
            response = one.post(reverse("migration_share", args=[token]), answered)

            assert response.status_code == 422
            assert f"signed in here as {name}" in response.content.decode()
        assert not Evidence.objects.exists()
        assert ShareLink.objects.get().used_at is None

    def test_nor_signed_out_in_the_browser_that_made_it(
        self, migration: ConnectionMigration, client: Client
    ) -> None:
        token = self.made_by(client, migration)
        del client.cookies["sessionid"]

        answered = {"name": "Maria", "email": "maria@example.com", "agrees": "on"}
        response = client.post(reverse("migration_share", args=[token]), answered)

        assert response.status_code == 422
        assert "made in this browser" in response.content.decode()
        assert not Evidence.objects.exists()

    def test_a_link_to_answer_by_is_given_to_the_customer(
        self, migration: ConnectionMigration
    ) -> None:
        with pytest.raises(Refused, match="to which address"):
            made(migration, "sign", given_to="")
        UserFactory.create(email="Omar@us.example")
        with pytest.raises(Refused, match="works here"):
            made(migration, "sign", given_to="omar@us.example")


class TestForImplementers:
    def test_an_address_is_shown_once(self, migration: ConnectionMigration) -> None:
        client = Client()
        client.force_login(UserFactory.create(roles=["implementer"]))
        page = reverse("migration_links", args=[migration.pk])

        asked = {"purpose": "follow", "days": 14, "given_to": "maria@example.com"}
        first = client.post(page, asked).content.decode()
        address = re.search(r"/m/([\w-]+)/", first)

        assert address is not None
        assert get(address[1]).status_code == 200
        assert address[1] not in client.get(page).content.decode()

    def test_making_one_shows_at_the_step(self, migration: ConnectionMigration) -> None:
        before = StepRecord.objects.get(migration=migration, step=Step.FLIP).version

        made(migration)

        after = StepRecord.objects.get(migration=migration, step=Step.FLIP).version
        assert after == before + 1
