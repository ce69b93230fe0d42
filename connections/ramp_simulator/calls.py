"""A request as the operations see it, with readers that refuse what Ramp would refuse."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID
from wsgiref.types import WSGIEnvironment

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connections.ramp_simulator.replies import ApiError, invalid

B = TypeVar("B", bound=BaseModel)

_SAYINGS = {
    "missing": "Missing data for required field.",
    "extra_forbidden": "Unknown field.",
    "uuid_parsing": "Not a valid UUID.",
    "uuid_type": "Not a valid UUID.",
    "string_type": "Not a valid string.",
    "bool_type": "Not a valid boolean.",
    "list_type": "Not a valid list.",
}


@dataclass(slots=True)
class Call:
    """One request. `business` and `scopes` are filled in once its token was recognised."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    peer: str
    base_url: str
    params: dict[str, str] = field(default_factory=dict)
    operation: str = ""
    business: str = ""
    scopes: frozenset[str] = frozenset()

    @classmethod
    def from_environ(cls, environ: WSGIEnvironment) -> "Call":
        length = int(environ.get("CONTENT_LENGTH") or 0)
        host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        return cls(
            method=environ["REQUEST_METHOD"],
            path=environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace"),
            query=dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
            headers={
                key[5:].replace("_", "-").lower(): value
                for key, value in environ.items()
                if key.startswith("HTTP_")
            }
            | {"content-type": environ.get("CONTENT_TYPE", "")},
            body=environ["wsgi.input"].read(length) if length else b"",
            peer=environ.get("REMOTE_ADDR") or "127.0.0.1",
            base_url=f"{environ['wsgi.url_scheme']}://{host}",
        )

    def json(self, model: type[B]) -> B:
        """The body as this model.

        :raises ApiError: 400 if it is not JSON, 422 if it does not fit
        """
        return fit(model, self.json_object())

    def json_object(self) -> dict[str, Any]:
        try:
            body = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ApiError(400, "DEVELOPER_7011", "Request body must be JSON") from error
        if not isinstance(body, dict):
            raise invalid({"_schema": ["Invalid input type."]})
        return body

    def form(self) -> dict[str, str]:
        """A form, or the JSON object that the specification's media type promises."""
        if "json" in self.headers["content-type"]:
            return {key: str(value) for key, value in self.json_object().items()}
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))

    def flag(self, name: str) -> bool | None:
        value = self.query.get(name)
        if value is None:
            return None
        if value not in {"true", "false"}:
            raise invalid({name: ["Not a valid boolean."]})
        return value == "true"

    def uuid(self, name: str) -> str | None:
        value = self.query.get(name)
        if value is None:
            return None
        try:
            return str(UUID(value))
        except ValueError as error:
            raise invalid({name: ["Not a valid UUID."]}) from error

    def moment(self, name: str) -> datetime | None:
        """A full date-time; Ramp refuses a bare date."""
        value = self.query.get(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value.replace(" ", "+"))
        except ValueError as error:
            raise invalid({name: ["Not a valid datetime."]}) from error
        if "T" not in value:
            raise invalid({name: ["Not a valid datetime."]})
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def day(self, name: str) -> date | None:
        """A bare date."""
        value = self.query.get(name)
        if value is None:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise invalid({name: ["Not a valid date."]}) from error

    def number(self, name: str) -> Decimal | None:
        value = self.query.get(name)
        if value is None:
            return None
        try:
            return Decimal(value)
        except InvalidOperation as error:
            raise invalid({name: ["Not a valid number."]}) from error

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        value = self.query.get(name)
        if value is not None and value not in choices:
            raise invalid({name: [f"Must be one of: {', '.join(choices)}."]})
        return value


def fit(model: type[B], body: dict[str, Any]) -> B:
    """The body as this model, or a 422 that names each field that does not fit."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise invalid(_problems(error.errors())) from error


def _problems(errors: Iterable[ErrorDetails]) -> dict[str, Any]:
    """Pydantic's findings as the nested dictionary of messages that Ramp answers with."""
    problems: dict[str, Any] = {}
    for error in errors:
        *parents, last = [str(step) for step in error["loc"]] or ["_schema"]
        place = problems
        for parent in parents:
            place = place.setdefault(parent, {})
        place.setdefault(last, []).append(_SAYINGS.get(error["type"], error["msg"]))
    return problems
