"""Lists that people keep by a name: an address with its filters, for oneself or for the team."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from connections import audit
from syncing.models import SavedView

PAGES: Mapping[str, str] = {
    "items": "Items",
    "errors": "Errors",
    "customers": "Customers",
    "backlog": "Backlog",
}
"""The lists that can be kept, by the names of their routes."""
MOST = 100
"""Views of one person."""
LONGEST = 1000
"""Characters of the filters, as the column takes them."""
MOST_PINNED = 12
"""Views that the navigation shows at most."""


class NotKept(Exception):
    """The view cannot be kept or changed so. The message is fit to show."""


def save(
    *, owner: str, page: str, query: str, name: str, is_team: bool = False, is_pinned: bool = False
) -> SavedView:
    """Keep a list under a name.

    :param query: the filters as the address says them, in their one order
    :raises NotKept: if it has too many filters, or its owner has another view of that name
    """
    if page not in PAGES:
        raise NotKept("This list cannot be kept.")
    if len(query) > LONGEST:
        raise NotKept("These are too many filters to be kept.")
    if SavedView.objects.filter(owner=owner).count() >= MOST:
        raise NotKept(f"You have {MOST} views. Delete one first.")
    view = SavedView(
        owner=owner, page=page, query=query, name=name, is_team=is_team, is_pinned=is_pinned
    )
    try:
        with transaction.atomic():
            view.save(force_insert=True)
            _record(view, owner, "save", f"Saved the view {name}.", query=query)
    except IntegrityError:
        raise NotKept(f"You have a view {name} of this list already.") from None
    return view


def visible(user: str) -> QuerySet[SavedView]:
    """What somebody can use: their own views and the team's."""
    return SavedView.objects.filter(Q(owner=user) | Q(is_team=True)).order_by("page", "name", "pk")


def pinned(user: str) -> list[SavedView]:
    """What the navigation shows somebody."""
    return list(visible(user).filter(is_pinned=True)[:MOST_PINNED])


def default_view(page: str, roles: Collection[str]) -> SavedView | None:
    """The view that a list begins with for one of these roles, the first by name."""
    found = SavedView.objects.filter(page=page, is_team=True, default_for__in=list(roles))
    return found.exclude(default_for="").order_by("default_for").first()


def change(view: SavedView, *, actor: str, is_lead: bool, **columns: Any) -> None:
    """Rename, share, pin or unpin a view.

    :param is_lead: whether the actor may change what others keep for the team
    :raises NotKept: if it is somebody else's, or its name is taken
    """
    _check_may_change(view, actor, is_lead=is_lead)
    if not columns.get("is_team", view.is_team):
        columns["default_for"] = ""  # nobody can begin with what they cannot see
    for name, value in columns.items():
        setattr(view, name, value)
    try:
        with transaction.atomic():
            view.save(update_fields=list(columns))
            _record(view, actor, "change", f"Changed the view {view.name}.", **columns)
    except IntegrityError:
        raise NotKept(f"There is a view {view.name} of this list already.") from None


def begin_with(view: SavedView, role: str, *, actor: str) -> None:
    """Let a role begin with a view; empty is no role. Another one's turn ends.

    :raises NotKept: if the team cannot see it
    """
    if role and not view.is_team:
        raise NotKept("Share it with the team first: others cannot see it.")
    with transaction.atomic():
        SavedView.objects.filter(page=view.page, default_for=role).exclude(default_for="").update(
            default_for=""
        )
        view.default_for = role
        view.save(update_fields=["default_for"])
        words = f"Let the role {role} begin with" if role else "Let no role begin with"
        _record(view, actor, "default", f"{words} the view {view.name}.")


def delete(view: SavedView, *, actor: str, is_lead: bool) -> None:
    """Forget a view.

    :raises NotKept: if it is somebody else's
    """
    _check_may_change(view, actor, is_lead=is_lead)
    with transaction.atomic():
        _record(view, actor, "delete", f"Deleted the view {view.name}.", query=view.query)
        view.delete()


def _check_may_change(view: SavedView, actor: str, *, is_lead: bool) -> None:
    if view.owner != actor and not (view.is_team and is_lead):
        raise NotKept(f"The view is {view.owner}'s. Save one of your own.")


def _record(view: SavedView, actor: str, act: str, text: str, **data: Any) -> None:
    audit.record(actor, f"views.{act}", text, subject="view", subject_id=view.pk, data=data)
