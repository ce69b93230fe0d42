"""The page of a customer's entities."""

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import ErpEntity
from tests.factories import ConnectionFactory, EntityFactory, UserFactory

pytestmark = pytest.mark.django_db


def page(client: Client, role: str, slug: str) -> str:
    client.force_login(UserFactory.create(roles=[role]))
    return client.get(reverse("customer_entities", args=[slug])).content.decode()


def test_says_which_company_each_is_and_which_nobody_has_mapped(client: Client) -> None:
    connection = ConnectionFactory.create(erp_name="Tryton")
    ErpEntity.objects.create(connection=connection, erp_id="7", name="Harbor Germany")
    mapped = EntityFactory.create(
        connection=connection, name="Harbor GmbH", erp_entity="7", is_mapped=True
    )
    EntityFactory.create(connection=connection, name="Harbor Inc", is_mapped=False)

    html = page(client, "implementer", connection.slug)

    assert "1 of 2 not mapped" in html
    assert "Harbor Germany" in html
    assert html.index("Harbor Inc") < html.index("Harbor GmbH")
    assert f"entity={mapped.ramp_id}" in html
    assert 'id="map-entities"' in html


def test_only_who_may_connect_is_offered_to_map(client: Client) -> None:
    connection = EntityFactory.create(is_mapped=False).connection

    assert 'id="map-entities"' not in page(client, "support", connection.slug)


def test_of_a_customer_without_any_says_why(client: Client) -> None:
    assert "No entity is known yet" in page(client, "support", ConnectionFactory.create().slug)
