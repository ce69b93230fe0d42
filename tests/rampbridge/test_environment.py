import base64
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from rampbridge.environment import Environment, read_environment
from tests.environment import TEST_ENVIRONMENT

COMPLETE = {
    **TEST_ENVIRONMENT,
    "DATABASE_URL": "postgresql://bridge:hidden-one@db.example/bridge?sslmode=require",
    "PUBLIC_URL": "https://bridge.example",
    "ALLOWED_HOSTS": "bridge.example, 10.0.0.1",
    "RAMP_API_URL": "https://api.ramp.com/",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which everything is as it should be."""
    for field in Environment.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


class TestReadEnvironment:
    def test_accepts_a_complete_one(self, environment: pytest.MonkeyPatch) -> None:
        env = read_environment()

        assert env.allowed_hosts == ["bridge.example", "10.0.0.1"]
        assert env.ramp_api_url == "https://api.ramp.com"
        assert env.is_https

    def test_names_everything_that_is_missing_at_once(
        self, environment: pytest.MonkeyPatch
    ) -> None:
        required = [
            *("DATABASE_URL", "REDIS_URL", "SECRET_KEY"),
            *("ENCRYPTION_KEYS", "ALLOWED_HOSTS", "PUBLIC_URL", "SUPPORT_CONTACT"),
        ]
        for name in required:
            environment.delenv(name)

        with pytest.raises(ImproperlyConfigured) as refusal:
            read_environment()

        assert [
            name for name in required if f"{name} is not set." in str(refusal.value)
        ] == required

    @pytest.mark.parametrize(
        ("name", "value", "reason"),
        [
            ("DATABASE_URL", "mysql:whatever", "no PostgreSQL address"),
            ("DATABASE_URL", "host=db", "names no database"),
            ("REDIS_URL", "amqp://broker", "no Redis address"),
            ("SECRET_KEY", "short", "at least 50"),
            ("SECRET_KEY", "a" * 60, "at least 50"),
            ("ENCRYPTION_KEYS", base64.b64encode(b"x" * 32).decode(), "NAME:KEY"),
            ("ENCRYPTION_KEYS", "k1:" + base64.b64encode(b"x" * 16).decode(), "32 bytes"),
            ("ENCRYPTION_KEYS", "k1:not base64", "32 bytes"),
            ("ENCRYPTION_KEYS", "", "NAME:KEY"),
            ("ALLOWED_HOSTS", "*", "forge links"),
            ("ALLOWED_HOSTS", " , ", "names no host"),
            ("PUBLIC_URL", "http://bridge.example", "https://"),
            ("RAMP_API_URL", "http://api.ramp.com", "https://"),
            ("WEBHOOK_BASE_URL", "ftp://127.0.0.1", "https://"),
            ("RECEIPT_HOSTS", "*", "list whole names"),
            ("RECEIPT_HOSTS", ".com", "list whole names"),
            ("RECEIPT_HOSTS", "https://receipts.ramp.com", "list whole names"),
            ("POLL_INTERVAL_SECONDS", "1", "greater than or equal to 10"),
            ("EMAIL_URL", "mail.example", "smtp://"),
            ("OIDC_CLIENT_ID", "rampbridge", "all three or none"),
            ("RAMPBRIDGE_FAILPOINT", "before_report", "kills processes"),
            ("RAMPBRIDGE_FAILPOINT", "before_lunch", "no failpoint 'before_lunch'"),
        ],
    )
    def test_refuses_what_is_unsafe_and_says_why(
        self, environment: pytest.MonkeyPatch, name: str, value: str, reason: str
    ) -> None:
        environment.setenv(name, value)

        with pytest.raises(ImproperlyConfigured) as refusal:
            read_environment()

        assert name in str(refusal.value)
        assert reason in str(refusal.value)

    def test_never_repeats_a_secret_in_its_refusal(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("SECRET_KEY", "canary-short")
        environment.setenv("DATABASE_URL", "canary:pw@host:port:what")
        environment.setenv("ENCRYPTION_KEYS", "k1:canary")

        with pytest.raises(ImproperlyConfigured) as refusal:
            read_environment()

        assert "canary" not in str(refusal.value)

    def test_reads_secrets_from_files(
        self, environment: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "secret_key").write_text("0123456789" * 6)
        environment.delenv("SECRET_KEY")
        environment.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

        assert read_environment().secret_key.get_secret_value() == "0123456789" * 6

    def test_lists_its_secrets_for_the_log_to_leave_out(
        self, environment: pytest.MonkeyPatch
    ) -> None:
        environment.setenv("REDIS_URL", "redis://:hidden-two@broker:6379/0")

        secrets = set(read_environment().secrets())

        assert {"hidden-one", "hidden-two", COMPLETE["SECRET_KEY"]} <= secrets
