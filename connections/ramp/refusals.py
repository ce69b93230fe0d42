"""From an HTTP answer that is not a success to the error that says what happened. Pure."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from connections.ramp import errors
from connections.ramp.errors import RampError

DEFAULT_RETRY_AFTER = timedelta(seconds=10)
LONGEST_RETRY_AFTER = timedelta(minutes=5)

_TRACE_HEADER = "x-trace-id"
_TOKEN_REFUSED = {"DEVELOPER_7002", "DEVELOPER_7028"}
_CREDENTIALS_REFUSED = {"5001", "5006", "DEVELOPER_7012"}
_LONGEST_MESSAGE = 1000
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_SCOPE = re.compile(r"\b[a-z_]+:[a-z_]+\b")


def error_for(response: httpx.Response, *, changes: bool) -> RampError:
    """The error of an answer whose body has been read.

    :param changes: whether the request was one that changes something
    """
    body = _Body(response)
    facts: dict[str, Any] = {
        "status": response.status_code,
        "code": body.code,
        "trace_id": trace_id(response),
    }
    message = body.message[:_LONGEST_MESSAGE] or f"Ramp answered {response.status_code}."
    if response.status_code >= 500:
        lost = errors.OutcomeUnknown if changes else errors.RampUnreachable
        return lost(message, **facts)
    if response.status_code == 429:
        return errors.RampRateLimited(message, retry_after=retry_after(response), **facts)
    if response.status_code < 400:
        return errors.SchemaSurprise(f"{message} That is not in its contract.", **facts)
    return _refusal(response.status_code, body, message, facts)


def is_token_refused(response: httpx.Response) -> bool:
    """Whether the access token, and not the request, is what Ramp turns down.

    Ramp answers 404 for a revoked token, with the code of any other 404: the words decide.
    """
    if response.status_code == 401:
        return True
    return response.status_code == 404 and _is_about_token(_Body(response))


def trace_id(response: httpx.Response) -> str:
    """What Ramp's support finds the request by."""
    return str(response.headers.get(_TRACE_HEADER, ""))[:100]


def retry_after(response: httpx.Response) -> timedelta:
    """How long to keep quiet after a 429: what the header says, within reason, else 10 s."""
    stated = response.headers.get("retry-after", "").strip()
    if stated.isascii() and stated.isdigit() and len(stated) < 10:
        wait = timedelta(seconds=int(stated))
    else:
        wait = _until(stated, response.headers.get("date", ""))
    return min(wait, LONGEST_RETRY_AFTER)


class _Body:
    """The few facts of an error body, whatever shape it has."""

    def __init__(self, response: httpx.Response) -> None:
        document = _json_object(response.content)
        detail = document.get("error_v2")
        self.is_api_error = bool(document)
        self._detail: Mapping[str, Any] = detail if isinstance(detail, dict) else document
        self._legacy = document.get("error")
        self.code = str(self._detail.get("error_code") or self._oauth_code())
        self.message = str(self._detail.get("message") or document.get("error_description") or "")

    @property
    def fields(self) -> Mapping[str, object]:
        for candidate in (self._detail.get("additional_info"), self._legacy):
            if isinstance(candidate, dict) and candidate:
                return candidate
        return {}

    def _oauth_code(self) -> str:
        return self._legacy if isinstance(self._legacy, str) else ""


def _refusal(status: int, body: _Body, message: str, facts: dict[str, Any]) -> RampError:
    code = body.code
    if status == 401 or code in _CREDENTIALS_REFUSED or _is_about_token(body):
        return errors.RampUnauthorised(message, **facts)
    if code in {"DEVELOPER_7100", "invalid_scope"}:
        return errors.ScopeMissing(message, scopes=_SCOPE.findall(body.message), **facts)
    if code == "DEVELOPER_7062":
        return errors.NotReadyForSync(message, ids=_ids(body.message), **facts)
    if code == "DEVELOPER_7005":
        return errors.KeyAlreadyUsed(message, **facts)
    if code == "DEVELOPER_7089":
        return errors.NoConnection(message, **facts)
    if status == 403:
        return errors.Forbidden(message, **facts)
    if status == 404:
        kind = errors.NotFound if body.is_api_error else errors.NoSuchEndpoint
        return kind(message, **facts)
    return errors.InvalidRequest(message, fields=body.fields, **facts)


def _is_about_token(body: _Body) -> bool:
    return body.code in _TOKEN_REFUSED and "access token" in body.message.lower()


def _ids(message: str) -> list[str]:
    """Ramp names the offending objects nowhere but in its text."""
    return list(dict.fromkeys(found.lower() for found in _UUID.findall(message)))


def _until(stated: str, answered_at: str) -> timedelta:
    """The other form of Retry-After, a moment; measured by the clock of the answer itself."""
    try:
        wait = parsedate_to_datetime(stated) - parsedate_to_datetime(answered_at)
    except (ValueError, TypeError):
        return DEFAULT_RETRY_AFTER
    return max(wait, timedelta(0))


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
