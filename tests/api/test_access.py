"""A key opens what it declares and nothing else; a session opens nothing that writes."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from connections import api_tokens
from connections.api_tokens import Scope
from connections.models import ApiToken
from rampbridge import logs
from rampbridge.api import api
from syncing.api.access import ApiKey, SignedIn
from tests.api.conftest import MakeProgram, Program
from tests.factories import SyncItemFactory, UserFactory

pytestmark = pytest.mark.django_db
ITEMS = "/api/v1/items"


def operations() -> Iterator[tuple[str, list[object]]]:
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                name = f"{operation.methods} {bound.prefix}{path}"
                yield name, list(operation.auth_callbacks)


def problem_of(response: Any, status: int) -> Any:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body["status"] == status
    assert body["detail"]
    return body


def test_every_operation_names_its_scope() -> None:
    guards = dict(operations())
    undeclared = [
        name for name, found in guards.items() if not any(isinstance(one, ApiKey) for one in found)
    ]

    assert undeclared == []
    assert len(guards) > 5


def test_a_session_opens_nothing_but_the_description() -> None:
    by_session = [
        name for name, found in operations() if any(isinstance(one, SignedIn) for one in found)
    ]

    assert by_session == ["['GET'] /openapi.json"]


class TestWithoutAKey:
    def test_a_stranger_is_told_to_send_a_key(self, client: Client) -> None:
        response = client.get(ITEMS)

        assert "Authorization: Bearer" in str(problem_of(response, 401)["detail"])
        assert response["WWW-Authenticate"].startswith("Bearer")

    def test_who_is_signed_in_needs_a_key_all_the_same(self, client: Client) -> None:
        client.force_login(UserFactory.create(roles=["admin"]))

        problem_of(client.get(ITEMS), 401)
        problem_of(client.post("/api/v1/items/1/retry"), 401)

    def test_an_unknown_address_is_a_problem_too(self, client: Client) -> None:
        problem_of(client.get("/api/v1/nowhere"), 404)

    def test_a_wrong_method_says_which_one_works(self, program: Program) -> None:
        response = Client().delete(ITEMS, headers=program.headers)

        problem_of(response, 405)
        assert response["Allow"] == "GET"

    def test_pages_keep_their_own_failures(self, client: Client) -> None:
        client.force_login(UserFactory.create(roles=["support"]))

        assert client.get("/nowhere/")["Content-Type"].startswith("text/html")


class TestWithAKey:
    def test_reads_without_a_cookie(self, program: Program) -> None:
        assert program.get("items").status_code == 200

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer ", "Bearer rbk_nobody", "Basic eDp5", "rbk_x", "Bearer a b"]
    )
    def test_anything_else_opens_nothing(self, header: str) -> None:
        problem_of(Client().get(ITEMS, headers={"Authorization": header}), 401)

    def test_a_scope_that_is_missing_is_named(self, program_of: MakeProgram) -> None:
        item = SyncItemFactory.create(failed=True)
        reader = program_of("implementer", Scope.READ)

        body = problem_of(reader.post(f"items/{item.pk}/retry"), 403)

        assert "scope retry" in str(body["detail"])

    def test_a_demoted_owner_loses_the_power_at_once(self, program: Program) -> None:
        program.owner.groups.clear()

        body = problem_of(program.get("items"), 403)

        assert "Ask an admin" in str(body["detail"])

    def test_an_owner_who_left_opens_nothing(self, program: Program) -> None:
        program.owner.is_active = False
        program.owner.save()

        problem_of(program.get("items"), 401)

    def test_too_many_calls_are_told_when_to_come_back(
        self, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api_tokens, "BURST", 2.0)
        assert [program.get("items").status_code for _ in range(2)] == [200, 200]

        response = program.get("items")

        problem_of(response, 429)
        assert int(response["Retry-After"]) >= 1

    def test_the_key_is_written_nowhere(self, program: Program) -> None:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        config = logs.configuration(level="DEBUG", format_name="json")
        handler.setFormatter(config["formatters"]["structured"]["()"](
            foreign_pre_chain=logs.SHARED,
            processors=config["formatters"]["structured"]["processors"],
        ))  # fmt: skip
        logger = logging.getLogger("some.library")
        logger.addHandler(handler)
        try:
            logger.warning("sent %s", program.headers)
            logger.warning("called", extra={"url": f"/x?y={program.key}", "said": [program.key]})
        finally:
            logger.removeHandler(handler)

        assert program.key not in stream.getvalue()
        assert program.key[12:] not in stream.getvalue()
        assert logs.REDACTED in stream.getvalue()


class TestTheDescription:
    def test_is_there_for_keys_and_for_people(self, program: Program, client: Client) -> None:
        client.force_login(UserFactory.create(roles=["manager"]))

        for response in (program.get("openapi.json"), client.get("/api/v1/openapi.json")):
            assert response.status_code == 200
            assert "/api/v1/items" in json.loads(response.content)["paths"]

    def test_is_not_there_for_strangers(self, client: Client) -> None:
        problem_of(client.get("/api/v1/openapi.json"), 401)

    def test_a_key_in_the_database_is_not_the_key(self, program: Program) -> None:
        token = ApiToken.objects.get()

        problem_of(Client().get(ITEMS, headers={"Authorization": f"Bearer {token.digest}"}), 401)
