"""Structured logs in which no secret stands.

Three nets, for each catches what slips through the others: values under a name that sounds secret,
patterns such as a bearer token inside a text, and the very values that are known to be secret.
"""

import logging.config
import re
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from rampbridge.lib import tracing

REDACTED = "[redacted]"
SHORTEST_SECRET = 8  # a shorter one would blank out ordinary words

SECRET_NAME = re.compile(
    r"(^|[_\-. ])(password|passwd|passphrase|secret|token|authorization|cookie|set-cookie"
    r"|credentials?|api[_-]?key|private[_-]?key|encryption[_-]?keys?|signature|session[_-]?key)$",
    re.IGNORECASE,
)
SECRET_PATTERNS = (
    (re.compile(r"(?i)\b(bearer|basic|session)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 " + REDACTED),
    (re.compile(r"\b(rbk_)[A-Za-z0-9_-]{16,}"), r"\1" + REDACTED),  # keys to our API
    (re.compile(r"(/m/)[A-Za-z0-9_-]{16,}"), r"\1" + REDACTED),  # customers' links
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+(@)"), rf"\1{REDACTED}\2"),
    (
        re.compile(r"(?i)([\"']?\b(?:password|client_secret|access_token|refresh_token)\b[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,}]+"),
        rf"\1{REDACTED}",
    ),
)  # fmt: skip

_known_secrets: set[str] = set()


def remember_secrets(values: Iterable[str]) -> None:
    """Never let these values into a log, wherever they turn up. For whoever decrypts one."""
    _known_secrets.update(value for value in values if len(value) >= SHORTEST_SECRET)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A structlog processor: the event without its secrets."""
    return {name: clean(value, name) for name, value in event.items()}


def clean(value: Any, name: str = "") -> Any:
    """Any structure without its secrets.

    :param name: under which it stands; one that sounds secret blanks it out whole
    """
    if value and SECRET_NAME.search(name):
        return REDACTED
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {key: clean(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [clean(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return clean_text(repr(value) if isinstance(value, BaseException) else str(value))


def clean_text(text: str) -> str:
    """The text with everything that is, or looks like, a secret replaced."""
    for secret in _known_secrets:
        text = text.replace(secret, REDACTED)
    for pattern, replacement in SECRET_PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def add_trace_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A structlog processor: which trace the line belongs to, where traces are on."""
    if found := tracing.trace_id():
        event["trace_id"] = found
    return event


# For our own loggers and for everyone else's alike.
SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    add_trace_id,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    redact,
]


def configuration(*, level: str, format_name: str) -> dict[str, Any]:
    """Django's `LOGGING`: all to standard error, as lines of JSON or as people read it."""
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if format_name == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # A line for every call with its whole address; our clients log what matters of it.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            # The finished request says it all, once.
            "django.server": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "django_structlog.celery": {"level": "WARNING"},
        },
    }


def configure(settings: dict[str, Any]) -> None:
    """Set up this process's logs. Django calls it by `LOGGING_CONFIG`, Celery by a signal."""
    logging.config.dictConfig(settings)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
