"""The API keeps to its own document, whatever it is asked: schemathesis against the real program.

Every operation is called with what its document allows, and with what it does not.
"""

import json
import pkgutil
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ninja import Schema

import syncing.api
from connections import api_tokens
from rampbridge.api import api
from rampbridge.wsgi import application
from syncing import close_rules
from tests.api.conftest import MakeProgram
from tests.api.world import tell

EXAMPLES = 6
"""Of what is allowed, and as many of what is not, for each operation."""
OPERATIONS = [
    (method.upper(), path)
    for path, methods in api.get_openapi_schema()["paths"].items()
    for method in methods
]
EVERY_ANSWER = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module", autouse=True)
def _keep_connections() -> Iterator[None]:
    """Requests would close the connection that the test's own transaction is in."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def operations() -> Any:
    """The document as callers get it, over the real program."""
    from schemathesis import openapi  # takes two seconds, which only this file needs to wait for

    openapi.format("cursor", st.just(""))  # any other is a place in one list alone
    recent = close_rules.months(timezone.now().date())  # others are refused, as the document says
    openapi.format("month", st.sampled_from(["", *(f"{month:%Y-%m}" for month in recent)]))
    document = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    schema = openapi.from_dict(document)
    schema.app = application
    return schema


@pytest.fixture
def headers(program_of: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The key of somebody who may do everything, in a world where there is something to do."""
    monkeypatch.setattr(api_tokens, "BURST", 1e9)
    program = program_of("admin")
    tell(program.owner)
    return {**program.headers, "Accept-Encoding": "identity"}  # the test client unpacks nothing


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_answers_as_documented(
    method: str, path: str, operations: Any, headers: dict[str, str]
) -> None:
    from schemathesis import GenerationMode, checks

    operation = operations[path][method]

    @EVERY_ANSWER
    @given(
        case=st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        )
    )
    def ask(case: Any) -> None:
        case.call_and_validate(
            headers=headers,
            additional_checks=[_names_what_is_wrong],
            # an owner whom nobody knows, a day that is over: allowed by the shape, and refused
            excluded_checks=[checks.positive_data_acceptance] if method == "POST" else [],
        )

    ask()


def test_no_two_shapes_go_by_one_name() -> None:
    """The document knows shapes by their names alone: of two, one would stand for both."""
    shapes = [
        shape
        for module in pkgutil.iter_modules(syncing.api.__path__, "syncing.api.")
        for shape in vars(import_module(module.name)).values()
        if isinstance(shape, type) and issubclass(shape, Schema)
    ]

    names = Counter(shape.__name__ for shape in set(shapes))

    assert [name for name, times in names.items() if times > 1] == []
    assert len(names) > 20


def _names_what_is_wrong(_context: Any, response: Any, _case: Any) -> None:
    """What cannot be understood is told field by field, with what would do."""
    if response.status_code == 422:
        errors = response.json()["errors"]
        assert errors
        assert all(error["message"] and "field" in error for error in errors)
