"""Whoever is signed in comes with their roles."""

import pytest
from django.conf import settings
from django.contrib.auth import get_user, load_backend
from django.db import connection as database
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rampbridge.policy import Role, roles_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("backend", settings.AUTHENTICATION_BACKENDS)
def test_one_statement_reads_a_user_and_their_roles(backend: str) -> None:
    known = UserFactory.create(roles=["support", "manager"])

    with CaptureQueriesContext(database) as statements:
        user = load_backend(backend).get_user(known.pk)
        assert user is not None
        roles = roles_of(user)

    assert user == known
    assert roles == {Role.SUPPORT, Role.MANAGER}
    assert len(statements) == 1


@pytest.mark.parametrize("backend", settings.AUTHENTICATION_BACKENDS)
def test_nobody_without_a_group_has_a_role(backend: str) -> None:
    user = load_backend(backend).get_user(UserFactory.create(roles=[]).pk)

    assert user is not None
    assert roles_of(user) == frozenset()


@pytest.mark.parametrize("backend", settings.AUTHENTICATION_BACKENDS)
def test_whoever_has_left_is_signed_out(client: Client, backend: str) -> None:
    user = UserFactory.create(roles=["support"])
    client.force_login(user, backend=backend)
    request = HttpRequest()
    request.session = client.session
    assert get_user(request) == user

    user.is_active = False
    user.save(update_fields=["is_active"])

    assert not get_user(request).is_authenticated


def test_a_role_that_was_taken_away_is_gone_at_the_next_request(client: Client) -> None:
    user = UserFactory.create(roles=["support"])
    client.force_login(user)
    assert client.get("/items/").status_code == 200

    user.groups.clear()

    assert client.get("/items/").status_code == 403
