"""Why is it not in the ERP? Asked for anything that Ramp may hold, also what never came here."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from connections import queries as connection_queries
from connections.models import Connection
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.inquiries import asking
from syncing.inquiries.reasons import Reading
from syncing.inquiries.reasons import why_not as reason_of
from syncing.models import Inquiry, SyncItem
from syncing.queries.items import rows
from syncing.queries.words import PARTY_LABELS
from syncing.views.live import live, version_of

NO_ID = "There is no Ramp id in that. Copy the address of the object in Ramp, or its id from there."


@dataclass(frozen=True, slots=True)
class Question:
    """What the address asks, as far as it is understood."""

    text: str
    ramp_id: uuid.UUID | None
    object_type: str
    connection: Connection | None

    @property
    def is_complete(self) -> bool:
        """Whether Ramp can be asked."""
        return bool(self.ramp_id and self.object_type and self.connection)


@require_GET
@allow(Permission.SEE)
def why_not(request: HtmxHttpRequest) -> HttpResponse:
    """What we know of it, or what Ramp said when it was asked: `?q=`, `customer=`, `type=`."""
    now = timezone.now()
    question = _question(request.GET)
    items = []
    if question.ramp_id:
        items = [
            item
            for item in asking.known_items(asking.Meant(question.ramp_id))
            if question.connection is None or item.connection_id == question.connection.pk
        ]
    inquiry = None
    if question.is_complete and not items:
        assert question.connection is not None
        assert question.ramp_id is not None
        inquiry = asking.latest(
            question.connection, question.object_type, question.ramp_id, now=now
        )
    context = {
        "section": "items",
        "now": now,
        "question": question,
        "query": question.text,
        "problem": NO_ID if question.text and not question.ramp_id else "",
        "rows": rows(items, now),
        "inquiry": inquiry,
        "answer": _answer(question.connection, inquiry),
        "customers": connection_queries.customer_choices(),
        "types": SyncItem.ObjectType.choices,
    }
    return live(
        request,
        "syncing/why_not.html",
        "syncing/_why_not.html",
        version=version_of(inquiry and (inquiry.pk, inquiry.answered_at), [i.pk for i in items]),
        context=context,
    )


@require_POST
@allow(Permission.SEE)
def ask_why_not(request: HttpRequest) -> HttpResponse:
    """Have Ramp asked for the object, then show the page that waits for the answer."""
    question = _question(request.POST)
    if question.is_complete:
        assert question.connection is not None
        assert question.ramp_id is not None
        asking.ask(
            connection=question.connection,
            object_type=question.object_type,
            ramp_id=question.ramp_id,
            actor=request.user.get_username(),
        )
    else:
        messages.error(request, "Choose the customer and the type, and give an id or an address.")
    address = {
        "q": question.text,
        "customer": question.connection.slug if question.connection else "",
        "type": question.object_type,
    }
    response = redirect("why_not")
    response["Location"] += "?" + urlencode(address)
    return response


def _question(data: Any) -> Question:
    text = data.get("q", "").strip()[:500]
    meant = asking.meant_by(text)
    chosen = data.get("type", "")
    slug = data.get("customer", "")
    return Question(
        text,
        meant.ramp_id if meant else None,
        chosen if chosen in SyncItem.ObjectType.values else meant.object_type if meant else "",
        Connection.objects.select_related("schedule").filter(slug=slug).first() if slug else None,
    )


def _answer(connection: Connection | None, inquiry: Inquiry | None) -> dict[str, Any] | None:
    if connection is None or inquiry is None or inquiry.answered_at is None:
        return None
    reading = Reading(
        inquiry.object_type,
        inquiry.body,
        is_there=inquiry.is_there,
        is_listed=inquiry.is_listed,
        problem=inquiry.problem,
        problem_code=inquiry.problem_code,
    )
    answer = reason_of(reading, asking.facts_of(connection))
    return {"answer": answer, "party": PARTY_LABELS[answer.party]}
