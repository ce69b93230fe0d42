"""Why is it not in the ERP? For anything that Ramp may hold, also what never came here."""

import uuid
from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from connections.models import Connection
from syncing.api.access import READ, caller_of
from syncing.api.filters import Body, customer_named, refuse_others
from syncing.inquiries import asking
from syncing.inquiries.reasons import Reading
from syncing.inquiries.reasons import why_not as reason_of
from syncing.models import Inquiry, SyncItem
from syncing.queries.words import Party

router = Router(tags=["Search"])


class ObjectIn(Body):
    """One object of Ramp."""

    customer: str = Field(min_length=1, max_length=80, description="By its name in addresses.")
    type: SyncItem.ObjectType
    ramp_id: uuid.UUID


class AnswerOut(Schema):
    """Why it is not here, whose move it is, and what to do."""

    code: str
    title: str
    fix: str
    party: Party
    missing: list[str] = Field(description="What Ramp wants before it calls the object ready.")


class WhyNotOut(Schema):
    state: Literal["here", "unasked", "asking", "answered"] = Field(
        description="here: it has items. unasked: POST to have Ramp asked. asking: look again in"
        " some seconds."
    )
    items: list[int] = Field(description="Show one for its own story.")
    asked_at: datetime | None
    answer: AnswerOut | None


@router.get("", auth=READ, response=WhyNotOut, summary="Why is it not here?")
def why_not(request: HttpRequest, asked: Query[ObjectIn]) -> WhyNotOut:
    """What we know of the object, or what Ramp said when it was asked within ten minutes."""
    refuse_others(request.GET, ObjectIn.model_fields)
    return _known(asked)


@router.post("", auth=READ, response={202: WhyNotOut}, summary="Ask Ramp why")
def ask(request: HttpRequest, body: ObjectIn) -> Status[WhyNotOut]:
    """Have Ramp asked for it, unless it has items here. Look for the answer some seconds later."""
    if _known(body).state == "unasked":
        asking.ask(
            connection=customer_named(body.customer),
            object_type=body.type,
            ramp_id=body.ramp_id,
            actor=caller_of(request).actor,
        )
    return Status(202, _known(body))


def _known(asked: ObjectIn) -> WhyNotOut:
    connection = customer_named(asked.customer)
    items = [
        item.pk
        for item in asking.known_items(asking.Meant(asked.ramp_id, asked.type))
        if item.connection_id == connection.pk
    ]
    if items:
        return WhyNotOut(state="here", items=items, asked_at=None, answer=None)
    now = timezone.now()
    inquiry = asking.latest(connection, asked.type, asked.ramp_id, now=now)
    if inquiry is None:
        return WhyNotOut(state="unasked", items=[], asked_at=None, answer=None)
    answer = _answer(connection, inquiry)
    return WhyNotOut(
        state="answered" if answer else "asking",
        items=[],
        asked_at=inquiry.asked_at,
        answer=answer,
    )


def _answer(connection: Connection, inquiry: Inquiry) -> AnswerOut | None:
    if inquiry.answered_at is None:
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
    return AnswerOut(
        code=answer.code,
        title=answer.title,
        fix=answer.fix,
        party=answer.party,
        missing=list(answer.missing),
    )
