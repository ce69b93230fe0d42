import base64

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from rampbridge.lib.encryption import (
    CannotOpen,
    KeyNotConfigured,
    keys_for,
    needs_rotation,
    open_sealed,
    rewrap,
    row_context,
    seal,
)

OLD = {"2025": base64.b64encode(b"o" * 32).decode()}
NEW = {"2026": base64.b64encode(b"n" * 32).decode()}
HERE = row_context("connections_credential", "sealed", 7)


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = OLD


def test_opens_what_it_sealed() -> None:
    assert open_sealed(seal(b"secret", context=HERE), context=HERE) == b"secret"
    assert open_sealed(seal(b"", context=HERE), context=HERE) == b""


def test_opens_what_a_database_driver_hands_out() -> None:
    assert open_sealed(memoryview(seal(b"secret", context=HERE)), context=HERE) == b"secret"


def test_never_seals_the_same_way_twice_nor_in_the_clear() -> None:
    first, second = seal(b"canary-secret", context=HERE), seal(b"canary-secret", context=HERE)

    assert first != second
    assert b"canary" not in first


@pytest.mark.parametrize(
    "elsewhere",
    [
        row_context("connections_credential", "sealed", 8),
        row_context("connections_credential", "hint", 7),
        row_context("connections_ramptoken", "sealed", 7),
        "",
    ],
)
def test_does_not_open_in_another_row_column_or_table(elsewhere: str) -> None:
    blob = seal(b"secret", context=HERE)

    with pytest.raises(CannotOpen, match="another row"):
        open_sealed(blob, context=elsewhere)
    with pytest.raises(CannotOpen):
        rewrap(blob, context=elsewhere)


def test_two_places_never_share_a_context() -> None:
    assert row_context("a", "b", "c,d") != row_context("a", "b,c", "d")


def test_every_flipped_bit_is_noticed() -> None:
    blob = seal(b"secret", context=HERE)

    for position in range(len(blob)):
        damaged = bytearray(blob)
        damaged[position] ^= 1
        with pytest.raises(CannotOpen):
            open_sealed(bytes(damaged), context=HERE)


@given(st.binary(max_size=200))
def test_what_was_never_sealed_is_refused(data: bytes) -> None:
    with pytest.raises(CannotOpen):
        open_sealed(data, context=HERE)
    with pytest.raises(CannotOpen):
        open_sealed(b"\x01\x042025" + data, context=HERE)


def test_keys_are_changed_without_losing_a_secret(settings: Settings) -> None:
    blob = seal(b"secret", context=HERE)
    settings.ENCRYPTION_KEYS = NEW | OLD
    assert needs_rotation(blob)
    assert open_sealed(blob, context=HERE) == b"secret"

    rotated = rewrap(blob, context=HERE)
    settings.ENCRYPTION_KEYS = NEW

    assert not needs_rotation(rotated)
    assert open_sealed(rotated, context=HERE) == b"secret"
    with pytest.raises(KeyNotConfigured, match="2025"):
        open_sealed(blob, context=HERE)


def test_a_key_id_that_points_to_another_key_opens_nothing(settings: Settings) -> None:
    blob = seal(b"secret", context=HERE)
    settings.ENCRYPTION_KEYS = {"2025": NEW["2026"]}

    with pytest.raises(CannotOpen):
        open_sealed(blob, context=HERE)


@pytest.mark.parametrize(
    "keys",
    [{}, {"a": "c2hvcnQ="}, {"a": "not base64"}, {"": OLD["2025"]}, {"x" * 256: OLD["2025"]}],
)
def test_unusable_keys_are_named_at_first_use(settings: Settings, keys: dict[str, str]) -> None:
    settings.ENCRYPTION_KEYS = keys

    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        seal(b"secret", context=HERE)


def test_errors_do_not_carry_the_secret() -> None:
    blob = seal(b"canary-secret", context=HERE)

    with pytest.raises(CannotOpen) as caught:
        open_sealed(blob[:-1], context=HERE)

    assert "canary" not in repr(caught.value)


def test_keys_for_something_else_are_neither_the_sealing_keys_nor_those_of_another_purpose(
    settings: Settings,
) -> None:
    settings.ENCRYPTION_KEYS = NEW | OLD

    newer, older = keys_for("digests")

    assert len({newer, older, b"o" * 32, b"n" * 32, *keys_for("others")}) == 6
    settings.ENCRYPTION_KEYS = OLD
    assert keys_for("digests") == [older]
