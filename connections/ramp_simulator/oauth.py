"""Access tokens: client credentials in, a bearer token with the granted scopes out."""

import base64
import binascii
from datetime import timedelta

from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.records import Business, Token
from connections.ramp_simulator.replies import ApiError, Reply, invalid
from connections.ramp_simulator.world import World

CLIENT_ID_PREFIX = "ramp_id_"
SECRET_PREFIX = "ramp_sec_"  # noqa: S105
TOKEN_PREFIX = "ramp_business_tok_"  # noqa: S105
_GRANTS = {"authorization_code", "client_credentials", "refresh_token"}


def create_token(world: World, call: Call) -> Reply:
    """A client that asks for scopes it was not given gets a token without them."""
    business = _client(world, call)
    form = call.form()
    grant = form.get("grant_type")
    if grant not in _GRANTS:
        raise invalid({"grant_type": [f"Must be one of: {', '.join(sorted(_GRANTS))}."]})
    if grant != "client_credentials":
        raise ApiError(400, "DEVELOPER_7012", f"Grant type {grant} is not enabled for this app")
    wanted = form.get("scope", "").split()
    if not wanted:
        raise invalid({"scope": ["Missing data for required field."]})
    granted = [scope for scope in wanted if scope in business.scopes]
    if granted != wanted and world.switches.ungranted_scope == "refuse":
        raise ApiError(400, "invalid_scope", "The requested scope is not allowed for this app")
    seconds = world.switches.token_seconds
    token = world.tokens.put(
        Token(
            id=world.ids.secret(TOKEN_PREFIX),
            seq=world.ids.rank(),
            business=business.key,
            scopes=granted,
            expires_at=world.clock() + timedelta(seconds=seconds),
        )
    )
    return Reply(
        payload={
            "access_token": token.id,
            "token_type": "Bearer",
            "expires_in": seconds,
            "scope": " ".join(granted),
        }
    )


def revoke_token(world: World, call: Call) -> Reply:
    """Answers the same for a token that nobody knows, so that nobody can guess."""
    business = _client(world, call)
    form = call.form()
    if "token" not in form:
        raise invalid({"token": ["Missing data for required field."]})
    if token := world.tokens.get(form["token"], business.key):
        world.tokens.remove(token)
    return Reply(payload={})


def recognise(world: World, call: Call) -> Token | None:
    """The token of a request, expired or not; fills in whose request it is."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    token = world.tokens.get(value.strip()) if scheme.lower() == "bearer" else None
    if token:
        call.business = token.business
        call.scopes = frozenset(token.scopes)
    return token


def authorise(world: World, call: Call, token: Token | None, scope: str | None) -> None:
    """:raises ApiError: if the token is unknown, expired or lacks the scope"""
    if token is None:
        raise unknown_token(world)
    if token.expires_at <= world.clock():
        raise expired_token()
    if scope and scope not in call.scopes:
        raise missing_scope(scope)


def unknown_token(world: World) -> ApiError:
    status = world.switches.unknown_token_status
    return ApiError(status, "DEVELOPER_7002", "Access token not found")


def expired_token() -> ApiError:
    return ApiError(401, "DEVELOPER_7028", "Access token has expired")


def missing_scope(scope: str) -> ApiError:
    return ApiError(403, "DEVELOPER_7100", f"These scopes are not allowed for this token: {scope}")


def _client(world: World, call: Call) -> Business:
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    try:
        text = base64.b64decode(value, validate=True).decode() if scheme == "Basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    client_id, _, secret = text.partition(":")
    if not client_id.startswith(CLIENT_ID_PREFIX):
        raise ApiError(400, "5006", "Malformed client_id")
    for business in world.businesses.all():
        if business.client_id == client_id and business.client_secret == secret:
            call.business = business.key
            return business
    raise ApiError(401, "5001", "Invalid client credentials")
