"""Pages about customers' moves off another integration."""

from django.urls import path, register_converter

from migrations_tool.steps import Step
from migrations_tool.views.acts import (
    migration_act,
    migration_ask,
    migration_note,
    migration_owner,
    migration_waive,
    migration_waiver,
)
from migrations_tool.views.board import (
    migration_choose,
    migration_end,
    migration_start,
    migrations,
)
from migrations_tool.views.evidence import migration_evidence
from migrations_tool.views.steps import migration, migration_step


class StepConverter:
    """A step's name in an address."""

    regex = "|".join(Step)

    def to_python(self, value: str) -> Step:
        return Step(value)

    def to_url(self, value: Step | str) -> str:
        return str(Step(value))


register_converter(StepConverter, "step")

urlpatterns = [
    path("migrations/", migrations, name="migrations"),
    path("migrations/choose", migration_choose, name="migration_choose"),
    path("customers/<slug:slug>/migrate/", migration_start, name="migration_start"),
    path("migrations/<int:pk>/", migration, name="migration"),
    path("migrations/<int:pk>/end/", migration_end, name="migration_end"),
    path("migrations/<int:pk>/waivers/<int:waiver>/", migration_waiver, name="migration_waiver"),
    path("migrations/<int:pk>/<step:step>/", migration_step, name="migration_step"),
    path("migrations/<int:pk>/<step:step>/do/<slug:act>/", migration_act, name="migration_act"),
    path("migrations/<int:pk>/<step:step>/owner/", migration_owner, name="migration_owner"),
    path("migrations/<int:pk>/<step:step>/note/", migration_note, name="migration_note"),
    path("migrations/<int:pk>/<step:step>/waive/", migration_waive, name="migration_waive"),
    path("migrations/<int:pk>/<step:step>/ask/", migration_ask, name="migration_ask"),
    path(
        "migrations/<int:pk>/<step:step>/evidence/", migration_evidence, name="migration_evidence"
    ),
]
