"""What a deployment must say about itself, read from the environment and checked at the start.

Every fault is found at once and named, so that a start is refused once and not five times. Each
name may also be a file in `$CREDENTIALS_DIRECTORY`, where systemd's LoadCredential puts secrets.
"""

import base64
import binascii
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from rampbridge.lib import failpoints

LOOPBACK = {"127.0.0.1", "::1", "localhost", "testserver"}
BROKER_SCHEMES = {"redis", "rediss", "redis+socket"}
KEY_BYTES = 32


def _comma_separated(value: object) -> object:
    return (
        [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, str)
        else value
    )


def _named_hosts(hosts: list[str]) -> list[str]:
    if not hosts:
        raise ValueError("names no host; list the names this service is reached by, with commas")
    if "*" in hosts:
        raise ValueError(
            "must name the hosts this service is reached by; * lets anyone forge links"
        )
    return hosts


def _file_hosts(hosts: list[str]) -> list[str]:
    for host in hosts:
        labels = host.removeprefix(".").split(".")
        if len(labels) < 2 or not all(label.replace("-", "").isalnum() for label in labels):
            raise ValueError(
                f"has {host!r}; list whole names, or .example.com for every host below it,"
                " with commas"
            )
    return hosts


def _long_enough(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if len(value) < 50 or len(set(value)) < 5:
        raise ValueError(
            "needs at least 50 random characters; make them with `openssl rand -base64 48`"
        )
    return secret


def _connection_string(value: SecretStr) -> SecretStr:
    try:
        parts = conninfo_to_dict(value.get_secret_value())
    except psycopg.ProgrammingError:
        raise ValueError(
            "is no PostgreSQL address; write postgresql://user:password@host/name"
        ) from None
    if not parts.get("dbname"):
        raise ValueError("names no database; write postgresql://user:password@host/name")
    return value


def _broker(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in BROKER_SCHEMES:
        raise ValueError("is no Redis address; write redis://host:6379/0, or rediss:// with TLS")
    return value


def _mail_server(value: SecretStr) -> SecretStr:
    url = urlsplit(value.get_secret_value())
    is_file = url.scheme == "file" and not url.hostname and url.path.startswith("/")
    if not is_file and (url.scheme not in {"smtp", "smtps"} or not url.hostname):
        raise ValueError("must be smtp://user:password@host:587 (STARTTLS) or smtps:// (TLS)")
    return value


def _sentry(value: SecretStr) -> SecretStr:
    url = urlsplit(value.get_secret_value())
    if url.scheme not in {"http", "https"} or not url.username or not url.path.strip("/"):
        raise ValueError("is no DSN of Sentry; copy it whole, as https://KEY@host/NUMBER")
    return value


def _heartbeat(value: SecretStr) -> SecretStr:
    _private_address(value.get_secret_value())
    return value


def _failpoints(value: str) -> str:
    failpoints.parse(value)
    return value


def _private_address(value: str) -> str:
    url = urlsplit(value)
    if url.scheme == "https" and url.hostname:
        return value.rstrip("/")
    if url.scheme == "http" and url.hostname in LOOPBACK:
        return value.rstrip("/")
    raise ValueError("must start with https:// (http:// is accepted for this machine itself only)")


def _keys(value: object) -> object:
    return dict(_key_pairs(value)) if isinstance(value, str) else value


def _key_pairs(value: str) -> Iterator[tuple[str, SecretStr]]:
    for pair in value.split(","):
        name, _, key = pair.strip().partition(":")
        try:
            length = len(base64.b64decode(key, validate=True))
        except binascii.Error:
            length = 0
        if not name or length != KEY_BYTES:
            raise ValueError(
                f"must be NAME:KEY,... with keys of {KEY_BYTES} bytes in base64, the newest first; "
                "make a key with `openssl rand -base64 32`"
            )
        yield name, SecretStr(key)


Address = Annotated[str, AfterValidator(_private_address)]


class Environment(BaseSettings):
    """The deployment's own words. Optional names have their defaults here and nowhere else."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: Annotated[SecretStr, AfterValidator(_connection_string)]
    redis_url: Annotated[SecretStr, AfterValidator(_broker)]
    secret_key: Annotated[SecretStr, AfterValidator(_long_enough)]
    encryption_keys: Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_keys)]
    allowed_hosts: Annotated[
        list[str], NoDecode, BeforeValidator(_comma_separated), AfterValidator(_named_hosts)
    ]
    public_url: Address
    support_contact: str = Field(min_length=3, max_length=120)
    webhook_base_url: Address | None = None
    trusted_proxy_count: int = Field(default=0, ge=0)

    ramp_api_url: Address = "https://api.ramp.com"
    ramp_egress: str = Field(default="default", min_length=1, max_length=100)
    receipt_hosts: Annotated[
        list[str], NoDecode, BeforeValidator(_comma_separated), AfterValidator(_file_hosts)
    ] = [".ramp.com"]
    """Where receipts and invoices may be downloaded from, beside Ramp's own address."""
    erp_private_hosts: Annotated[list[str], NoDecode, BeforeValidator(_comma_separated)] = []
    """ERPs that may be called although they are inside our network, or without TLS: by host."""
    poll_interval_seconds: int | None = Field(default=None, ge=10, le=86_400)
    """None: every two hours on weekdays and twelve at weekends, as Ramp recommends."""
    chart_read_seconds: int = Field(default=900, ge=10, le=86_400)
    """How often the ERP is asked what has changed in its chart, vendors and taxes."""
    chart_upload_seconds: int = Field(default=3600, ge=10, le=86_400)
    """How often that is uploaded to Ramp."""
    incident_customers: int = Field(default=5, ge=2, le=10_000)
    """At how many customers of one ERP the same trouble within minutes pauses them all."""
    outside_limit: Decimal = Field(default=Decimal(1000), ge=0, le=10**12)
    """Above this a second person must agree before an item is settled by hand, in whole units of
    the item's own currency."""

    release: str = Field(default="0.1.0", min_length=1, max_length=40)
    """What this program is a build of. Errors can be snoozed until another one runs."""

    metrics_port: int | None = Field(default=None, ge=0, le=65_535)
    """Where `manage.py serve_metrics` listens for Prometheus. None: nowhere."""
    metrics_host: str = Field(default="127.0.0.1", min_length=1)

    sentry_dsn: Annotated[SecretStr, AfterValidator(_sentry)] | None = None
    """Where faults of ours are reported. None: nowhere."""
    sentry_environment: str = Field(default="production", min_length=1, max_length=60)
    trace_others: bool = False
    """Whether Ramp and ERPs get our trace ids along with each request."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    email_url: Annotated[SecretStr, AfterValidator(_mail_server)] | None = None
    email_from: str = "rampbridge@localhost"

    alert_hosts: Annotated[
        list[str], NoDecode, BeforeValidator(_comma_separated), AfterValidator(_file_hosts)
    ] = ["hooks.slack.com"]
    """Where messages about alerts may be sent by webhook."""
    alert_heartbeat_url: Annotated[SecretStr, AfterValidator(_heartbeat)] | None = None
    """Called once a minute while somebody looks for alerts. None: nobody outside waits for it."""

    oidc_server_url: Address | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = "Single sign-on"

    rampbridge_failpoint: Annotated[str, AfterValidator(_failpoints)] = ""
    """Where tests kill this process; see `rampbridge.lib.failpoints`."""
    rampbridge_failpoint_log: Path | None = None

    @model_validator(mode="after")
    def _oidc_whole_or_not_at_all(self) -> Self:
        parts = (self.oidc_server_url, self.oidc_client_id, self.oidc_client_secret)
        if any(parts) and not all(parts):
            raise ValueError(
                "OIDC_SERVER_URL, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET: set all three or none"
            )
        return self

    @model_validator(mode="after")
    def _dies_by_order_only_in_tests(self) -> Self:
        if self.rampbridge_failpoint and self.is_https:
            raise ValueError(
                "RAMPBRIDGE_FAILPOINT kills processes and is for tests on this machine; unset it"
            )
        return self

    @model_validator(mode="after")
    def _mail_to_files_only_on_this_machine(self) -> Self:
        if self.is_https and self.email_url and _is_file(self.email_url):
            raise ValueError("EMAIL_URL names a directory, where nobody reads mail; name a server")
        return self

    @property
    def is_https(self) -> bool:
        """Whether people reach us over TLS. Only the demo and tests, on this machine, do not."""
        return self.public_url.startswith("https://")

    def secrets(self) -> Iterator[str]:
        """Every secret value the environment holds, for the log to leave out."""
        yield self.secret_key.get_secret_value()
        yield from (key.get_secret_value() for key in self.encryption_keys.values())
        yield from (part for url in (self.database_url, self.redis_url) for part in _password(url))
        if self.email_url:
            yield from _password(self.email_url)
        if self.alert_heartbeat_url:
            yield self.alert_heartbeat_url.get_secret_value()
        if self.oidc_client_secret:
            yield self.oidc_client_secret.get_secret_value()
        if self.sentry_dsn:
            yield str(urlsplit(self.sentry_dsn.get_secret_value()).username)


def _is_file(url: SecretStr) -> bool:
    return url.get_secret_value().startswith("file:")


def _password(url: SecretStr) -> Iterator[str]:
    text = url.get_secret_value()
    password = urlsplit(text).password if "://" in text else conninfo_to_dict(text).get("password")
    if password:
        yield str(password)


def read_environment() -> Environment:
    """The checked environment.

    :raises ImproperlyConfigured: naming everything that is missing or unsafe, and what to do
    """
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    options: dict[str, Any] = (
        {"_secrets_dir": directory} if directory and Path(directory).is_dir() else {}
    )
    try:
        return Environment(**options)
    except ValidationError as error:
        raise ImproperlyConfigured(_refusal(error)) from None


def _refusal(error: ValidationError) -> str:
    faults = [
        _fault(str(fault["loc"][0]) if fault["loc"] else "", fault) for fault in error.errors()
    ]
    lines = "\n".join(f"  - {fault}" for fault in faults)
    return (
        f"rampbridge does not start, because of its environment:\n{lines}\n"
        "On your own machine, ./run sets all of this: ./run demo, ./run test, or ./run and any "
        "manage.py command."
    )


def _fault(name: str, fault: Any) -> str:
    if fault["type"] == "missing":
        return f"{name.upper()} is not set."
    reason = str(fault["msg"]).removeprefix("Value error, ")
    return f"{name.upper()} {reason}.".lstrip()
