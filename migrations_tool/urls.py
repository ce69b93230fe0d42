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
from migrations_tool.views.backup import (
    migration_backup_anew,
    migration_backup_archive,
    migration_backup_codings,
)
from migrations_tool.views.board import (
    migration_choose,
    migration_end,
    migration_start,
    migrations,
)
from migrations_tool.views.closing import (
    migration_flip_documents,
    migration_hypercare_report,
    migration_hypercare_report_file,
)
from migrations_tool.views.cutover import (
    migration_cutover_bill,
    migration_cutover_codings,
    migration_cutover_dismiss,
    migration_cutover_release,
    migration_cutover_rule,
    migration_cutover_tick,
)
from migrations_tool.views.drain import migration_drain_bills, migration_drain_live
from migrations_tool.views.evidence import migration_evidence
from migrations_tool.views.former_codings import former_codings
from migrations_tool.views.in_flight import migrations_in_flight
from migrations_tool.views.inventory import migration_inventory_csv
from migrations_tool.views.links import migration_link_revoke, migration_links
from migrations_tool.views.mapping import (
    migration_mapping_decide,
    migration_mapping_park,
    migration_mapping_record,
    migration_mapping_undo,
)
from migrations_tool.views.mapping_lists import (
    migration_mapping_accept,
    migration_mapping_csv,
    migration_mapping_diff,
    migration_mapping_restore,
    migration_mapping_upload,
)
from migrations_tool.views.plan import migration_plan_save
from migrations_tool.views.rehearsal import (
    migration_rehearsal_explain,
    migration_rehearsal_object,
    migration_rehearsal_report,
    migration_rehearsal_sign,
    migration_rehearsal_withdraw,
)
from migrations_tool.views.rules import (
    migration_rules_add,
    migration_rules_back,
    migration_rules_confirmed,
    migration_rules_csv,
    migration_rules_drop,
    migration_rules_edit,
    migration_rules_import,
    migration_rules_tick,
)
from migrations_tool.views.screenshots import migration_rules_picture, migration_screenshot
from migrations_tool.views.settings_step import migration_settings_choose
from migrations_tool.views.sharing import migration_share
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
    path("migrations/under-way/", migrations_in_flight, name="migrations_in_flight"),
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
    path("m/<str:token>/", migration_share, name="migration_share"),
    path("migrations/<int:pk>/links/", migration_links, name="migration_links"),
    path(
        "migrations/<int:pk>/links/<int:link>/revoke/",
        migration_link_revoke,
        name="migration_link_revoke",
    ),
    path(
        "migrations/<int:pk>/flip/documents.csv",
        migration_flip_documents,
        name="migration_flip_documents",
    ),
    path(
        "migrations/<int:pk>/cutover/canaries/<int:canary>/",
        migration_cutover_tick,
        name="migration_cutover_tick",
    ),
    path(
        "migrations/<int:pk>/cutover/release/<slug:object_type>/",
        migration_cutover_release,
        name="migration_cutover_release",
    ),
    path(
        "migrations/<int:pk>/cutover/codings/",
        migration_cutover_codings,
        name="migration_cutover_codings",
    ),
    path(
        "migrations/<int:pk>/cutover/not-a-duplicate/",
        migration_cutover_dismiss,
        name="migration_cutover_dismiss",
    ),
    path(
        "migrations/<int:pk>/cutover/bills/<int:bill>/",
        migration_cutover_bill,
        name="migration_cutover_bill",
    ),
    path(
        "migrations/<int:pk>/cutover/rules/<int:rule>/",
        migration_cutover_rule,
        name="migration_cutover_rule",
    ),
    path(
        "migrations/<int:pk>/hypercare/report/",
        migration_hypercare_report,
        name="migration_hypercare_report",
    ),
    path(
        "migrations/<int:pk>/hypercare/report.<slug:kind>",
        migration_hypercare_report_file,
        name="migration_hypercare_report_file",
    ),
    path("former-codings/", former_codings, name="former_codings"),
    path(
        "migrations/<int:pk>/backup/another/", migration_backup_anew, name="migration_backup_anew"
    ),
    path(
        "migrations/<int:pk>/backup/<int:number>/archive.tar.gz",
        migration_backup_archive,
        name="migration_backup_archive",
    ),
    path(
        "migrations/<int:pk>/backup/<int:number>/codings.csv",
        migration_backup_codings,
        name="migration_backup_codings",
    ),
    path("migrations/<int:pk>/drain/live/", migration_drain_live, name="migration_drain_live"),
    path("migrations/<int:pk>/drain/bills/", migration_drain_bills, name="migration_drain_bills"),
    path(
        "migrations/<int:pk>/mapping/records/<int:record>/",
        migration_mapping_record,
        name="migration_mapping_record",
    ),
    path(
        "migrations/<int:pk>/mapping/records/<int:record>/decide/",
        migration_mapping_decide,
        name="migration_mapping_decide",
    ),
    path(
        "migrations/<int:pk>/mapping/records/<int:record>/park/",
        migration_mapping_park,
        name="migration_mapping_park",
    ),
    path(
        "migrations/<int:pk>/mapping/records/<int:record>/undo/",
        migration_mapping_undo,
        name="migration_mapping_undo",
    ),
    path(
        "migrations/<int:pk>/mapping/accept/",
        migration_mapping_accept,
        name="migration_mapping_accept",
    ),
    path(
        "migrations/<int:pk>/mapping/charts/", migration_mapping_diff, name="migration_mapping_diff"
    ),
    path("migrations/<int:pk>/mapping/csv/", migration_mapping_csv, name="migration_mapping_csv"),
    path(
        "migrations/<int:pk>/mapping/file/",
        migration_mapping_upload,
        name="migration_mapping_upload",
    ),
    path(
        "migrations/<int:pk>/mapping/versions/<int:evidence>/",
        migration_mapping_restore,
        name="migration_mapping_restore",
    ),
    path(
        "migrations/<int:pk>/rehearsal/objects/<int:rehearsed>/",
        migration_rehearsal_object,
        name="migration_rehearsal_object",
    ),
    path(
        "migrations/<int:pk>/rehearsal/objects/<int:rehearsed>/explain/",
        migration_rehearsal_explain,
        name="migration_rehearsal_explain",
    ),
    path(
        "migrations/<int:pk>/rehearsal/report/",
        migration_rehearsal_report,
        name="migration_rehearsal_report",
    ),
    path(
        "migrations/<int:pk>/rehearsal/sign/",
        migration_rehearsal_sign,
        name="migration_rehearsal_sign",
    ),
    path(
        "migrations/<int:pk>/rehearsal/signatures/<slug:role>/withdraw/",
        migration_rehearsal_withdraw,
        name="migration_rehearsal_withdraw",
    ),
    path("migrations/<int:pk>/plan/save/", migration_plan_save, name="migration_plan_save"),
    path(
        "migrations/<int:pk>/settings/choose/",
        migration_settings_choose,
        name="migration_settings_choose",
    ),
    path(
        "migrations/<int:pk>/inventory/counted.csv",
        migration_inventory_csv,
        name="migration_inventory_csv",
    ),
    path("migrations/<int:pk>/rules/add/", migration_rules_add, name="migration_rules_add"),
    path("migrations/<int:pk>/rules/list.csv", migration_rules_csv, name="migration_rules_csv"),
    path(
        "migrations/<int:pk>/rules/import/", migration_rules_import, name="migration_rules_import"
    ),
    path(
        "migrations/<int:pk>/rules/confirmed/",
        migration_rules_confirmed,
        name="migration_rules_confirmed",
    ),
    path(
        "migrations/<int:pk>/rules/<int:rule>/edit/",
        migration_rules_edit,
        name="migration_rules_edit",
    ),
    path(
        "migrations/<int:pk>/rules/<int:rule>/drop/",
        migration_rules_drop,
        name="migration_rules_drop",
    ),
    path(
        "migrations/<int:pk>/rules/<int:rule>/back/",
        migration_rules_back,
        name="migration_rules_back",
    ),
    path(
        "migrations/<int:pk>/rules/<int:rule>/tick/",
        migration_rules_tick,
        name="migration_rules_tick",
    ),
    path(
        "migrations/<int:pk>/rules/<int:rule>/picture/",
        migration_rules_picture,
        name="migration_rules_picture",
    ),
    path(
        "migrations/<int:pk>/rules/pictures/<int:picture>/",
        migration_screenshot,
        name="migration_screenshot",
    ),
]
