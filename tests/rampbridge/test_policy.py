"""Every route says who may use it, and nobody else gets in."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from rampbridge.policy import (
    EVERYBODY,
    GRANTS,
    Permission,
    Role,
    can,
    create_groups,
    declared,
    roles_of,
)
from tests.factories import SyncItemFactory, UserFactory

MATRIX = {
    Permission.SEE: {"support", "implementer", "manager", "admin"},
    Permission.RETRY: {"support", "implementer", "admin"},
    Permission.PAUSE: {"support", "implementer", "manager", "admin"},
    Permission.RUN: {"support", "implementer", "admin"},
    Permission.CONNECT: {"implementer", "admin"},
    Permission.MAP: {"support", "implementer", "admin"},
    Permission.UPLOAD: {"support", "implementer", "admin"},
    Permission.LINK_VENDORS: {"support", "implementer", "admin"},
    Permission.HANDLE: {"support", "implementer", "manager", "admin"},
    Permission.SETTLE: {"support", "implementer", "admin"},
    Permission.RULE: {"implementer", "admin"},
    Permission.KEYS: {"implementer", "admin"},
    Permission.MIGRATE: {"implementer", "admin"},
    Permission.CLOSE: {"implementer", "manager", "admin"},
    Permission.APPROVE: {"implementer", "manager", "admin"},
    Permission.WATCH: {"implementer", "manager", "admin"},
}


def _routes(
    patterns: list[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            namespace = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from _routes(pattern.url_patterns, prefix + namespace)
        else:
            yield prefix + (pattern.name or ""), pattern


ROUTES = list(_routes(get_resolver().url_patterns))


# Old addresses that allauth keeps without a name. Nobody needs them, so they stay refused.
REFUSED = "social/"


def test_every_route_declares_who_may_use_it() -> None:
    undeclared = [
        name or str(pattern.pattern)
        for name, pattern in ROUTES
        if declared(pattern.callback, name) is None
    ]

    assert [name for name in undeclared if not name.startswith(REFUSED)] == []


@pytest.mark.django_db
def test_what_declares_nothing_is_refused(client: Client) -> None:
    client.force_login(UserFactory.create(roles=["admin"]))

    assert client.get("/accounts/social/signup/").status_code == 403


def test_the_table_of_permissions_is_the_one_we_agreed_on() -> None:
    assert {need: {role.value for role in roles} for need, roles in GRANTS.items()} == MATRIX


@pytest.mark.django_db
class TestRoles:
    @pytest.mark.parametrize("permission", Permission)
    @pytest.mark.parametrize("role", Role)
    def test_a_role_can_what_the_table_grants(self, role: Role, permission: Permission) -> None:
        user = UserFactory.create(roles=[role])

        assert can(user, permission) == (role in GRANTS[permission])

    def test_somebody_without_a_role_can_nothing(self) -> None:
        user = UserFactory.create()

        assert not any(can(user, permission) for permission in Permission)

    def test_nobody_signed_in_can_nothing(self) -> None:
        assert roles_of(AnonymousUser()) == frozenset()

    def test_a_disabled_person_loses_every_role(self) -> None:
        user = UserFactory.create(roles=["admin"], is_active=False)

        assert roles_of(user) == frozenset()

    def test_a_superuser_is_an_admin(self) -> None:
        user = UserFactory.create(is_superuser=True)

        assert roles_of(user) == {Role.ADMIN}

    def test_the_groups_exist_once_after_every_migrate(self) -> None:
        create_groups()

        assert set(Group.objects.values_list("name", flat=True)) == set(Role)


@pytest.mark.django_db
class TestRequests:
    def test_a_stranger_is_sent_to_the_sign_in(self, client: Client) -> None:
        response = client.get(reverse("items"))

        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login"))

    def test_somebody_without_a_role_reads_whom_to_ask(self, client: Client) -> None:
        client.force_login(UserFactory.create())

        response = client.get(reverse("overview"))

        assert response.status_code == 403
        assert "Your account has no role yet. Ask an admin" in response.content.decode()

    def test_a_manager_may_look_but_not_retry(self, client: Client) -> None:
        item = SyncItemFactory.create(failed=True)
        client.force_login(UserFactory.create(roles=["manager"]))

        assert client.get(reverse("item", args=[item.pk])).status_code == 200
        assert client.post(reverse("retry_item", args=[item.pk])).status_code == 403

    def test_a_demotion_counts_from_the_next_request(self, client: Client) -> None:
        user = UserFactory.create(roles=["support"])
        client.force_login(user)
        assert client.get(reverse("overview")).status_code == 200

        user.groups.clear()

        assert client.get(reverse("overview")).status_code == 403

    def test_health_needs_nobody(self, client: Client) -> None:
        assert client.get(reverse("healthz")).status_code == 200


def test_open_routes_are_only_those_we_mean() -> None:
    open_routes = {
        name for name, pattern in ROUTES if declared(pattern.callback, name) == EVERYBODY
    }

    assert not {name for name in open_routes if name in {"overview", "customers", "items", "item"}}
