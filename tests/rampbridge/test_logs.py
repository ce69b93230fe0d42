import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from rampbridge import logs


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What a logger with our configuration writes."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = StringIO()
    configuration = logs.configuration(level="INFO", format_name="json")
    configuration["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(configuration)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def last_line(stream: StringIO) -> dict[str, object]:
    line: dict[str, object] = json.loads(stream.getvalue().splitlines()[-1])
    return line


class TestRedaction:
    def test_drops_values_under_names_that_sound_secret(self, written: StringIO) -> None:
        structlog.get_logger("test").info(
            "token_fetched",
            access_token="canary",
            headers={"Authorization": "canary", "Accept": "json"},
            idempotency_key="kept",
        )

        line = last_line(written)

        assert "canary" not in written.getvalue()
        assert line["headers"] == {"Authorization": logs.REDACTED, "Accept": "json"}
        assert line["idempotency_key"] == "kept"

    @pytest.mark.parametrize(
        "text",
        [
            "sent Authorization: Bearer canary-canary",
            "postgresql://bridge:canary@db/bridge refused",
            'body {"client_secret": "canary", "grant": "x"}',
            "grant_type=password&password=canary&scope=x",
        ],
    )
    def test_drops_what_looks_like_a_secret_inside_a_text(
        self, written: StringIO, text: str
    ) -> None:
        structlog.get_logger("test").warning("failed", reason=text)

        assert "canary" not in written.getvalue()

    def test_drops_a_known_secret_wherever_it_stands(self, written: StringIO) -> None:
        logs.remember_secrets(["canary-of-a-customer"])

        try:
            int("the ERP said: canary-of-a-customer is no user")
        except ValueError:
            structlog.get_logger("test").exception("failed", items=[{"a": "canary-of-a-customer"}])

        assert "canary-of-a-customer" not in written.getvalue()
        assert "the ERP said" in written.getvalue()

    def test_covers_loggers_of_other_packages(self, written: StringIO) -> None:
        logging.getLogger("somebody.else").error("GET %s", "https://u:canary@host/")

        assert "canary" not in written.getvalue()

    def test_keeps_one_event_on_one_line(self, written: StringIO) -> None:
        structlog.get_logger("test").info("said", text="first\nforged line")

        assert len(written.getvalue().splitlines()) == 1
