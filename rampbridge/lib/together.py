"""What a page needs of several small tables, in one trip to the database."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.db.models import BinaryField, Model, QuerySet

from rampbridge.lib.statements import rows


def together(*questions: QuerySet[Any]) -> tuple[list[Any], ...]:
    """The rows of each question, in its order, all read by one statement.

    For a few small rows of each: they travel as JSON. Annotations come along; what is deferred is
    read later, as always.

    :raises TypeError: if a question follows a relation, or reads sealed bytes; defer those
    """
    parts: list[str] = []
    params: list[Any] = []
    for number, question in enumerate(questions):
        _must_be_plain(question)
        sql, of_it = question.query.sql_with_params()
        name = f"q{number}"
        parts.append(f"(SELECT jsonb_agg(to_jsonb({name})) FROM ({sql}) {name})::text")  # noqa: S608
        params += of_it
    (found,) = rows(f"SELECT {', '.join(parts)}", params)
    return tuple(
        [_row(question, line) for line in orjson.loads(lines or "[]")]
        for question, lines in zip(questions, found, strict=True)
    )


def _must_be_plain(question: QuerySet[Any]) -> None:
    if question.query.select_related:
        raise TypeError("Ask for the related rows in a question of their own.")


def _row(question: QuerySet[Any], line: Mapping[str, Any]) -> Any:
    """As the ORM would have made it of the same row."""
    model: type[Model] = question.model
    fields = model._meta.concrete_fields  # noqa: SLF001
    loaded = [field for field in fields if field.column and field.column in line]
    if any(isinstance(field, BinaryField) for field in loaded):
        raise TypeError("Sealed bytes are not read together with others. Defer them.")
    values = [field.to_python(line[str(field.column)]) for field in loaded]
    row = model.from_db(question.db, [field.attname for field in loaded], values)
    for name, annotation in question.query.annotation_select.items():
        setattr(row, name, annotation.output_field.to_python(line[name]))
    return row
