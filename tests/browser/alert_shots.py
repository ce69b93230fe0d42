"""Pictures of alerts, rules, channels and messages."""

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.browser.screens import Shot


def _wait_for_preview(page: Page) -> None:
    page.locator("#preview .alert-count").wait_for()


def _rule(kind: str) -> str:
    from syncing.models import AlertRule

    return f"/alerts/rules/{AlertRule.objects.get(shipped_as=kind).pk}/"


def empty_shots() -> Iterator[Shot]:
    yield Shot("alerts-empty", "/alerts/")
    yield Shot("alert-channels-empty", "/alerts/channels/")
    yield Shot("alert-messages-empty", "/alerts/deliveries/")


def shots() -> Iterator[Shot]:
    from syncing.models import Alert

    yield Shot("alerts", "/alerts/")
    for alert in Alert.objects.filter(rule__kind__in=["webhook_gap", "mismatch"]):
        state = "over" if alert.resolved_at else "open"
        yield Shot(f"alert-{alert.rule.kind}-{state}", f"/alerts/{alert.pk}/")
    yield Shot("alert-rules", "/alerts/rules/")
    yield Shot("alert-kinds", "/alerts/rules/new")
    yield Shot("alert-rule", _rule("backlog_items"), before=_wait_for_preview)
    yield Shot("alert-rule-muted", _rule("poll_lag"), before=_wait_for_preview)
    yield Shot("alert-channels", "/alerts/channels/")
    yield Shot("alert-channel-new", "/alerts/channels/new")
    yield Shot("alert-messages", "/alerts/deliveries/")


def long_shots() -> Iterator[Shot]:
    from syncing.models import Alert

    yield Shot("long-alerts", "/alerts/")
    yield Shot("long-alert", f"/alerts/{Alert.objects.get().pk}/")
    yield Shot("long-alert-rules", "/alerts/rules/")
    yield Shot("long-alert-rule", _rule("blocked"), before=_wait_for_preview)
    yield Shot("long-alert-messages", "/alerts/deliveries/")
    yield Shot("long-alert-channels", "/alerts/channels/")
