"""What the OpenAPI document says beyond what ninja knows: scopes, and what may go wrong."""

from typing import Any

from ninja import NinjaAPI

from rampbridge.lib.problems import MEDIA_TYPE
from syncing.api.access import ApiKey

PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457), in words that say what to do.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "description": "Where it is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "Fit to show to people."},
        "errors": {
            "type": "array",
            "description": "The fields that are wrong, and what would do.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
ERRORS = {
    400: "It is no JSON, or holds a character that no text can hold.",
    401: "There is no key, or it is unknown, revoked or expired, or its owner has left.",
    403: "The key has not the scope, or its owner has not the role.",
    404: "There is no such thing.",
    409: "It cannot be done as things stand; the detail says why.",
    422: "Some of it cannot be understood. `errors` names each field and what would do.",
    429: "The key has used up its allowance. Retry-After says how many seconds to wait.",
}
_READS = (400, 401, 403, 404, 422, 429)


def complete(document: dict[str, Any], api: NinjaAPI) -> None:
    """Add the scope of each operation and its problems to ninja's document."""
    scopes = _scopes(api)
    for methods in document["paths"].values():
        for method, operation in methods.items():
            scope = scopes[operation["operationId"]]
            operation["security"] = [{"ApiKey": [scope]}]
            problems = _READS if method == "get" else ERRORS
            operation["responses"] |= {status: _problem(status) for status in problems}
    document["components"]["schemas"]["Problem"] = PROBLEM
    document["components"]["securitySchemes"] = {
        "ApiKey": {
            "type": "http",
            "scheme": "bearer",
            "description": "A key of /api-keys/. It can do no more than its scopes and its owner.",
        }
    }


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": ERRORS[status], "content": {MEDIA_TYPE: {"schema": schema}}}


def _scopes(api: NinjaAPI) -> dict[str, str]:
    found: dict[str, str] = {}
    for bound in api._get_bound_routers():  # noqa: SLF001  ninja offers no other way to them
        for view in bound.path_operations.values():
            for operation in view.operations:
                name = operation.operation_id or api.get_openapi_operation_id(operation)
                guards = [guard for guard in operation.auth_callbacks if isinstance(guard, ApiKey)]
                found[name] = guards[0].scope.value if guards else ""
    return found
