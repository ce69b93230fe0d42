"""A customer is moved off another integration, from the plan to the closing report."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from connections.models import CustomField, FieldOption, LedgerAccount
from migrations_tool import sharing
from migrations_tool.models import (
    Backup,
    Evidence,
    FormerCoding,
    OldRecord,
    RehearsedObject,
    Report,
    ShareLink,
    StepRun,
)
from migrations_tool.rehearsal import explaining
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Status
from syncing.models import SyncItem
from syncing.states import ItemState
from tests.browser.conftest import Arrive, Visitor
from tests.browsers import CHROMIUM_MISSING, find_chromium
from tests.factories import UserFactory
from tests.journeys.migrating import (
    CONTACT,
    EMAIL,
    PROFILE,
    People,
    killed_again_and_again,
    served,
    uploads,
)
from tests.journeys.wizard_desk import DONE, Desk, follow_up, let_days_pass, let_minutes_pass, race
from tests.migrations_tool.world import ENGINEERING, OPERATIONS, SALES, World
from tests.plugins.tryton import TrytonServer

pytestmark = pytest.mark.django_db(transaction=True)
KEPT = {
    "accounts": 10,
    "bill": 5,
    "cashback": 1,
    "entities": 1,
    "fields": 1,
    "links": 2,
    "options": 3,
    "reimbursement": 2,
    "tax_codes": 1,
    "tax_rates": 1,
    "transaction": 8,
    "transfer": 2,
    "vendor_credit": 1,
    "vendors": 4,
}
"""Of the old chart, and all objects in Ramp: each once."""


@pytest.fixture
def world(settings: Settings, live_server: LiveServer) -> Iterator[World]:
    with served(settings, live_server.url) as ready:
        yield ready


def complete(world: World, *steps: Step) -> None:
    for step in steps:
        done = world.do(step, Act.COMPLETE)
        assert world.status(step) is Status.DONE, f"{step}: {done.title}"


def apply(world: World, step: Step) -> None:
    done = world.do(step, Act.APPLY)
    assert done.state == StepRun.State.DONE, f"{step}: {done.title}"


def test_customer_migrates_although_workers_are_killed(world: World) -> None:
    """In backup, preload and rehearsal: nothing is there twice, and no evidence is missing."""
    people = People(world)
    people.plan()
    complete(world, Step.PLAN, Step.ACCESS)
    apply(world, Step.INVENTORY)
    complete(world, Step.INVENTORY)
    people.confirm_rules()
    people.drain()
    complete(world, Step.RULES, Step.DRAIN)

    killed_again_and_again(world, Step.BACKUP, "in_step_run:2", "in_step_run:9", "in_step_run:12")
    [backup] = Backup.objects.filter(state=Backup.State.SEALED)
    assert backup.counts == KEPT
    codings = Counter(FormerCoding.objects.filter(backup=backup).values_list("ramp_id", flat=True))
    assert max(codings.values()) == 1

    complete(world, Step.BACKUP)
    apply(world, Step.CONNECTION)
    apply(world, Step.MAPPING)
    people.map_chart()
    complete(world, Step.CONNECTION, Step.MAPPING)
    killed_again_and_again(
        world,
        Step.PRELOAD,
        "in_step_run:2",
        "before_upload:1",
        "after_upload:2",
        "after_upload_kept:1",
    )
    assert uploads(world) == {
        "POST /accounting/connection": 1,
        "POST /accounting/accounts": 1,
        "POST /accounting/fields": 1,
        "POST /accounting/field-options": 1,
        "POST /accounting/vendors": 1,
    }
    assert not [one for one in world.sim.log if one.status >= 400]

    people.name_accounts()
    apply(world, Step.SETTINGS)
    complete(world, Step.PRELOAD, Step.SETTINGS)
    killed_again_and_again(world, Step.REHEARSAL, "in_step_run:2", "in_step_run:9")
    rehearsed = RehearsedObject.objects.values_list("object_type", "ramp_id")
    assert len(rehearsed) == len(set(rehearsed)) == 18
    people.explain()
    people.sign_as_implementer()
    people.sign_as_customer()
    complete(world, Step.REHEARSAL)
    assert_no_gap(world)


def assert_no_gap(world: World) -> None:
    """Each step that is done says so, and each of its conditions rests on evidence."""
    for step in Step:
        if world.status(step) is not Status.DONE:
            continue
        completed = Evidence.objects.filter(step=step, code="wizard.completed")
        assert completed.count() == 1, step
        assert all(gate.is_open for gate in world.gates(step).values()), step


@pytest.mark.browser
@pytest.mark.skipif(find_chromium() is None, reason=CHROMIUM_MISSING)
class TestInTheBrowser:
    @pytest.fixture
    def world(
        self, settings: Settings, address: str, tryton_server: TrytonServer
    ) -> Iterator[World]:
        """Its books are in a real Tryton."""
        with served(settings, address, tryton=tryton_server.settings("journey")) as ready:
            yield ready

    def test_customer_migrates_from_plan_to_closing_report(
        self, arrive: Arrive, world: World
    ) -> None:
        desk, customer = Desk(arrive("implementer"), world), arrive("")
        people = People(world)
        world.buy("5.00", None, merchant="Uber", options={}, ready=True)  # and nobody coded it
        desk.start()

        plan(desk)
        desk.complete(Step.ACCESS)
        desk.do(Step.INVENTORY, Act.APPLY)
        desk.complete(Step.INVENTORY)
        answer_link(desk, customer, ShareLink.Purpose.RULES)
        desk.complete(Step.RULES)
        desk.do(Step.BACKUP, Act.APPLY)
        desk.complete(Step.BACKUP)
        drain(desk)
        desk.prepare(Step.CONNECTION)
        desk.do(Step.MAPPING, Act.APPLY)
        map_one(desk)
        people.map_chart(in_tryton(world))
        desk.complete(Step.MAPPING)
        desk.prepare(Step.PRELOAD)
        name_accounts(desk)
        desk.prepare(Step.SETTINGS)
        rehearse(desk, customer, people)
        switch(desk)
        cut_over(desk)
        let_days_pass(world, world.migration.hypercare_days)
        desk.complete(Step.HYPERCARE)

        assert world.migration.state == "finished"
        assert_no_gap(world)
        desk.page.get_by_role("link", name="The closing report").click()
        expect(desk.page.get_by_text("QuickBooks Online").first).to_be_visible()
        assert bytes(Report.objects.get(kind=Report.Kind.CLOSING).pdf).startswith(b"%PDF")
        assert desk.visitor.complaints == customer.complaints == []


@pytest.mark.browser
@pytest.mark.skipif(find_chromium() is None, reason=CHROMIUM_MISSING)
def test_customer_migrates_with_two_browsers_racing_on_one_step(
    arrive: Arrive, settings: Settings, address: str
) -> None:
    """Both press the same button of the same page: it is run once, and the other one is told."""
    with served(settings, address) as world:
        people = People(world)
        people.plan()
        complete(world, Step.PLAN, Step.ACCESS)
        desks = [Desk(arrive("implementer"), world) for _ in range(2)]
        for act, runs in ((Act.APPLY, 1), (Act.COMPLETE, 1)):
            for desk in desks:
                desk.open(Step.BACKUP)
            for desk in desks:
                desk.page.evaluate(f"document.querySelector('#act-{act}').click()")
            for desk in desks:
                expect(desk.page.locator("#step-notice")).to_be_visible()
            told = [desk.page.locator("#step-notice").get_attribute("role") for desk in desks]
            assert sorted(map(str, told)) == ["alert", "status"], "one of them is refused"
            assert StepRun.objects.filter(step=Step.BACKUP, act=act).count() == runs
            race(world)
            for desk in desks:
                desk.page.reload()

        assert Backup.objects.count() == 1
        assert_no_gap(world)
        for desk in desks:
            expect(desk.page.locator("#task-backup .wizard-status")).to_have_text(DONE)


def plan(desk: Desk) -> None:
    """The check reads from Ramp who has the seat; then people agree on the day and on who."""
    UserFactory.create(username="sam")
    desk.do(Step.PLAN, Act.CHECK)
    page = desk.page
    expect(page.get_by_text("QuickBooks Online has the seat").first).to_be_visible()
    page.get_by_label("Supporter").fill("sam")
    page.locator("#plan-contact").fill(CONTACT)
    page.locator("#plan-email").fill(EMAIL)
    page.locator("#plan-role").select_option("admin")
    page.locator("#save-plan").click()
    expect(page.locator("#step-notice")).to_have_text(re.compile("The plan is kept"))
    desk.complete(Step.PLAN)


def answer_link(desk: Desk, customer: Visitor, purpose: ShareLink.Purpose) -> None:
    """The customer's contact opens their link, without an account, and stands for what it shows."""
    token = sharing.make(desk.world.migration, purpose, actor="ines", now=timezone.now())
    page = customer.go(f"/m/{token}/")
    page.get_by_label("I have read it and stand for it.").check()
    page.locator("button[type=submit]").click()
    expect(page.get_by_label("I have read it and stand for it.")).to_have_count(0)


def drain(desk: Desk) -> None:
    """Everything ready is synced by the old provider, and each bill in flight is decided."""
    desk.do(Step.DRAIN, Act.CHECK)
    page = desk.page
    expect(page.get_by_text("Still ready:").first).to_be_visible()
    for box in page.locator("input[name=bill]").all():
        box.check()
    page.locator("input[name=decision][value=hold]").check()
    page.locator("#decide-bills").click()
    expect(page.locator("#step-notice")).to_be_visible()
    desk.world.sync_old()
    desk.do(Step.DRAIN, Act.CHECK)
    let_minutes_pass(desk.world, 16)
    desk.complete(Step.DRAIN)


def map_one(desk: Desk) -> None:
    """An old account that nothing is suggested for, by hand."""
    row = OldRecord.objects.get(migration=desk.world.migration, kind="account", old_id="62")
    page = desk.open(Step.MAPPING)
    page.locator(f"#record-{row.pk}").click()
    page.locator("#record-search").fill("6400")
    with page.expect_navigation():
        page.get_by_role("button", name="Search").click()
    page.get_by_role("radio", name=re.compile("6400")).first.check()
    expect(page.locator("#impact")).to_contain_text("with this decision")
    page.get_by_label("Why this one").fill("Rented things are office cost now.")
    page.get_by_label("If another old one leads there too").fill("Both are office cost.")
    page.locator("#save-decision").click()
    expect(page.get_by_text("leads to 6400").first).to_be_visible()
    row.refresh_from_db()
    assert row.decided_by


def name_accounts(desk: Desk) -> None:
    """What Ramp does not code, chosen where the rehearsal leads."""
    page = desk.open(Step.REHEARSAL)
    page.locator("#posting-accounts").click()
    for purpose, erp_id in profile_in_tryton(desk.world).items():
        page.locator(f"select[name={purpose}]").select_option(erp_id)
    page.locator("main button[type=submit]").click()
    expect(page.get_by_text("The posting accounts are saved.")).to_be_visible()


def explain_one(desk: Desk) -> None:
    """What differs, and why that is as it should be."""
    row = explaining.unexplained(desk.world.migration)[0]
    page = desk.open(Step.REHEARSAL)
    page.locator(f"#object-{row.pk}").click()
    page.get_by_label("Why this is as it should be").fill("As agreed with the controller.")
    page.locator("#explain").click()
    expect(page.get_by_text(re.compile("xplained\\.")).first).to_be_visible()
    row.refresh_from_db()
    assert row.explained_as == "As agreed with the controller."


def rehearse(desk: Desk, customer: Visitor, people: People) -> None:
    """Real objects through the new mapping, and both sides sign what came of it."""
    desk.do(Step.REHEARSAL, Act.APPLY)
    explain_one(desk)
    people.explain()
    page = desk.open(Step.REHEARSAL)
    with page.expect_navigation():
        page.locator("#sign").click()
    answer_link(desk, customer, ShareLink.Purpose.SIGN)
    desk.complete(Step.REHEARSAL)


def switch(desk: Desk) -> None:
    """It is marked ready, the customer switches as their sheet says, and the page shows it."""
    desk.do(Step.FLIP, Act.APPLY)
    desk.world.flip(
        fields=sheet(desk.world, "field"),
        options=sheet(desk.world, "option"),
        accounts=sheet(desk.world, "account"),
        vendors=sheet(desk.world, "vendor"),
    )
    desk.complete(Step.FLIP)


def sheet(world: World, kind: str) -> dict[str, str]:
    """The field-mapping sheet: old ids to new ones."""
    rows = OldRecord.objects.filter(migration=world.migration, kind=kind).exclude(erp_id="")
    return dict(rows.values_list("old_id", "erp_id"))


def cut_over(desk: Desk) -> None:
    """One object of each type goes first and is looked at; then all others follow."""
    world, page = desk.world, desk.page
    code = account(world, "6200")
    for amount in ("61.00", "62.00"):  # from a vendor that both sides know
        world.business.create_transaction(amount, account_code=code, merchant="Staples", ready=True)
    world.business.create_cashback("4.00")
    follow_up()
    desk.do(Step.CUTOVER, Act.APPLY)
    follow_up()
    assert posted(world)["transaction"] == posted(world)["cashback"] == 1
    desk.open(Step.CUTOVER)  # Ramp keeps no sync state of vendor credits: is the old one booked?
    page.get_by_label("How you know that it is not booked twice").fill("Tryton has none of it.")
    page.get_by_role("button", name="It is not booked twice").click()
    expect(page.get_by_label("How you know that it is not booked twice")).to_have_count(0)
    desk.do(Step.CUTOVER, Act.APPLY)
    follow_up()
    desk.open(Step.CUTOVER)
    expect(page.get_by_role("button", name="It is right").first).to_be_visible()
    press_all(page, "It is right")
    press_all(page, "I have read it, and take it as it is")
    expect(page.get_by_role("button", name=re.compile("^Done: ")).first).to_be_visible()
    press_all(page, re.compile("^Done: "))
    desk.complete(Step.CUTOVER)
    follow_up()
    assert posted(world)["transaction"] == 2


def press_all(page: Page, name: str | re.Pattern[str]) -> None:
    """Each button of that name, until none is left: with each the page is another."""
    buttons = page.get_by_role("button", name=name)
    for left in range(buttons.count(), 0, -1):
        buttons.first.click()
        expect(buttons).to_have_count(left - 1)


def posted(world: World) -> dict[str, int]:
    """What is in the ERP of it, by type."""
    items = SyncItem.objects.filter(connection=world.connection, state=ItemState.ACKED)
    return dict(Counter(items.values_list("object_type", flat=True)))


def in_tryton(world: World) -> dict[str, str]:
    """What the old records are in Tryton for which nothing is suggested."""
    about = world.connection
    [department] = CustomField.objects.filter(connection=about, name__icontains="department")
    options = FieldOption.objects.filter(field=department, code__in=("ENG", "SAL", "OPS"))
    codes = dict(options.values_list("code", "erp_id"))
    return {
        "qbo-class": department.erp_id,
        ENGINEERING: codes["ENG"],
        SALES: codes["SAL"],
        OPERATIONS: codes["OPS"],
        "62": account(world, "6400"),
    }


def profile_in_tryton(world: World) -> dict[str, str]:
    return {purpose: account(world, code) for purpose, code in PROFILE.items()}


def account(world: World, code: str) -> str:
    return LedgerAccount.objects.get(connection=world.connection, code=code).erp_id
