"""A program that calls the API by a key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections import api_tokens
from connections.api_tokens import Scope
from tests.factories import UserFactory, now


@dataclass
class Program:
    """Calls the API with one key, and with no cookie."""

    key: str
    owner: User

    def get(self, path: str, **query: Any) -> Any:
        return Client().get(f"/api/v1/{path}", query, headers=self.headers)

    def post(self, path: str, **body: Any) -> Any:
        return Client().post(
            f"/api/v1/{path}", body, content_type="application/json", headers=self.headers
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


MakeProgram = Callable[..., Program]


@pytest.fixture
def program_of() -> MakeProgram:
    """A key of somebody with a role, with all scopes that it allows or those that are named."""

    def make(role: str = "implementer", *scopes: Scope, username: str = "maya") -> Program:
        owner = UserFactory.create(username=username, roles=[role])
        _, text = api_tokens.make(
            owner=owner,
            name="nightly report",
            scopes=scopes or tuple(Scope),
            lasts=timedelta(days=30),
            now=now(),
        )
        return Program(text, owner)

    return make


@pytest.fixture
def program(program_of: MakeProgram) -> Program:
    return program_of()
