"""Settings and onboarding in every state, for `./run screens`."""

from collections.abc import Iterator

from tests.browser.screens import Shot


def shots() -> Iterator[Shot]:
    """Of the customers that `settings_stories.all_of_them` makes."""
    for name in ("settings-well", "settings-ill", "settings-long", "settings-nothing"):
        yield Shot(name, f"/customers/{name}/settings/")
    for name in ("onboarding-half", "onboarding-long", "settings-nothing"):
        yield Shot(f"steps-{name}", f"/customers/{name}/onboarding/")
    yield Shot("new-customer", "/customers/new/?erp=tryton")
    for form in ("basics", "credentials/erp", "disconnect"):
        name = form.replace("/", "-")
        yield Shot(f"settings-form-{name}", f"/customers/settings-ill/settings/{form}/")
    for form in ("entities", "accounts"):
        yield Shot(f"onboarding-form-{form}", f"/customers/onboarding-half/onboarding/{form}/")
