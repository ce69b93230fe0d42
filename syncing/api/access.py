"""Who may call what. An operation says which scope it needs; one that says nothing is refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.security.base import AuthBase

from connections import api_tokens, audit
from connections.api_tokens import Caller, Scope
from rampbridge.policy import Permission, can


class ApiKey(HttpBearer):
    """`Authorization: Bearer rbk_…`, a key that has the scope, of somebody who may do as much."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """:raises NotAccepted, NotAllowed, TooFast: as `connections.api_tokens` does"""
        caller = api_tokens.admit(token)
        caller.check(self.scope)
        request.user = caller.user
        return caller


class Refused(AuthBase):
    """What guards an operation that declares nothing."""

    openapi_type = "http"

    def __call__(self, request: HttpRequest) -> None:
        """:raises NotAllowed: always"""
        raise api_tokens.NotAllowed("This operation is not open to any key.")


class SignedIn(AuthBase):
    """The session of somebody who may look at pages. Only for reading what the API offers."""

    openapi_type = "apiKey"

    def __call__(self, request: HttpRequest) -> bool:
        return can(request.user, Permission.SEE)


def caller_of(request: HttpRequest) -> Caller:
    """Who calls; only inside an operation that an `ApiKey` guards."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


def name_the_key(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Have audit lines of an operation name the key that it was called with."""

    @wraps(operation)
    def named(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        caller = getattr(request, "auth", None)
        with audit.by_key(caller.token.name if isinstance(caller, Caller) else ""):
            return operation(request, *args, **kwargs)

    return named


READ, HANDLE, RETRY, SETTLE = (ApiKey(scope) for scope in Scope)
"""As `auth` of an operation."""
