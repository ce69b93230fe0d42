"""The filters of a page's list, as parameters of the API: one form judges both, so none differs.

Where a page falls back to its default the API refuses: a misspelt filter must not give everything.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from ninja import Field, Schema
from pydantic import AfterValidator, ConfigDict, WithJsonSchema

from connections.models import Connection
from rampbridge.lib.keyset import Cursor
from rampbridge.lib.problems import FieldProblem

PAGE_SIZE, MOST = 50, 200
NO_CURSOR = "Give `next` of the page before, letter by letter."


class Invalid(Exception):
    """What was sent cannot be understood. Each problem names its field and what would do."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(", ".join(problem.field for problem in problems))
        self.problems = problems


class NothingThere(Exception):
    """What was named does not exist. The message is fit to show."""


def invalid(field: str, message: str) -> Invalid:
    return Invalid([FieldProblem(field, message)])


def one_of(*words: str) -> tuple[Any, ...]:
    """What makes a text one of some words, for `Annotated`."""

    def known(text: str) -> str:
        if text not in words:
            raise ValueError(f"There are: {', '.join(word for word in words if word)}.")
        return text

    return AfterValidator(known), WithJsonSchema({"type": "string", "enum": list(words)})


class Body(Schema):
    """What is sent. A misspelt field must not be passed over."""

    model_config = ConfigDict(extra="forbid")


class Paging(Schema):
    """Which part of a list."""

    after: str = Field(
        "",
        max_length=120,
        description="`next` of the page before, as it is. Empty: from the beginning.",
        json_schema_extra={"format": "cursor"},
    )
    limit: int = Field(PAGE_SIZE, ge=1, le=MOST, description="How many at most.")

    def cursor(self) -> Cursor | None:
        """:raises Invalid: if it is not one of ours"""
        found = Cursor.parse(self.after)
        if self.after and found is None:
            raise invalid("after", NO_CURSOR)
        return found


def parameters(
    form: forms.Form, words: Mapping[str, str], *, without: Collection[str] = ()
) -> list[dict[str, Any]]:
    """A form's fields as parameters of OpenAPI.

    :param words: what each field narrows the list to
    """
    return [
        {
            "in": "query",
            "name": name,
            "required": field.required,
            "description": words.get(name, ""),
            "schema": _schema(field),
        }
        for name, field in form.fields.items()
        if name not in without
    ]


def _schema(field: forms.Field) -> dict[str, Any]:
    match field:
        case forms.ChoiceField():
            choices: Any = field.choices
            values = [str(value) for value, _ in choices]
            return {"type": "string", "enum": list(dict.fromkeys(["", *values]))}
        case forms.UUIDField():
            return {"type": "string", "format": "uuid"}
        case forms.DateTimeField():
            return {"type": "string", "format": "date-time"}
        case forms.DateField():
            return {"type": "string", "format": "date"}
        case forms.DecimalField():
            least: Any = field.min_value
            most: Any = field.max_value
            return {"type": "number", "minimum": int(least), "maximum": int(most)}
        case forms.IntegerField():
            return {"type": "integer"}
        case forms.BooleanField():
            return {"type": "string", "enum": ["", "on"]}
        case forms.RegexField():
            return {"type": "string", "pattern": field.regex.pattern}
        case forms.SlugField():
            return {"type": "string", "pattern": "^[-a-zA-Z0-9_]*$", "maxLength": field.max_length}
        case forms.CharField(max_length=int() as longest):
            return {"type": "string", "maxLength": longest}
        case _:
            return {"type": "string"}


def refuse_others(given: QueryDict, known: Collection[str]) -> None:
    """A misspelt filter must not give everything.

    :raises Invalid: if a parameter is none of those that are known
    """
    problems = list(_unknown(given, known))
    if problems:
        raise Invalid(problems)


def _unknown(given: QueryDict, known: Collection[str]) -> Iterator[FieldProblem]:
    for name in given:
        if name not in known:
            there_are = ", ".join(sorted(known))
            yield FieldProblem(name, f"There is no such parameter. There are: {there_are}.")


def check(form: forms.Form, given: QueryDict, also: Collection[str] = ()) -> None:
    """Whether every parameter is known and makes sense.

    :param also: names that are no fields of the form
    :raises Invalid: with all that is wrong
    """
    problems = list(_unknown(given, {*form.fields, *also}))
    problems += [
        FieldProblem(name, " ".join(map(str, errors))) for name, errors in form.errors.items()
    ]
    if problems:
        raise Invalid(problems)


def customer_named(slug: str) -> Connection:
    """The customer of that name in addresses.

    :raises NothingThere: if there is none
    """
    found = Connection.objects.filter(slug=slug).select_related("schedule").first()
    if found is None:
        raise NothingThere(f"There is no customer “{slug}”. GET /api/v1/customers lists them.")
    return found


def chosen_customer(slug: str) -> Connection | None:
    """The customer that a list is narrowed to; None for all of them.

    :raises NothingThere: if there is none of that name
    """
    return customer_named(slug) if slug else None
