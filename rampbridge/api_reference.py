"""The page about the API, made from its OpenAPI document: nothing on it can be out of date."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from connections.api_tokens import BURST, PER_SECOND, POWERS
from rampbridge.api import api
from rampbridge.api_document import ERRORS
from rampbridge.policy import Permission, allow

_WORDS = {
    "integer": "whole number",
    "boolean": "true or false",
    "string": "text",
    "object": "names and numbers",
}
_FORMATS = {"date-time": "time", "date": "day", "uuid": "UUID", "cursor": "text"}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or one line of what is sent or answered."""

    name: str
    kind: str
    words: str
    is_required: bool
    choices: Sequence[str] = ()
    """What it may say, if that is one of few words."""
    shape: str = ""
    """The shape that stands there, alone or many times."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What several operations answer with."""

    name: str
    words: str
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class Call:
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    words: str
    scope: str
    parameters: Sequence[Field]
    sent: Sequence[Field]
    status: str
    answer: Shape
    curl: str


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    calls: Sequence[Call]

    @property
    def id(self) -> str:
        return self.name.lower()


@require_GET
@allow(Permission.SEE)
def api_reference(request: HttpRequest) -> HttpResponse:
    """Every operation: what it needs, takes and answers, with an example to paste."""
    context = {
        "section": "api",
        "groups": groups(),
        "shapes": shapes(),
        "errors": [(status, with_code(words)) for status, words in ERRORS.items()],
        "powers": POWERS.items(),
        "burst": int(BURST),
        "per_second": int(PER_SECOND),
        "base": settings.PUBLIC_URL.rstrip("/") + "/api/v1",
    }
    return render(request, "api/reference.html", context)


@cache
def groups() -> Sequence[Group]:
    """The operations by subject, in the order in which the program names them."""
    document = api.get_openapi_schema()
    found: dict[str, list[Call]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            call = _call(path, method, operation, document["components"]["schemas"])
            found.setdefault(operation["tags"][0], []).append(call)
    return [Group(name, calls) for name, calls in found.items()]


@cache
def shapes() -> Sequence[Shape]:
    """What answers are put together from, by name."""
    schemas = api.get_openapi_schema()["components"]["schemas"]
    names = {call.answer.name for group in groups() for call in group.calls}
    found: dict[str, Shape] = {}
    waiting = sorted({one.shape for name in names for one in _shape(name, schemas).fields})
    while waiting:
        name = waiting.pop()
        if name and name not in found:
            found[name] = _shape(name, schemas)
            waiting += [one.shape for one in found[name].fields]
    return [found[name] for name in sorted(found)]


def _call(path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Call:
    status = next(one for one in operation["responses"] if str(one).startswith("2"))
    body = _content(operation.get("requestBody", {}))
    answer = _content(operation["responses"][status])
    return Call(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        words=with_code(operation.get("description", "")),
        scope=operation["security"][0]["ApiKey"][0],
        parameters=[_parameter(one, schemas) for one in operation.get("parameters", ())],
        sent=_fields(body, schemas),
        status=str(status),
        answer=_shape(_name(answer), schemas),
        curl=_curl(method, path, body, schemas),
    )


def with_code(words: str) -> SafeString:
    """What stands between backticks as code."""
    parts = enumerate(words.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if n % 2 else part,) for n, part in parts)
    )


def _content(part: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = part.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _name(reference: Mapping[str, Any]) -> str:
    """The name of the schema that a reference leads to, as the page calls it; of a list, of one."""
    reference = reference.get("items", reference)
    return str(reference["$ref"]).rsplit("/", 1)[1].removesuffix("Out")


def _shape(name: str, schemas: Mapping[str, Any]) -> Shape:
    schema = schemas[name] if name in schemas else schemas[f"{name}Out"]
    return Shape(name, schema.get("description", ""), _fields(schema, schemas))


def _parameter(one: Mapping[str, Any], schemas: Mapping[str, Any]) -> Field:
    schema = one["schema"]
    words = one.get("description") or schema.get("description", "")
    return _field(one["name"], schema, schemas, words, is_required=one.get("required", False))


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[Field]:
    """The lines of an object."""
    schema = _whole(schema, schemas)
    required = schema.get("required", ())
    return [
        _field(name, inner, schemas, inner.get("description", ""), is_required=name in required)
        for name, inner in schema.get("properties", {}).items()
    ]


def _field(
    name: str,
    schema: Mapping[str, Any],
    schemas: Mapping[str, Any],
    words: str,
    *,
    is_required: bool,
) -> Field:
    whole = _whole(schema, schemas)
    many = whole.get("type") == "array"
    one = whole["items"] if many else _not_null(schema)
    inner = _whole(one, schemas)
    shape = _name(one) if "$ref" in one and "properties" in inner else ""
    choices = [str(word) for word in inner.get("enum", ()) if word]
    kind = shape or ("one of" if choices else _kind(inner))
    null = " or null" if any(each.get("type") == "null" for each in schema.get("anyOf", ())) else ""
    kinds = f"{'list of ' if many else ''}{kind}{null}"
    return Field(name, kinds, with_code(words), is_required, choices, shape)


def _not_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What may stand there beside null."""
    for one in schema.get("anyOf", ()):
        if one.get("type") != "null":
            found: Mapping[str, Any] = one
            return found
    return schema


def _whole(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema without its references, and without the null beside it."""
    schema = _not_null(schema)
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = schemas[schema["$ref"].rsplit("/", 1)[1]]
    return found


def _kind(whole: Mapping[str, Any]) -> str:
    """What stands there, in a word."""
    if "const" in whole:
        return str(whole["const"])
    kind = str(whole.get("type", "anything"))
    return _FORMATS.get(whole.get("format", ""), _WORDS.get(kind, kind))


def _curl(method: str, path: str, body: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    address = settings.PUBLIC_URL.rstrip("/") + path.replace("{id}", "…").replace("{slug}", "…")
    lines = [f"curl -H 'Authorization: Bearer rbk_…' {address}"]
    if method != "get":
        lines[0] = f"curl -X POST -H 'Authorization: Bearer rbk_…' {address}"
    if body:
        example = {
            name: _example(inner, schemas)
            for name, inner in _whole(body, schemas)["properties"].items()
            if name in _whole(body, schemas).get("required", ()) or name in ("query", "reason")
        }
        lines.append("     -H 'Content-Type: application/json'")
        lines.append(f"     -d '{json.dumps(example, ensure_ascii=False)}'")
    return " \\\n".join(lines)


_EXAMPLES: Mapping[str, Any] = {
    "owner": "me",
    "tag": "month-end",
    "text": "The customer was told.",
    "reason": "Books close on Friday.",
    "erp_reference": "JRN-2041",
    "query": "state=waiting-for-customer",
    "until": "2027-01-04T08:00:00Z",
    "key": "3f0c7a52-5a0e-4a0e-9f7e-6f3f5a8f2b11",
    "act": "retry",
}


def _example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    whole = _whole(schema, schemas)
    named = _EXAMPLES.get(str(schema.get("title", "")).lower().replace(" ", "_"))
    if named is not None:
        return named
    match whole.get("type"):
        case "integer":
            return 31
        case "boolean":
            return True
        case "array":
            return []
        case _:
            return "…"
