"""What goes wrong, as other programs read it: application/problem+json (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field, and what to do about it."""

    field: str
    message: str


def problem(
    status: int,
    detail: str,
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> JsonResponse:
    """An answer that says what happened.

    :param detail: words fit to show, with what to do
    """
    body: dict[str, Any] = {
        "type": f"/api/#problem-{status}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [asdict(error) for error in errors],
    }
    return JsonResponse(body, status=status, headers=headers, content_type=MEDIA_TYPE)
