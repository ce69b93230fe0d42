"""The pages about the API, for `./run screens`."""

from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth.models import User
from playwright.sync_api import Page

from connections import api_tokens
from connections.api_tokens import Scope
from connections.models import ApiToken
from tests.browser.screens import Shot
from tests.factories import LONG_NAME, UserFactory, now


def keys() -> None:
    """Whoever looks at the screens has a key of every kind."""
    owner = User.objects.filter(username="maya.okafor").first() or UserFactory.create(
        username="maya.okafor", roles=["support", "implementer"]
    )
    for name, scopes, lasts, used in (
        ("Nightly report", [Scope.READ], 90, 3),
        ("Ticket system", [Scope.READ, Scope.HANDLE, Scope.RETRY], 365, 90),
        ("Month-end close", list(Scope), 9, None),
        (LONG_NAME[:80], list(Scope), 30, 60 * 24 * 12),
        ("Old dashboard", [Scope.READ], 30, 60 * 24 * 40),
    ):
        token, _ = api_tokens.make(
            owner=owner, name=name, scopes=scopes, lasts=timedelta(days=lasts), now=now()
        )
        at = now() - timedelta(minutes=used) if used else None
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=at)
    old = ApiToken.objects.get(name="Old dashboard")
    api_tokens.revoke(token=old, actor="maya.okafor", now=now() - timedelta(days=2))


def empty_shots() -> Iterator[Shot]:
    yield Shot("api-keys-empty", "/api-keys/")


def _make_nothing(page: Page) -> None:
    page.get_by_role("button", name="Make the key").click()


def _make_one(page: Page) -> None:
    page.get_by_label("Name").fill("Data warehouse")
    page.get_by_role("button", name="Make the key").click()
    ApiToken.objects.filter(name="Data warehouse").delete()  # the next variant makes it again


def shots() -> Iterator[Shot]:
    yield Shot("api-keys", "/api-keys/")
    yield Shot("api-keys-refused", "/api-keys/", before=_make_nothing)
    yield Shot("api-keys-made", "/api-keys/", before=_make_one)
    yield Shot("api-reference", "/api/")
