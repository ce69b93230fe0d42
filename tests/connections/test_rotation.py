import base64
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import BinaryField
from pytest_django import Settings

from connections import rotation, secrets
from connections.clients import SharedTokens
from connections.models import Chore, Connection, Credential, RampToken, WebhookSubscription
from connections.ramp.auth import AccessToken
from connections.upkeep import chores
from rampbridge.lib import encryption
from tests.connections.world import new_connection

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OLD = {"2025": base64.b64encode(b"o" * 32).decode()}
NEW = {"2026": base64.b64encode(b"n" * 32).decode()}
ERP = {"login": "rampbridge", "password": "open sesame"}
TOKEN = AccessToken("ramp_business_tok_1", frozenset(), NOW, NOW + timedelta(days=10))


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = OLD


@pytest.fixture
def customer() -> Connection:
    """A customer with a secret in every place that keeps one, all under the old key."""
    connection = new_connection()
    secrets.keep_credential(connection, Credential.Side.RAMP, {"client_secret": "hush"})
    secrets.keep_credential(connection, Credential.Side.ERP, ERP)
    SharedTokens(connection).save(TOKEN)
    subscription = WebhookSubscription.objects.create(
        connection=connection, previous_secret_until=NOW + timedelta(hours=1)
    )
    secrets.keep_webhook_secret(subscription, "ramp_sec_new")
    secrets.keep_webhook_header(subscription, "our own header")
    subscription.sealed_previous_secret = encryption.seal(
        b"ramp_sec_old", context=secrets.context_of(subscription, "sealed_previous_secret")
    )
    subscription.save()
    new = {"login": "rampbridge", "password": "not checked yet"}
    chores.want(connection, Chore.Kind.CREDENTIAL, actor="maya", about="erp", secret=new)
    return connection


def rotate() -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def rewrapped() -> int:
    return sum(done.rewrapped for done in rotation.rotate())


def columns_named_sealed() -> set[tuple[type, str]]:
    return {
        (model, field.name)
        for model in apps.get_models()
        if not model._meta.proxy
        for field in model._meta.get_fields()
        if isinstance(field, BinaryField) and field.name.startswith("sealed")
    }


class TestRotation:
    def test_lets_the_old_key_be_removed(self, customer: Connection, settings: Settings) -> None:
        settings.ENCRYPTION_KEYS = NEW | OLD
        rotate()
        settings.ENCRYPTION_KEYS = NEW

        assert secrets.credential(customer, Credential.Side.ERP) == ERP
        assert secrets.credential(customer, Credential.Side.RAMP) == {"client_secret": "hush"}
        assert SharedTokens(customer).load() == TOKEN
        subscription = customer.subscriptions.get()
        assert secrets.webhook_secrets(subscription, now=NOW) == ["ramp_sec_new", "ramp_sec_old"]
        assert secrets.webhook_header(subscription) == "our own header"

    def test_changes_nothing_the_second_time(
        self, customer: Connection, settings: Settings
    ) -> None:
        settings.ENCRYPTION_KEYS = NEW | OLD

        assert rewrapped() == 7
        assert rewrapped() == 0

    def test_changes_nothing_while_the_old_key_is_still_the_first(
        self, customer: Connection, settings: Settings
    ) -> None:
        settings.ENCRYPTION_KEYS = OLD | NEW

        assert rewrapped() == 0

    def test_knows_every_column_of_secrets(self) -> None:
        assert set(secrets.SEALED_COLUMNS) == columns_named_sealed()

    def test_leaves_columns_without_a_secret_empty(self, settings: Settings) -> None:
        subscription = WebhookSubscription.objects.create(connection=new_connection())
        settings.ENCRYPTION_KEYS = NEW | OLD

        assert rewrapped() == 0
        subscription.refresh_from_db()
        assert bytes(subscription.sealed_secret) == b""

    def test_does_not_look_like_a_change_of_the_credential(
        self, customer: Connection, settings: Settings
    ) -> None:
        before = dict(Credential.objects.values_list("pk", "updated_at"))
        settings.ENCRYPTION_KEYS = NEW | OLD

        rotate()

        assert dict(Credential.objects.values_list("pk", "updated_at")) == before


class TestUnderLoad:
    def test_keeps_a_secret_that_is_saved_meanwhile(
        self, customer: Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Someone who still seals with the old key saves between our reading and writing."""
        settings.ENCRYPTION_KEYS = NEW | OLD
        overtaken = iter([True])
        rewrap = encryption.rewrap

        def rewrap_and_be_overtaken(blob: bytes, *, context: str) -> bytes:
            fresh = rewrap(blob, context=context)
            if next(overtaken, False):
                settings.ENCRYPTION_KEYS = OLD | NEW
                secrets.keep_credential(
                    customer, Credential.Side.RAMP, {"client_secret": "changed"}
                )
                settings.ENCRYPTION_KEYS = NEW | OLD
            return fresh

        monkeypatch.setattr(encryption, "rewrap", rewrap_and_be_overtaken)

        rotate()

        settings.ENCRYPTION_KEYS = NEW
        assert secrets.credential(customer, Credential.Side.RAMP) == {"client_secret": "changed"}

    def test_lets_a_row_vanish(
        self, customer: Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ENCRYPTION_KEYS = NEW | OLD
        rewrap = encryption.rewrap

        def rewrap_and_lose(blob: bytes, *, context: str) -> bytes:
            RampToken.objects.all().delete()
            return rewrap(blob, context=context)

        monkeypatch.setattr(encryption, "rewrap", rewrap_and_lose)

        assert rewrapped() == 6


class TestTheCommand:
    def test_counts_and_says_which_key_is_no_longer_needed(
        self, customer: Connection, settings: Settings
    ) -> None:
        settings.ENCRYPTION_KEYS = NEW | OLD

        lines = [line.split() for line in rotate().splitlines()]

        assert lines[:3] == [
            ["Credential.sealed", "2", "rewrapped", "0", "current"],
            ["Chore.sealed", "1", "rewrapped", "0", "current"],
            ["RampToken.sealed", "1", "rewrapped", "0", "current"],
        ]
        assert " ".join(lines[-1]) == "Everything is under 2026. No longer needed: 2025."
        assert rotate().splitlines()[0].split()[1:] == ["0", "rewrapped", "2", "current"]

    def test_is_content_with_a_single_key(self) -> None:
        assert rotate().endswith("Everything is under 2025, the only key.\n")

    def test_names_what_no_key_opens_and_does_the_rest(
        self, customer: Connection, settings: Settings
    ) -> None:
        lost = Credential.objects.get(side=Credential.Side.ERP)
        settings.ENCRYPTION_KEYS = {"2024": base64.b64encode(b"l" * 32).decode()}
        secrets.keep_credential(customer, Credential.Side.ERP, ERP)
        settings.ENCRYPTION_KEYS = NEW | OLD

        with pytest.raises(
            CommandError, match=rf"1 could not be .*\n  Credential {lost.pk}: .*2024"
        ):
            rotate()

        settings.ENCRYPTION_KEYS = NEW
        assert SharedTokens(customer).load() == TOKEN

    def test_prints_no_secret(self, customer: Connection, settings: Settings) -> None:
        settings.ENCRYPTION_KEYS = NEW | OLD

        printed = rotate()

        assert not any(secret in printed for secret in ("sesame", "hush", "ramp_sec", "_tok_"))
