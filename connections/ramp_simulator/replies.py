"""What goes back over the wire: answers, and errors in Ramp's `error_v2` shape."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

JSON = "application/json"
HTML = "text/html; charset=utf-8"
LINES = "application/x-ndjson"


@dataclass(slots=True)
class Reply:
    """An answer. `payload` is JSON to be, unless there is a ready `body` or a `stream`."""

    status: int = 200
    payload: Any = None
    body: bytes | None = None
    stream: Iterator[bytes] | None = None
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        if self.body is not None:
            return self.body
        return b"" if self.status == 204 else orjson.dumps(self.payload)


class ApiError(Exception):
    """A refusal, in the words and the code a client gets to see."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        additional_info: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.additional_info = additional_info or {}

    def reply(self, error_id: str) -> Reply:
        return Reply(
            status=self.status,
            payload={
                "error_v2": {
                    "error_code": self.code,
                    "message": self.message,
                    "additional_info": self.additional_info,
                    "notes": "",
                    "error_id": error_id,
                },
                "error": self.additional_info or {"message": self.message},
            },
        )


def invalid(problems: dict[str, Any], status: int = 422) -> ApiError:
    """The refusal of input that does not fit the schema."""
    return ApiError(status, "DEVELOPER_7001", _first_text(problems), problems)


def not_found(what: str, row_id: str) -> ApiError:
    """Ramp uses one code for this and for an unknown access token."""
    return ApiError(404, "DEVELOPER_7002", f"{what} {row_id} not found")


def created(payload: Any) -> Reply:
    return Reply(status=201, payload=payload)


def no_content() -> Reply:
    return Reply(status=204)


def html_page(status: int, title: str) -> Reply:
    """What a web framework says of a path that nobody wrote, in place of an API error."""
    page = f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n"
    return Reply(status=status, body=page.encode(), content_type=HTML)


def _first_text(problems: Any) -> str:
    while not isinstance(problems, str):
        problems = next(iter(problems.values() if isinstance(problems, dict) else problems))
    return problems
