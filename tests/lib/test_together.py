"""Several questions, one statement."""

from datetime import UTC, datetime

import pytest
from django.db import connection as database
from django.db.models import F, Model, QuerySet, Value
from django.test.utils import CaptureQueriesContext

from connections.models import Connection, HealthCheck, LedgerAccount, WebhookSubscription
from rampbridge.lib.together import together
from syncing.models import SyncItem
from tests.factories import (
    ConnectionFactory,
    LedgerAccountFactory,
    SyncItemFactory,
    WebhookSubscriptionFactory,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 31, 12, 0, 0, 123456, tzinfo=UTC)


def test_every_value_is_what_the_orm_reads() -> None:
    SyncItemFactory.create(ready_at=NOON, amount_minor=2**53 + 1, label="b\\c“ \n")
    LedgerAccountFactory.create()

    ConnectionFactory.create(tags=["a", "b"], object_types=["bill"])

    for found, model in zip(
        together(SyncItem.objects.all(), LedgerAccount.objects.all(), _customers()),
        (SyncItem, LedgerAccount, Connection),
        strict=True,
    ):
        (one,) = found
        assert _values(one) == _values(model._default_manager.get(pk=one.pk))


def _customers() -> QuerySet[Connection]:
    return Connection.objects.filter(tags=["a", "b"])


def _values(row: Model) -> list[object]:
    return [getattr(row, field.attname) for field in row._meta.concrete_fields]


def test_one_statement_reads_all_in_their_order() -> None:
    for code in ("6200", "6100", "6300"):
        LedgerAccountFactory.create(code=code)

    with CaptureQueriesContext(database) as statements:
        up, down, none = together(
            LedgerAccount.objects.order_by("code"),
            LedgerAccount.objects.order_by("-code")[:2],
            HealthCheck.objects.all(),
        )

    assert len(statements) == 1
    assert [one.code for one in up] == ["6100", "6200", "6300"]
    assert [one.code for one in down] == ["6300", "6200"]
    assert none == []


def test_annotations_come_along() -> None:
    LedgerAccountFactory.create(code="6100")

    (found,) = together(LedgerAccount.objects.annotate(twice=F("code"), one=Value(1)))

    assert (found[0].twice, found[0].one) == ("6100", 1)


def test_sealed_bytes_and_relations_are_refused() -> None:
    WebhookSubscriptionFactory.create()

    with pytest.raises(TypeError, match="Sealed"):
        together(WebhookSubscription.objects.all())
    with pytest.raises(TypeError, match="related"):
        together(LedgerAccount.objects.select_related("connection"))

    (found,) = together(WebhookSubscription.objects.only("status"))
    assert found[0].status == WebhookSubscription.objects.get().status
