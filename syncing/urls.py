"""Pages about items and the customers they belong to."""

from django.urls import path

from syncing.api.webhooks import ramp_webhook
from syncing.views.alert_channels import (
    alert_channel,
    alert_channels,
    alert_deliveries,
    new_alert_channel,
    send_alert_again,
    try_alert_channel,
)
from syncing.views.alert_rules import (
    alert_rule,
    alert_rules,
    change_alert_rule,
    mute_alert_rule,
    new_alert_rule,
    preview_alert_rule,
)
from syncing.views.alerts import acknowledge_alert, alert, alerts
from syncing.views.api_keys import api_tokens_page, revoke_api_token
from syncing.views.audit import audit, audit_csv
from syncing.views.backlog import backlog
from syncing.views.backlog_files import backlog_csv
from syncing.views.backlog_parts import backlog_team, backlog_worst
from syncing.views.chart import chart
from syncing.views.chart_acts import read_erp, switch_automatic, upload_chart, verify_chart
from syncing.views.chart_decisions import decide, try_again, withdraw
from syncing.views.chart_records import field, records, set_field
from syncing.views.chart_uploads import mirror_run, upload_batches
from syncing.views.close_board import close_board, close_csv
from syncing.views.close_month import (
    close_month,
    customer_close,
    decide_stamp,
    set_close_day,
    snapshot_month,
    stamp_month,
)
from syncing.views.close_snapshots import close_snapshot, close_snapshots
from syncing.views.closing import close_customer
from syncing.views.connection_settings import (
    ask,
    check_now,
    connection_settings,
    disconnect,
    edit_basics,
    new_credentials,
    turn_switch,
)
from syncing.views.customer import customer
from syncing.views.customer_acts import compare_now, poll_now
from syncing.views.customer_entities import customer_entities
from syncing.views.customer_handling import assign, customer_handling, pin, tag
from syncing.views.customer_in_ramp import customer_bundle, customer_in_ramp
from syncing.views.customer_runs import customer_runs
from syncing.views.customer_story import customer_notes, customer_timeline
from syncing.views.customers import customers, customers_csv
from syncing.views.error_acts import (
    assign_error,
    comment_error,
    rule_error,
    snooze_error,
    take_error,
    wake_error,
    withdraw_ruling,
)
from syncing.views.error_group import error_group
from syncing.views.errors import errors
from syncing.views.incidents import end_incident, incident
from syncing.views.item_acts import ask_for_files, report_link, reveal_payloads
from syncing.views.item_attempts import item_attempts
from syncing.views.item_bundle import item_bundle
from syncing.views.item_drawer import handle_item, item_drawer
from syncing.views.item_list import customer_choices, items, items_csv, select_items
from syncing.views.item_settling import settle_item
from syncing.views.items import item, retry_file, retry_item
from syncing.views.jobs import (
    job,
    job_csv,
    job_new,
    jobs,
    repeat_job,
    stop_job,
    undo_job,
)
from syncing.views.mapping_copies import mapping_copy
from syncing.views.mapping_edit import edit_mapping
from syncing.views.mapping_files import mapping_import
from syncing.views.mapping_lines import download_mappings, mapping_lines, remove_mapping
from syncing.views.mapping_revisions import mapping_revision, mapping_revisions
from syncing.views.mappings import (
    accept_suggestion,
    mapping_progress,
    mapping_suggestions,
    mappings,
)
from syncing.views.my_queue import my_queue
from syncing.views.onboarding import (
    onboarding,
    onboarding_accounts,
    onboarding_entities,
    onboarding_start,
    read_chart,
)
from syncing.views.overview import overview
from syncing.views.pauses import pauses, resume
from syncing.views.presses import press
from syncing.views.report import report
from syncing.views.runs import run, runs
from syncing.views.saved_views import change_view, pinned_views, view_count, views
from syncing.views.search import search, search_suggestions
from syncing.views.statements import statement, statement_csv, statements
from syncing.views.uncertain import settle_together, uncertain
from syncing.views.vendor import vendor
from syncing.views.vendor_acts import (
    decide_creation,
    decide_vendor_change,
    keep_vendors_separate,
    own_vendor_field,
    read_vendors,
    take_back_separate,
)
from syncing.views.vendor_links import link_again, link_vendors, pick_vendors, vendor_links
from syncing.views.vendors import vendors
from syncing.views.webhooks import (
    replay_webhook,
    reveal_webhook,
    webhook_event,
    webhook_inbox,
)
from syncing.views.why_not import ask_why_not, why_not

urlpatterns = [
    # first, for nobody asks as often
    path("webhooks/ramp/<uuid:subscription_id>", ramp_webhook, name="ramp_webhook"),
    path("", overview, name="overview"),
    path("customers/", customers, name="customers"),
    path("customers/new/", onboarding_start, name="onboarding_start"),
    path("mine/", my_queue, name="my_queue"),
    path("backlog/", backlog, name="backlog"),
    path("backlog/customers-by-day/", backlog_worst, name="backlog_worst"),
    path("backlog/team/", backlog_team, name="backlog_team"),
    path("backlog/csv/<slug:chart>/", backlog_csv, name="backlog_csv"),
    path("customers/csv/", customers_csv, name="customers_csv"),
    path("customers/<slug:slug>/", customer, name="customer"),
    path("customers/<slug:slug>/handling/", customer_handling, name="customer_handling"),
    path("customers/<slug:slug>/runs/", customer_runs, name="customer_runs"),
    path("customers/<slug:slug>/timeline/", customer_timeline, name="customer_timeline"),
    path("customers/<slug:slug>/notes/", customer_notes, name="customer_notes"),
    path("customers/<slug:slug>/entities/", customer_entities, name="customer_entities"),
    path("customers/<slug:slug>/in-ramp/", customer_in_ramp, name="customer_in_ramp"),
    path("customers/<slug:slug>/bundle/", customer_bundle, name="customer_bundle"),
    path("customers/<slug:slug>/pin", pin, name="pin_customer"),
    path("customers/<slug:slug>/owner", assign, name="assign_customer"),
    path("customers/<slug:slug>/tags", tag, name="tag_customer"),
    path("customers/<slug:slug>/settings/", connection_settings, name="connection_settings"),
    path("customers/<slug:slug>/settings/basics/", edit_basics, name="edit_basics"),
    path("customers/<slug:slug>/settings/check", check_now, name="check_now"),
    path("customers/<slug:slug>/settings/ask/<slug:what>", ask, name="ask"),
    path("customers/<slug:slug>/settings/close/", close_customer, name="close_customer"),
    path("customers/<slug:slug>/settings/disconnect/", disconnect, name="disconnect"),
    path(
        "customers/<slug:slug>/settings/credentials/<slug:side>/",
        new_credentials,
        name="new_credentials",
    ),
    path("customers/<slug:slug>/settings/switches/<slug:name>", turn_switch, name="turn_switch"),
    path("customers/<slug:slug>/onboarding/", onboarding, name="onboarding"),
    path("customers/<slug:slug>/onboarding/read", read_chart, name="read_chart"),
    path(
        "customers/<slug:slug>/onboarding/entities/",
        onboarding_entities,
        name="onboarding_entities",
    ),
    path(
        "customers/<slug:slug>/onboarding/accounts/",
        onboarding_accounts,
        name="onboarding_accounts",
    ),
    path("customers/<slug:slug>/poll", poll_now, name="poll_now"),
    path("customers/<slug:slug>/compare", compare_now, name="compare_now"),
    path("customers/<slug:slug>/pauses/", pauses, name="pauses"),
    path("customers/<slug:slug>/pauses/<int:pk>/resume", resume, name="resume"),
    path("customers/<slug:slug>/sync-requests/<uuid:pk>/", press, name="press"),
    path("customers/<slug:slug>/chart/", chart, name="chart"),
    path("customers/<slug:slug>/chart/read", read_erp, name="read_erp"),
    path("customers/<slug:slug>/chart/upload", upload_chart, name="upload_chart"),
    path("customers/<slug:slug>/chart/verify", verify_chart, name="verify_chart"),
    path("customers/<slug:slug>/chart/automatic", switch_automatic, name="switch_automatic"),
    path("customers/<slug:slug>/chart/decide/", decide, name="decide"),
    path("customers/<slug:slug>/chart/withdraw", withdraw, name="withdraw_decision"),
    path("customers/<slug:slug>/chart/again", try_again, name="try_record_again"),
    path("customers/<slug:slug>/chart/records/", records, name="chart_records"),
    path("customers/<slug:slug>/chart/fields/<int:pk>/", field, name="chart_field"),
    path("customers/<slug:slug>/chart/fields/<int:pk>/set", set_field, name="set_chart_field"),
    path("customers/<slug:slug>/chart/batches/", upload_batches, name="upload_batches"),
    path("customers/<slug:slug>/chart/batches/<uuid:pk>/", mirror_run, name="mirror_run"),
    path("customers/<slug:slug>/vendors/", vendors, name="vendors"),
    path("customers/<slug:slug>/vendors/pick", pick_vendors, name="pick_vendors"),
    path("customers/<slug:slug>/vendors/link", link_vendors, name="link_vendors"),
    path("customers/<slug:slug>/vendors/links/<uuid:batch>/", vendor_links, name="vendor_links"),
    path("customers/<slug:slug>/vendors/links/<uuid:batch>/again", link_again, name="link_again"),
    path(
        "customers/<slug:slug>/vendors/separate",
        keep_vendors_separate,
        name="keep_vendors_separate",
    ),
    path(
        "customers/<slug:slug>/vendors/not-separate",
        take_back_separate,
        name="take_back_separate",
    ),
    path(
        "customers/<slug:slug>/vendors/merchants/<uuid:pk>",
        decide_creation,
        name="decide_creation",
    ),
    path("customers/<slug:slug>/vendors/owners", own_vendor_field, name="own_vendor_field"),
    path("customers/<slug:slug>/vendors/read", read_vendors, name="read_vendors"),
    path(
        "customers/<slug:slug>/vendors/changes/<uuid:pk>/<slug:act>",
        decide_vendor_change,
        name="decide_vendor_change",
    ),
    path("customers/<slug:slug>/vendors/<path:key>/", vendor, name="vendor"),
    path("customers/<slug:slug>/mappings/", mappings, name="mappings"),
    path("customers/<slug:slug>/mappings/accept", accept_suggestion, name="accept_suggestion"),
    path("customers/<slug:slug>/mappings/edit/", edit_mapping, name="edit_mapping"),
    path("customers/<slug:slug>/mappings/remove", remove_mapping, name="remove_mapping"),
    path(
        "customers/<slug:slug>/mappings/suggestions/",
        mapping_suggestions,
        name="mapping_suggestions",
    ),
    path("customers/<slug:slug>/mappings/all/", mapping_lines, name="mapping_lines"),
    path("customers/<slug:slug>/mappings/csv", download_mappings, name="download_mappings"),
    path("customers/<slug:slug>/mappings/file/", mapping_import, name="mapping_import"),
    path("customers/<slug:slug>/mappings/copy/", mapping_copy, name="mapping_copy"),
    path("customers/<slug:slug>/mappings/revisions/", mapping_revisions, name="mapping_revisions"),
    path(
        "customers/<slug:slug>/mappings/revisions/<int:number>/",
        mapping_revision,
        name="mapping_revision",
    ),
    path(
        "customers/<slug:slug>/mappings/revisions/<int:number>/progress",
        mapping_progress,
        name="mapping_progress",
    ),
    path("customers/<slug:slug>/close/", customer_close, name="customer_close"),
    path("customers/<slug:slug>/close/<slug:month>/", close_month, name="close_month"),
    path("customers/<slug:slug>/close/<slug:month>/stamp", stamp_month, name="stamp_month"),
    path(
        "customers/<slug:slug>/close/<slug:month>/stamps/<int:pk>",
        decide_stamp,
        name="decide_stamp",
    ),
    path(
        "customers/<slug:slug>/close/<slug:month>/snapshot",
        snapshot_month,
        name="snapshot_month",
    ),
    path("customers/<slug:slug>/close/<slug:month>/day", set_close_day, name="set_close_day"),
    path("customers/<slug:slug>/statements/", statements, name="statements"),
    path("customers/<slug:slug>/statements/<int:pk>/", statement, name="statement"),
    path("customers/<slug:slug>/statements/<int:pk>/csv", statement_csv, name="statement_csv"),
    path("close/", close_board, name="close_board"),
    path("close/csv", close_csv, name="close_csv"),
    path("close/snapshots/", close_snapshots, name="close_snapshots"),
    path("close/snapshots/<slug:name>/", close_snapshot, name="close_snapshot"),
    path("errors/", errors, name="errors"),
    path("errors/<slug:fingerprint>/", error_group, name="error_group"),
    path("errors/<slug:fingerprint>/assign", assign_error, name="assign_error"),
    path("errors/<slug:fingerprint>/take", take_error, name="take_error"),
    path("errors/<slug:fingerprint>/comment", comment_error, name="comment_error"),
    path("errors/<slug:fingerprint>/snooze", snooze_error, name="snooze_error"),
    path("errors/<slug:fingerprint>/wake", wake_error, name="wake_error"),
    path("errors/<slug:fingerprint>/rule", rule_error, name="rule_error"),
    path("errors/<slug:fingerprint>/withdraw", withdraw_ruling, name="withdraw_ruling"),
    path("items/", items, name="items"),
    path("items/csv", items_csv, name="items_csv"),
    path("items/customers", customer_choices, name="customer_choices"),
    path("items/tick", select_items, name="select_items"),
    path("items/<int:pk>/summary/", item_drawer, name="item_drawer"),
    path("items/<int:pk>/handle", handle_item, name="handle_item"),
    path("items/<int:pk>/", item, name="item"),
    path("items/<int:pk>/retry", retry_item, name="retry_item"),
    path("items/<int:item_pk>/files/<int:pk>/retry", retry_file, name="retry_file"),
    path("items/<int:pk>/files/ask", ask_for_files, name="ask_for_files"),
    path("items/<int:pk>/links/<slug:name>/dead", report_link, name="report_link"),
    path("items/<int:pk>/attempts/", item_attempts, name="item_attempts"),
    path("items/<int:pk>/bundle/", item_bundle, name="item_bundle"),
    path("items/<int:pk>/revealed/", reveal_payloads, name="reveal_payloads"),
    path("items/<int:pk>/settle/<slug:act>", settle_item, name="settle_item"),
    path("uncertain/", uncertain, name="uncertain"),
    path("uncertain/<slug:act>", settle_together, name="settle_together"),
    path("why-not/", why_not, name="why_not"),
    path("why-not/ask", ask_why_not, name="ask_why_not"),
    path("jobs/", jobs, name="jobs"),
    path("jobs/new", job_new, name="job_new"),
    path("jobs/<uuid:pk>/", job, name="job"),
    path("jobs/<uuid:pk>/csv", job_csv, name="job_csv"),
    path("jobs/<uuid:pk>/stop", stop_job, name="stop_job"),
    path("jobs/<uuid:pk>/again", repeat_job, name="repeat_job"),
    path("jobs/<uuid:pk>/undo", undo_job, name="undo_job"),
    path("views/", views, name="views"),
    path("views/pinned", pinned_views, name="pinned_views"),
    path("views/<int:pk>/change", change_view, name="change_view"),
    path("views/<int:pk>/count", view_count, name="view_count"),
    path("api-keys/", api_tokens_page, name="api_tokens"),
    path("api-keys/<int:pk>/revoke", revoke_api_token, name="revoke_api_token"),
    path("search", search, name="search"),
    path("search/suggestions", search_suggestions, name="search_suggestions"),
    path("runs/", runs, name="runs"),
    path("runs/<int:pk>/", run, name="run"),
    path("runs/reports/<uuid:pk>/", report, name="report"),
    path("incidents/<int:pk>/", incident, name="incident"),
    path("incidents/<int:pk>/end", end_incident, name="end_incident"),
    path("alerts/", alerts, name="alerts"),
    path("alerts/<int:pk>/", alert, name="alert"),
    path("alerts/<int:pk>/acknowledge", acknowledge_alert, name="acknowledge_alert"),
    path("alerts/rules/", alert_rules, name="alert_rules"),
    path("alerts/rules/new", new_alert_rule, name="new_alert_rule"),
    path("alerts/rules/preview", preview_alert_rule, name="preview_alert_rule"),
    path("alerts/rules/<int:pk>/", alert_rule, name="alert_rule"),
    path("alerts/rules/<int:pk>/change", change_alert_rule, name="change_alert_rule"),
    path("alerts/rules/<int:pk>/mute", mute_alert_rule, name="mute_alert_rule"),
    path("alerts/channels/", alert_channels, name="alert_channels"),
    path("alerts/channels/new", new_alert_channel, name="new_alert_channel"),
    path("alerts/channels/<int:pk>/", alert_channel, name="alert_channel"),
    path("alerts/channels/<int:pk>/test", try_alert_channel, name="try_alert_channel"),
    path("alerts/deliveries/", alert_deliveries, name="alert_deliveries"),
    path("alerts/deliveries/<int:pk>/again", send_alert_again, name="send_alert_again"),
    path("audit/", audit, name="audit"),
    path("audit/csv", audit_csv, name="audit_csv"),
    path("webhooks/", webhook_inbox, name="webhook_inbox"),
    path("webhooks/<int:pk>/", webhook_event, name="webhook_event"),
    path("webhooks/<int:pk>/reveal", reveal_webhook, name="reveal_webhook"),
    path("webhooks/<int:pk>/replay", replay_webhook, name="replay_webhook"),
]
