"""What identifies a person or an account is hidden, in structures and in messages."""

import json

import pytest

from rampbridge.lib.redaction import HIDDEN, redacted, redacted_text


def test_private_names_are_hidden_at_any_depth() -> None:
    found = redacted({"user": {"email": "a@b.c", "name": "Ann"}, "lines": [{"iban": "x", "n": 1}]})

    assert found == {"user": {"email": HIDDEN, "name": "Ann"}, "lines": [{"iban": HIDDEN, "n": 1}]}


@pytest.mark.parametrize(
    ("said", "kept", "hidden"),
    [
        ("No employee ann.lee+x@harbor.example here.", "No employee", "ann.lee"),
        ("401 for Authorization: Bearer abc.def-ghi", "401 for", "abc.def"),
        ("login failed (password=hunter2, user 7)", "login failed", "hunter2"),
        ("'tax_id': '12-3456789' is not valid", "is not valid", "3456789"),
        ("IBAN DE89 3704 0044 0532 0130 00 is closed", "is closed", "3704"),
        ("Card 4111 1111 1111 1111 was refused", "was refused", "1111"),
    ],
)
def test_private_parts_of_a_message_are_hidden(said: str, kept: str, hidden: str) -> None:
    told = redacted_text(said)

    assert kept in told
    assert hidden not in told


@pytest.mark.parametrize(
    "said",
    [
        "The period October 2026 is closed.",
        "Invoice 2026-10-000123 of RB-7K3Q exists: 9f1c2d3e-1111-4222-8333-123456789012",
        "Debit 1,234.56 and credit 1,234.55 differ at 2026-10-31T12:00:00.123456+00:00",
        "account.move 4711: the account 6100 is deprecated",
    ],
)
def test_what_helps_to_find_the_cause_stays(said: str) -> None:
    assert redacted_text(said) == said


def test_json_stays_json() -> None:
    told = redacted_text('{"error": {"message": "No", "email": "a@b.c"}}')

    assert json.loads(told) == {"error": {"message": "No", "email": HIDDEN}}
