"""Choose the record that one coding of Ramp means. The list is searched on the server."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from connections.mapping_book import lines, records
from connections.mapping_book import revisions as book
from connections.mapping_book.changes import Change, Key, NotSaved
from connections.mapping_book.suggestions import Candidate, Suggestion
from connections.models import Connection, MappingKind
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing import mapping_effects, mapping_services
from syncing.mapping_forms import MappingForm
from syncing.queries import mappings as queries
from syncing.queries.mappings import Waiting
from syncing.views.customer_acts import open_customer
from syncing.views.mappings import UNPROCESSABLE, after_saving, frame, named, waiting_line


@require_http_methods(["GET", "POST"])
@allow(Permission.MAP)
def edit_mapping(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """The page of one line: what it holds up, what it may mean, and the records to choose from.

    A GET with `q` searches; for htmx it answers with the list alone, or with the effect of holding
    for one entity. A POST saves.
    """
    connection = open_customer(slug)
    asked = request.POST if request.method == "POST" else request.GET
    desk = _Desk(connection, asked)
    if request.method == "GET" and request.htmx and request.htmx.target == "choices":
        return render(request, "mappings/_choices.html", desk.choices())
    if request.method == "GET" and request.htmx and request.htmx.target == "effect":
        return render(request, "mappings/_effect.html", desk.facts())
    entities = [] if desk.kind in _FOR_ALL else list(desk.names.entities.items())
    form = MappingForm(request.POST or None, entities=entities, initial=desk.initial)
    if request.method == "POST" and form.is_valid():
        try:
            return _save(request, connection, desk, form)
        except NotSaved as refusal:
            form.add_error("after", str(refusal))
    context = frame(request, connection, "mappings") | desk.choices() | desk.facts()
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "mappings/edit.html", {**context, "form": form}, status=status)


_FOR_ALL = frozenset({MappingKind.ENTITY})
"""An entity cannot have a company that holds for another one alone."""


def _save(
    request: HtmxHttpRequest, connection: Connection, desk: "_Desk", form: MappingForm
) -> HttpResponse:
    change = form.change(desk.name)
    changes = [change]
    if desk.waiting and change.after:
        held = desk.waiting.held.changes(change.after, entity=change.entity_ramp_id)
        changes = named(held, desk.name)
    saved = mapping_services.save_and_release(
        connection,
        changes,
        actor=request.user.get_username(),
        reason=form.cleaned_data["reason"],
        expected_number=form.cleaned_data["expected"],
    )
    return after_saving(request, connection, saved)


class _Desk:
    """One line of the book, with everything that helps to choose where it leads."""

    def __init__(self, connection: Connection, asked: Any) -> None:
        kind = asked.get("kind", "")
        if kind not in MappingKind.values or not asked.get("id"):
            raise Http404("no such mapping")
        self.connection = connection
        self.kind, self.id = kind, str(asked.get("id"))[:200]
        self.field, self.entity = asked.get("field", ""), asked.get("entity", "")
        self.text = asked.get("q", "").strip()[:100]
        self.names = queries.names_of(connection)
        self.waiting: Waiting | None = waiting_line(connection, asked, self.names)
        key = Key(kind, self.entity, self.field, self.id)
        self.standing = lines.standing(connection, [key]).get(key, "")
        self.chosen = asked.get("after", "") or self.standing
        said = lines.names(connection).get(key, "") if self.standing else ""
        self.name = (self.waiting.name if self.waiting else self.names.ramp(kind, self.id, said))[
            :300
        ]

    @property
    def initial(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "id": self.id,
            "field": self.field,
            "entity": self.entity,
            "expected": book.newest_number(self.connection),
        }

    def choices(self) -> dict[str, Any]:
        """The records to choose from: those that were searched for, or the likely ones first."""
        found = records.find(
            self.connection, self.kind, self.text, field=self.field, purpose=self.id
        )
        found = [one for one in found if one.erp_id != self.id or self.standing]
        likely = [] if self.text or not self.waiting else list(self.waiting.suggestions)
        shown = {one.candidate.erp_id for one in likely}
        return {
            "likely": likely,
            "records": [one for one in found if one.erp_id not in shown],
            "chosen": self.chosen or (likely[0].candidate.erp_id if _is_sure(likely) else ""),
            "text": self.text,
            "is_cut": len(found) >= records.FOUND,
            "connection": self.connection,
        }

    def facts(self) -> dict[str, Any]:
        """What the page says of the line beside the choice."""
        before = {Key(self.kind, self.entity, self.field, self.id): self.standing}
        some = Change(
            MappingKind(self.kind), self.id, "?", self.entity, self.field
        )  # where it leads does not change how much goes on
        where = (self.kind, self.field, self.standing)
        now: Candidate | None = records.named(self.connection, {where}).get(where)
        return {
            "name": self.name,
            "kind_label": self.names.kind(self.kind, self.field),
            "external_id": self.id,
            "waiting": self.waiting,
            "effect": mapping_effects.would_release(
                self.connection,
                self.waiting.held.changes("?", entity=self.entity) if self.waiting else [some],
                before if self.standing else {},
            ),
            "leads_to": now,
            "is_mapped": bool(self.standing),
        }


def _is_sure(likely: list[Suggestion]) -> bool:
    return bool(likely) and likely[0].is_strong
