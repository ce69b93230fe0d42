import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rampbridge.lib.signing import is_signed, sign

BODY = b'{"id": "evt", "type": "transactions.ready_to_sync"}'
SECRET = "ramp_sec_1"
HEX = sign(BODY, secret=SECRET)
RAW = bytes.fromhex(HEX)


def test_agrees_with_a_published_vector() -> None:
    # RFC 4231, test case 2
    assert sign(b"what do ya want for nothing?", secret="Jefe") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


@pytest.mark.parametrize(
    "signature",
    [
        HEX,
        HEX.upper(),
        f"sha256={HEX}",
        f"SHA256={HEX}",
        f"  {HEX} ",
        base64.b64encode(RAW).decode(),
        base64.b64encode(RAW).decode().rstrip("="),
        base64.urlsafe_b64encode(RAW).decode(),
        "sha256=" + base64.b64encode(RAW).decode(),
    ],
)
def test_accepts_every_way_ramp_may_write_it(signature: str) -> None:
    assert is_signed(BODY, signature=signature, secrets=[SECRET])


def test_accepts_the_old_secret_while_one_is_being_changed() -> None:
    assert is_signed(BODY, signature=HEX, secrets=["ramp_sec_new", SECRET])
    assert is_signed(BODY, signature=HEX, secrets=[SECRET, "ramp_sec_new"])


def test_refuses_a_body_that_was_written_anew() -> None:
    assert not is_signed(BODY.replace(b": ", b":"), signature=HEX, secrets=[SECRET])


def test_refuses_another_secret_and_no_secret_at_all() -> None:
    assert not is_signed(BODY, signature=HEX, secrets=["ramp_sec_2"])
    assert not is_signed(BODY, signature=HEX, secrets=[])


@pytest.mark.parametrize(
    "signature",
    [
        *(None, "", "=", "sha256=", "sha256", HEX[:-1], HEX + "0", "g" * 64, "é" * 64, "0" * 64),
        *("!" * 43, "=" * 64, "\x00" * 64, "sha256=sha256=" + HEX, "a" * 100_000, "\udcff" * 64),
    ],
)
def test_odd_headers_are_refused_without_an_error(signature: str | None) -> None:
    assert not is_signed(BODY, signature=signature, secrets=[SECRET])


@given(st.text())
def test_no_text_raises(signature: str) -> None:
    assert not is_signed(BODY, signature=signature, secrets=[SECRET])


@given(st.binary(), st.text(min_size=1).filter(lambda text: text.isascii()))
def test_what_was_signed_is_signed(body: bytes, secret: str) -> None:
    assert is_signed(body, signature=sign(body, secret=secret), secrets=[secret])


def test_an_empty_secret_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="anybody"):
        is_signed(BODY, signature=HEX, secrets=[""])
