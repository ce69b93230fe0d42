"""One group of errors: what it means, whom it hits, what Ramp shows, and what was done about it."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from rampbridge.lib.htmx import HtmxHttpRequest, HttpResponseUnchanged, page_or_partial
from rampbridge.policy import Permission, allow, can
from syncing.error_desk import judging
from syncing.error_desk.acts import more_since_snoozed
from syncing.error_forms import CommentForm
from syncing.error_guide import guide_of
from syncing.error_texts import faults
from syncing.models import ErrorGroup, Ruling, SyncItem
from syncing.queries import error_group as queries
from syncing.queries import errors as error_queries
from syncing.queries import items as item_queries
from syncing.queries.error_group import Standing
from syncing.queries.group_states import LOOKS, GroupState
from syncing.views.live import version_of

PAGE, PART = "errors/group.html", "errors/_group_live.html"


@require_GET
@allow(Permission.SEE)
def error_group(request: HtmxHttpRequest, fingerprint: str) -> HttpResponse:
    """The page; for a poll the part that changed, or nothing."""
    # Read before the page is: what changes in between is news to the next poll.
    version = _version(fingerprint)
    template = page_or_partial(request, PAGE, PART)
    if template == PART and request.GET.get("version") == version:
        return HttpResponseUnchanged()
    return render(request, template, _context(request, fingerprint, version))


def open_group(fingerprint: str) -> ErrorGroup:
    """The group of an address.

    :raises Http404: if there is none
    """
    found = ErrorGroup.objects.filter(pk=fingerprint).first()
    if found is None:
        raise Http404("no such error")
    return found


def category_of(group: ErrorGroup, ruling: Ruling | None, standing: Standing) -> str:
    """The category of a group now: as it was ruled, as its items are judged, or as at first."""
    if ruling is not None:
        return ruling.category
    return standing.categories[0] if standing.categories else group.category


def context_of(request: HtmxHttpRequest, fingerprint: str) -> dict[str, Any]:
    """Everything that the page shows.

    :raises Http404: if there is no such group
    """
    return _context(request, fingerprint, _version(fingerprint))


def _context(request: HtmxHttpRequest, fingerprint: str, version: str) -> dict[str, Any]:
    found = judging.with_ruling(fingerprint)
    if found is None:
        raise Http404("no such error")
    group, ruling = found
    now, standing = timezone.now(), queries.standing_of(fingerprint)
    items = queries.affected(fingerprint) if standing.items else []
    sample = items[0] if items else queries.last_example(fingerprint)
    state = queries.state_in(group, standing.items, now)
    category = category_of(group, ruling, standing)
    story = queries.story(fingerprint, now)
    return {
        "section": "errors",
        "now": now,
        "group": group,
        "ruling": ruling,
        "standing": standing,
        "state": state,
        "look": LOOKS[state],
        "is_open": state is not GroupState.RESOLVED,
        "category_look": error_queries.category_look(category),
        "origin": error_queries.ORIGINS.get(group.origin, group.origin),
        "guide": guide_of(group.code, category),
        "sample": sample,
        "told": told(sample) if sample else None,
        "rows": item_queries.rows(items, now),
        "more_items": standing.items - len(items),
        "inside": queries.inside(fingerprint, standing.hits) if standing.items else None,
        "more_customers": standing.customers - len(standing.hits),
        "chart": story.chart,
        "days": story.days,
        "diary": story.diary,
        "similar": queries.similar(group),
        "comment_form": CommentForm(),
        "snoozed_more": more_since_snoozed(group) if group.snoozed_for_more else 0,
        "may_handle": can(request.user, Permission.HANDLE),
        "may_rule": can(request.user, Permission.RULE),
        "may_retry": can(request.user, Permission.RETRY),
        "may_map": can(request.user, Permission.MAP),
        "me": request.user.get_username(),
        "live_url": f"{reverse('error_group', args=[fingerprint])}?version={version}",
    }


def told(sample: SyncItem) -> dict[str, Any]:
    """What the customer reads of one item, whether Ramp took it, and what is wrong with it."""
    batch = sample.failure_batch
    return {
        "text": sample.error_text,
        "telling": sample.failure_telling,
        "is_told": sample.failure_telling == SyncItem.Telling.TOLD,
        "is_due": sample.failure_telling in (SyncItem.Telling.DUE, SyncItem.Telling.SENDING),
        "batch": batch,
        "faults": faults(
            sample.error_text,
            category=sample.error_category,
            fix=sample.error_fix,
            contact=settings.SUPPORT_CONTACT,
        )
        if sample.error_text
        else [],
    }


def _version(fingerprint: str) -> str:
    return version_of(queries.pulse(fingerprint))
