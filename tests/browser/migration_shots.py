"""Pictures of the list of migrations and of their steps in every status."""

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.browser.screens import Shot


def empty_shots() -> Iterator[Shot]:
    yield Shot("migrations-empty", "/migrations/")


def season_shots() -> Iterator[Shot]:
    from migrations_tool.models import ConnectionMigration

    yield Shot("migrations", "/migrations/")
    yield Shot("migrations-finished", "/migrations/?show=finished")
    yield Shot("migrations-ended", "/migrations/?show=ended")
    by_slug = {one.connection.slug: one.pk for one in ConnectionMigration.objects.all()}
    yield Shot("migration-running", f"/migrations/{by_slug['harbor-coffee']}/backup/")
    yield Shot("migration-blocked", f"/migrations/{by_slug['northwind-robotics']}/drain/")
    yield Shot("migration-switched", f"/migrations/{by_slug['pennine-outdoor']}/cutover/")
    yield Shot("migration-finish", f"/migrations/{by_slug['pennine-outdoor']}/end/")
    yield Shot("migration-abandon", f"/migrations/{by_slug['sakura-foods']}/end/")
    yield Shot("migration-ended", f"/migrations/{by_slug['lakeside']}/plan/")
    yield Shot("migration-confirm", f"/migrations/{by_slug['verde-clinics']}/preload/do/undo/")
    yield Shot("migration-skip", f"/migrations/{by_slug['atelier-lumiere']}/rules/waive/")
    yield Shot("migration-ask", f"/migrations/{by_slug['atelier-lumiere']}/rules/ask/")


def _open_evidence(page: Page) -> None:
    page.keyboard.press("e")
    page.locator("#evidence-close").wait_for()


def status_shots() -> Iterator[Shot]:
    from migrations_tool.models import ConnectionMigration
    from migrations_tool.steps import Step
    from tests.browser.migration_stories import EVERY_LIGHT, gates

    found = ConnectionMigration.objects.get()
    for step in Step:
        yield Shot(f"step-{step}", f"/migrations/{found.pk}/{step}/")
    with gates(Step.BACKUP, *EVERY_LIGHT):
        yield Shot("step-every-light", f"/migrations/{found.pk}/backup/")
    yield Shot("step-evidence", f"/migrations/{found.pk}/backup/", before=_open_evidence)
    yield Shot("evidence", f"/migrations/{found.pk}/backup/evidence/")


def run_shots() -> Iterator[Shot]:
    from migrations_tool.models import ConnectionMigration

    found = ConnectionMigration.objects.get()
    for step in ("drain", "connection", "preload", "settings", "rehearsal"):
        yield Shot(f"run-of-{step}", f"/migrations/{found.pk}/{step}/")


def long_shots() -> Iterator[Shot]:
    from migrations_tool.models import ConnectionMigration

    found = ConnectionMigration.objects.get()
    yield Shot("long-migrations", "/migrations/")
    yield Shot("long-step", f"/migrations/{found.pk}/backup/")
    yield Shot("long-step-evidence", f"/migrations/{found.pk}/backup/evidence/")
    yield Shot("long-step-confirm", f"/migrations/{found.pk}/preload/do/undo/")
