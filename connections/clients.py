"""Clients and adapters for one connection, with its credentials: never shared between customers."""

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection as database
from django.utils import timezone

from connections import egress, secrets
from connections.erp import addresses
from connections.erp.port import ErpAdapter
from connections.erp.registry import adapter_for
from connections.models import Connection, Credential, RampToken
from connections.ramp.auth import (
    AccessToken,
    ClientCredentials,
    MemoryTokenStore,
    TokenStore,
)
from connections.ramp.client import RampClient
from connections.ramp.files import FileStore, shared_store
from connections.ramp.rate_limit import Lane
from connections.ramp.transport import shared_http_client
from rampbridge.lib import encryption, failpoints
from rampbridge.lib.statements import execute

SCOPES = (
    "accounting:read",
    "accounting:write",
    "bills:read",
    "business:read",
    "cards:read",
    "cashbacks:read",
    "entities:read",
    "receipts:read",
    "reimbursements:read",
    "statements:read",
    "transactions:read",
    "transfers:read",
    "vendors:read",
    "vendors:write",
)
"""What this version calls. Ramp grants what the app has and leaves out the rest (contract C1)."""

_adapters: dict[tuple[int, str], tuple[datetime, ErpAdapter]] = {}
_adapters_lock = Lock()


def ramp_client(connection: Connection, *, lane: Lane = Lane.ORDINARY) -> RampClient:
    """A client that speaks for this customer only, on the process's long-lived HTTP client.

    :raises secrets.NoCredential: if the connection has no credentials for Ramp
    """
    secret = secrets.credential(connection, Credential.Side.RAMP)
    return _ramp_client(secret, SharedTokens(connection), lane)


def unproven_ramp_client(secret: Mapping[str, str]) -> RampClient:
    """A client with credentials that are not kept yet: nobody else gets its token."""
    return _ramp_client(secret, MemoryTokenStore(), Lane.ORDINARY)


def _ramp_client(secret: Mapping[str, str], store: TokenStore, lane: Lane) -> RampClient:
    auth = ClientCredentials(
        base_url=settings.RAMP_API_URL,
        client_id=secret["client_id"],
        client_secret=secret["client_secret"],
        scopes=SCOPES,
        store=store,
        clock=_clock,
    )
    http = shared_http_client(settings.RAMP_API_URL, egress.tokens(settings.RAMP_EGRESS))
    return RampClient(base_url=settings.RAMP_API_URL, auth=auth, http=http, lane=lane)


def erp_adapter(connection: Connection) -> ErpAdapter:
    """The adapter to this customer's ERP; kept by the process until its credentials change.

    :raises secrets.NoCredential: if the connection has no credentials for its ERP that may be used
    """
    row = secrets.credential_row(connection, Credential.Side.ERP)
    changed_at = row.updated_at if row else None
    key = (os.getpid(), str(connection.pk))
    with _adapters_lock:
        known = _adapters.get(key)
        if known and known[0] == changed_at:
            return known[1]
        secret = secrets.credential(connection, Credential.Side.ERP)
        adapter = new_adapter(connection.erp_kind, secret)
        _keep_address(connection, secret.get("url", ""))
        assert changed_at is not None  # the credential was just read
        _adapters[key] = (changed_at, adapter)
        return adapter


def _keep_address(connection: Connection, url: str) -> None:
    """Note which server it is, so that customers of one that hangs need not each find out."""
    if host := urlsplit(url).netloc.rpartition("@")[2].lower():
        execute(
            """
            INSERT INTO connections_erpaddress AS a (connection_id, host) VALUES (%s, %s)
            ON CONFLICT (connection_id) DO UPDATE SET host = excluded.host
            WHERE a.host <> excluded.host
            """,
            [connection.pk, host[:300]],
        )


def new_adapter(kind: str, secret: Mapping[str, str]) -> ErpAdapter:
    """An adapter with these settings, if their address may be called.

    :raises secrets.NoCredential: if it leads into our own network, in words
    """
    if url := secret.get("url"):
        try:
            addresses.check(url, allowed=settings.ERP_PRIVATE_HOSTS)
        except addresses.AddressRefused as refused:
            raise secrets.NoCredential(str(refused)) from refused
    return adapter_for(kind, secret)


def file_store() -> FileStore:
    """Where this process downloads receipts and invoices from."""
    return shared_store(settings.RAMP_API_URL, tuple(settings.RECEIPT_HOSTS))


class SharedTokens:
    """Ramp's token of one connection in its row, for all processes (faults T1 to T3)."""

    def __init__(self, connection: Connection) -> None:
        self._connection_id = connection.pk
        self._context = secrets.context_of(RampToken(connection_id=connection.pk), "sealed")
        self._known = connection.known_token

    def load(self) -> AccessToken | None:
        """The first time as it was read with the connection; whoever asks again wants news."""
        row, self._known = self._known, None
        row = row or RampToken.objects.filter(pk=self._connection_id).first()
        if row is None:
            return None
        value = json.loads(encryption.open_sealed(row.sealed, context=self._context))
        return AccessToken(value, frozenset(row.scopes.split()), row.minted_at, row.expires_at)

    def save(self, token: AccessToken) -> None:
        """Keep it, unless a newer one stands there already."""
        failpoints.hit("before_token_kept")
        sealed = encryption.seal(json.dumps(token.value).encode(), context=self._context)
        with database.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO connections_ramptoken AS t
                    (connection_id, sealed, scopes, expires_at, minted_at)
                VALUES (%s, %s, %s, %s, %s)
                ON CONFLICT (connection_id) DO UPDATE
                SET sealed = excluded.sealed, scopes = excluded.scopes,
                    expires_at = excluded.expires_at, minted_at = excluded.minted_at
                WHERE t.minted_at <= excluded.minted_at
                """,
                [
                    self._connection_id,
                    sealed,
                    " ".join(sorted(token.scopes)),
                    token.expires_at,
                    token.minted_at,
                ],
            )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """A lock of the session, not of a transaction: Ramp is called while it is held."""
        key = zlib.crc32(self._context.encode())
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [key])
        try:
            yield
        finally:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _clock() -> datetime:
    return timezone.now()  # noqa: TID251  the one clock that tokens run by
