"""Pages of migrations: who may do what, and what a page says that somebody else has overtaken."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migrations_tool import services
from migrations_tool.models import ConnectionMigration, StepRecord
from migrations_tool.steps import Path, Step
from tests.factories import ConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def migration() -> ConnectionMigration:
    return services.start(
        ConnectionFactory(), path=Path.MIGRATION, actor="ines", now=timezone.now()
    )


@pytest.fixture
def ines(client: Client) -> Client:
    client.force_login(UserFactory.create(username="ines", roles=["implementer"]))
    return client


@pytest.mark.parametrize("step", Step)
def test_every_step_has_its_page(ines: Client, migration: ConnectionMigration, step: Step) -> None:
    answer = ines.get(reverse("migration_step", args=[migration.pk, step]))

    assert answer.status_code == 200
    assert "Conditions" in answer.content.decode()


def test_the_list_and_the_start_have_theirs(ines: Client, migration: ConnectionMigration) -> None:
    assert migration.connection.name in ines.get(reverse("migrations")).content.decode()
    assert ines.get(reverse("migration_end", args=[migration.pk])).status_code == 200
    other = ConnectionFactory()
    assert ines.get(reverse("migration_start", args=[other.slug])).status_code == 200
    started = ines.post(reverse("migration_start", args=[other.slug]))
    assert started.status_code == 302
    assert ConnectionMigration.objects.filter(connection=other).exists()
