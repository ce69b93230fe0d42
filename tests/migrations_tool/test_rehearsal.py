"""The rehearsal: what is compared and explained, and whose signature stands for what."""

from unittest.mock import patch

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.models import LedgerAccount, PostingProfile
from migrations_tool import rehearsal, sharing
from migrations_tool.models import (
    BackupPart,
    Evidence,
    OldRecord,
    RehearsedObject,
    Report,
    Signature,
    StepRun,
)
from migrations_tool.old_chart import deciding
from migrations_tool.old_chart.deciding import Decision
from migrations_tool.rehearsal import explaining, reporting
from migrations_tool.rehearsal.choosing import Chosen
from migrations_tool.rehearsal.replaying import Stage, replay
from migrations_tool.rehearsal.routing import routed
from migrations_tool.rehearsal.signing import CannotSign
from migrations_tool.reports_written import closing
from migrations_tool.reports_written.digests import digest_of
from migrations_tool.sharing import answers
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Light, Refused, Status
from syncing.models import SyncItem
from tests.factories import UserFactory
from tests.migrations_tool.world import World

pytestmark = pytest.mark.django_db

Kind, State = OldRecord.Kind, OldRecord.State
Verdict, Role = RehearsedObject.Verdict, Signature.Role
REPLAY = "migrations_tool.rehearsal.handler.replay"
CARLA = {"name": "Carla Customer", "email": "carla@harbor.example"}


@pytest.fixture
def ready(world: World) -> World:
    """A world whose mapping is complete and whose accounts are set up."""
    world.do(Step.PLAN, Act.CHECK)
    world.do(Step.BACKUP, Act.APPLY)
    world.do(Step.MAPPING, Act.APPLY)
    PostingProfile.objects.create(
        connection=world.connection,
        card_liability_account="2150",
        bank_account="1000",
        reimbursement_account="1000",
        cashback_account="6600",
    )
    decide(world, Kind.FIELD, "Class", "department")
    decide(world, Kind.ACCOUNT, "Equipment rental", "6600", "no account of its own any more")
    ids = OldRecord.objects.filter(state=State.SUGGESTED, uses__gt=0).values_list("pk", flat=True)
    deciding.accept(world.migration, list(ids), actor="ines", now=timezone.now())
    return world


@pytest.fixture
def rehearsed(ready: World) -> World:
    """The same, rehearsed, with nothing left to explain."""
    ready.do(Step.REHEARSAL, Act.APPLY)
    for row in explaining.unexplained(ready.migration):
        explain(row, "As agreed.", all_alike=False)
    return ready


def decide(world: World, kind: str, name: str, to: str, because: str = "") -> None:
    row = OldRecord.objects.get(migration=world.migration, kind=kind, name=name)
    now = timezone.now()
    decision = Decision(row, to, because, shared_because="They are kept together.")
    deciding.decide(world.migration, decision, actor="ines", now=now)


def explain(row: RehearsedObject, text: str, *, all_alike: bool = True) -> int:
    return explaining.explain(row, text, all_alike=all_alike, actor="ines", now=timezone.now())


def bought(world: World, merchant: str) -> RehearsedObject:
    return RehearsedObject.objects.get(
        migration=world.migration, object_type="transaction", label=merchant
    )


def report_of(world: World) -> Report:
    report = reporting.newest_report(world.migration)
    assert report is not None
    return report


def sign(world: World, role: Signature.Role, name: str = "ines", email: str = "") -> Signature:
    return rehearsal.sign(
        world.migration,
        role=role,
        name=name,
        email=email,
        report_hash=report_of(world).digest,
        now=timezone.now(),
    )


def sign_both(world: World) -> None:
    sign(world, Role.IMPLEMENTER)
    sign(world, Role.CUSTOMER, **CARLA)


class TestRehearsing:
    def test_puts_every_type_through_the_posting_rules_and_posts_nothing(
        self, ready: World
    ) -> None:
        run = ready.do(Step.REHEARSAL, Act.APPLY)

        assert run.state == StepRun.State.DONE
        rows = RehearsedObject.objects.all()
        assert {row.object_type for row in rows} == {
            "transaction", "reimbursement", "bill", "bill_payment", "transfer", "cashback",
            "vendor_credit",
        }  # fmt: skip
        assert all(row.document for row in rows.exclude(verdict=Verdict.HELD))
        assert not SyncItem.objects.exists()
        assert not ready.erp.books.entries
        assert not {"post", "post_many", "upsert_vendor"} & set(ready.erp.calls)

    def test_what_matches_is_as_before(self, ready: World) -> None:
        ready.do(Step.REHEARSAL, Act.APPLY)

        staples = bought(ready, "Staples")
        assert staples.verdict == Verdict.SAME
        assert staples.document is not None
        assert staples.document["lines"][0]["account"] == "6400"
        assert staples.document["lines"][0]["dimensions"] == {"department": "ENG"}

    def test_names_both_sides_of_a_difference_and_the_mappings_reason(self, ready: World) -> None:
        ready.do(Step.REHEARSAL, Act.APPLY)

        rental = bought(ready, "United Rentals")
        assert rental.verdict == Verdict.DIFFERS
        (difference,) = [one for one in rental.differences if one["field"] == "GL account"]
        assert difference["before"] == "7100 Equipment rental"
        assert difference["after"] == "6600 Professional fees"
        assert difference["why"] == "mapped by ines: no account of its own any more"
        assert rental.explained_as == "As the mapping says."

    def test_what_would_be_held_says_so_in_productions_words(self, ready: World) -> None:
        OldRecord.objects.filter(kind=Kind.ACCOUNT, name="Travel").update(
            state=State.UNMAPPED, erp_id=""
        )

        ready.do(Step.REHEARSAL, Act.APPLY)

        delta = bought(ready, "Delta Air Lines")
        assert delta.verdict == Verdict.HELD
        assert "Travel" in delta.problem
        assert delta.document is None
        assert ready.light("rehearsal.explained") is Light.RED

    def test_never_takes_an_unmapped_old_id_for_a_record_of_the_erp(self, ready: World) -> None:
        OldRecord.objects.filter(kind=Kind.ACCOUNT, name="Travel").update(
            state=State.UNMAPPED, erp_id=""
        )
        LedgerAccount.objects.create(
            connection=ready.connection, erp_id="57", code="57", name="Something else"
        )

        ready.do(Step.REHEARSAL, Act.APPLY)

        assert bought(ready, "Delta Air Lines").verdict == Verdict.HELD

    def test_takes_no_more_of_each_type_than_was_agreed(self, ready: World) -> None:
        type(ready.migration).objects.update(rehearse=2)

        ready.do(Step.REHEARSAL, Act.APPLY)

        assert RehearsedObject.objects.filter(object_type="transaction").count() == 2

    def test_goes_on_after_a_kill_without_a_duplicate_or_a_gap(self, ready: World) -> None:
        run = ready.ask(Step.REHEARSAL, Act.APPLY)
        done: list[str] = []

        def dies(stage: Stage, one: Chosen) -> RehearsedObject:
            if len(done) == 5:
                raise KeyboardInterrupt
            return lives(stage, one)

        def lives(stage: Stage, one: Chosen) -> RehearsedObject:
            done.append(one.ramp_id)
            return replay(stage, one)

        with patch(REPLAY, dies), pytest.raises(KeyboardInterrupt):
            ready.finish(run)
        first = set(RehearsedObject.objects.values_list("pk", flat=True))
        assert len(first) == 5
        done.clear()
        with patch(REPLAY, lives):
            ready.finish(run)

        everything = RehearsedObject.objects.count()
        assert first < set(RehearsedObject.objects.values_list("pk", flat=True))
        assert len(done) == everything - 5

    def test_a_repeat_does_only_what_is_missing_unless_the_mapping_changed(
        self, ready: World
    ) -> None:
        ready.do(Step.REHEARSAL, Act.APPLY)
        RehearsedObject.objects.filter(verdict=Verdict.HELD).delete()
        first = set(RehearsedObject.objects.values_list("run", flat=True))

        ready.do(Step.REHEARSAL, Act.APPLY)
        kept = RehearsedObject.objects.filter(run__in=first).count()
        decide(ready, Kind.ACCOUNT, "Equipment rental", "6500")
        ready.do(Step.REHEARSAL, Act.APPLY)

        assert kept > 0
        assert not RehearsedObject.objects.filter(run__in=first).exists()
        rental = bought(ready, "United Rentals")
        assert rental.document is not None
        assert rental.document["lines"][0]["account"] == "6500"

    def test_adds_up_accounts_as_coded_and_as_booked(self, rehearsed: World) -> None:
        rows = reporting.rehearsed(rehearsed.migration)

        totals = {
            one["account"]: (one["before"], one["after"])
            for one in reporting.account_totals(rehearsed.migration, rows)
        }

        assert totals["7100 Equipment rental"] == ("640.00", "")
        before, after = totals["6400 Office supplies"]
        assert before == after != ""


class TestExplaining:
    def hold_travel(self, world: World) -> None:
        OldRecord.objects.filter(kind=Kind.ACCOUNT, name="Travel").update(
            state=State.UNMAPPED, erp_id=""
        )
        world.do(Step.REHEARSAL, Act.APPLY)

    def test_all_alike_are_explained_at_once(self, ready: World) -> None:
        self.hold_travel(ready)
        held = bought(ready, "Delta Air Lines")
        alike = len(explaining.alike(held))
        assert alike == 2

        assert explain(held, "Travel is booked by hand.") == alike

        held.refresh_from_db()
        assert (held.explained_as, held.explained_by) == ("Travel is booked by hand.", "ines")

    def test_needs_words(self, ready: World) -> None:
        self.hold_travel(ready)

        with pytest.raises(Refused, match="Say why"):
            explain(bought(ready, "Delta Air Lines"), "  ")

    def test_an_explanation_stays_while_it_is_of_the_same(self, ready: World) -> None:
        self.hold_travel(ready)
        explain(bought(ready, "Delta Air Lines"), "Travel is booked by hand.")

        ready.do(Step.REHEARSAL, Act.APPLY)
        assert bought(ready, "Delta Air Lines").explained_as

        decide(ready, Kind.ACCOUNT, "Travel", "6100")
        ready.do(Step.REHEARSAL, Act.APPLY)
        assert bought(ready, "Delta Air Lines").explained_as != "Travel is booked by hand."


class TestReport:
    def test_is_written_once_everything_is_explained(self, ready: World) -> None:
        OldRecord.objects.filter(kind=Kind.ACCOUNT, name="Travel").update(
            state=State.UNMAPPED, erp_id=""
        )
        ready.do(Step.REHEARSAL, Act.APPLY)
        assert reporting.newest_report(ready.migration) is None

        for row in explaining.unexplained(ready.migration):
            explain(row, "Travel is booked by hand.")

        report = report_of(ready)
        assert report.digest == digest_of(report.facts)
        assert "Travel is booked by hand." in report.html
        assert report.digest in report.html

    def test_is_not_repeated_while_its_facts_are_the_same(self, rehearsed: World) -> None:
        before = Report.objects.count()

        rehearsed.do(Step.REHEARSAL, Act.CHECK)
        rehearsed.turn(days=3)
        rehearsed.do(Step.REHEARSAL, Act.CHECK)

        assert Report.objects.count() == before

    def test_a_hash_needs_facts_that_have_one_form(self) -> None:
        assert digest_of({"a": 1, "b": ["x"]}) == digest_of({"b": ["x"], "a": 1})
        assert digest_of({"a": 1}) != digest_of({"a": "1"})
        with pytest.raises(TypeError, match=r"0\.1"):
            digest_of({"a": {"b": 0.1}})

    def test_one_error_of_each_category_reaches_who_can_mend_it(self) -> None:
        found = {one.category: one for one in routed(erp_name="Ledger", contact="help@us.example")}

        assert len(found) == 3
        assert all(not one.faults for one in found.values())
        assert "help@us.example" in found["needs_integrator"].text
        assert found["user_actionable"].whose_move == "The customer's accountants"


class TestSigning:
    def test_both_signatures_open_their_gates(self, rehearsed: World) -> None:
        sign(rehearsed, Role.IMPLEMENTER)
        rehearsed.do(Step.REHEARSAL, Act.CHECK)
        assert rehearsed.light("rehearsal.signed_implementer") is Light.GREEN
        assert rehearsed.light("rehearsal.signed_customer") is Light.RED
        assert rehearsed.status(Step.REHEARSAL) is Status.WAITING_FOR_CUSTOMER

        sign(rehearsed, Role.CUSTOMER, **CARLA)

        gate = rehearsed.gates(Step.REHEARSAL)["rehearsal.signed_customer"]
        assert gate.light is Light.GREEN
        assert "Carla Customer" in gate.words

    @pytest.mark.parametrize(("given_to", "light"), [("", "green"), ("cfo@x.example", "warning")])
    def test_a_signature_says_by_which_link_it_came(
        self, rehearsed: World, given_to: str, light: str
    ) -> None:
        now, whom = timezone.now(), given_to or CARLA["email"]
        token = sharing.make(rehearsed.migration, "sign", actor="ines", now=now, given_to=whom)
        link = sharing.open_link(token, now=now)

        report_hash = report_of(rehearsed).digest
        answers.sign_report(link, answers.Answering(**CARLA), report_hash=report_hash, now=now)

        gate = rehearsed.gates(Step.REHEARSAL)["rehearsal.signed_customer"]
        assert f"by the link given to {whom} by ines" in gate.words
        assert gate.light == light
        kept = Evidence.objects.get(code="rehearsal.signature")
        assert f"by the link given to {whom} by ines" in kept.text
        [told] = closing.facts_of(rehearsed.migration)["signatures"]
        assert told["way"] == f"by the link given to {whom} by ines"

    def test_both_turn_red_when_the_mapping_changes(self, rehearsed: World) -> None:
        sign_both(rehearsed)

        decide(rehearsed, Kind.ACCOUNT, "Equipment rental", "6500")

        for who in ("implementer", "customer"):
            gate = rehearsed.gates(Step.REHEARSAL)[f"rehearsal.signed_{who}"]
            assert gate.light is Light.RED
            assert "mapping has changed since" in gate.words

    def test_both_turn_red_when_the_report_changes(self, rehearsed: World) -> None:
        sign_both(rehearsed)
        row = RehearsedObject.objects.exclude(verdict=Verdict.SAME).first()
        assert row is not None

        explain(row, "Something else.", all_alike=False)

        gate = rehearsed.gates(Step.REHEARSAL)["rehearsal.signed_customer"]
        assert gate.light is Light.RED
        assert "report has changed since" in gate.words

    def test_a_change_of_posting_accounts_asks_for_another_rehearsal_and_signatures(
        self, rehearsed: World
    ) -> None:
        sign_both(rehearsed)
        assert "2150" in str(report_of(rehearsed).facts["posts_to"])

        PostingProfile.objects.update(card_liability_account="1000")

        closed = rehearsed.gates(Step.REHEARSAL)["rehearsal.explained"]
        assert closed.light is Light.RED
        assert "Posting accounts" in closed.words
        with pytest.raises(CannotSign, match="Posting accounts"):
            sign(rehearsed, Role.IMPLEMENTER)

        rehearsed.do(Step.REHEARSAL, Act.APPLY)
        gates = rehearsed.gates(Step.REHEARSAL)
        assert gates["rehearsal.explained"].light is Light.GREEN
        assert "report has changed" in gates["rehearsal.signed_customer"].words

    def test_an_older_report_cannot_be_signed(self, rehearsed: World) -> None:
        with pytest.raises(CannotSign, match="newer report than the one you have read"):
            rehearsal.sign(
                rehearsed.migration,
                role="customer",
                name=CARLA["name"],
                email=CARLA["email"],
                report_hash="0" * 64,
                now=timezone.now(),
            )

    def test_a_report_of_an_older_mapping_cannot_be_signed(self, rehearsed: World) -> None:
        decide(rehearsed, Kind.ACCOUNT, "Equipment rental", "6500")

        with pytest.raises(CannotSign, match="mapping has changed"):
            sign(rehearsed, Role.CUSTOMER, **CARLA)

    def test_the_implementer_cannot_sign_for_the_customer(self, rehearsed: World) -> None:
        UserFactory.create(username="ines", email="ines@us.example")

        with pytest.raises(CannotSign, match="The customer signs for itself"):
            sign(rehearsed, Role.CUSTOMER, "Ines", "someone@harbor.example")
        with pytest.raises(CannotSign, match="The customer signs for itself"):
            sign(rehearsed, Role.CUSTOMER, "Carla", "INES@us.example")

    def test_the_same_report_is_signed_once(self, rehearsed: World) -> None:
        sign(rehearsed, Role.IMPLEMENTER)

        with pytest.raises(CannotSign, match="signed already"):
            sign(rehearsed, Role.IMPLEMENTER)

    def test_a_signature_can_be_withdrawn_and_stays_on_record(self, rehearsed: World) -> None:
        sign_both(rehearsed)

        rehearsal.withdraw(rehearsed.migration, role="customer", actor="ines", now=timezone.now())

        assert rehearsed.light("rehearsal.signed_customer") is Light.RED
        assert Signature.objects.filter(role="customer", withdrawn_by="ines").exists()
        with pytest.raises(Refused, match="no signature"):
            rehearsal.withdraw(
                rehearsed.migration, role="customer", actor="ines", now=timezone.now()
            )


class TestPreconditions:
    def test_are_read_from_ramp_at_each_check(self, rehearsed: World) -> None:
        rehearsed.do(Step.REHEARSAL, Act.CHECK)
        gate = rehearsed.gates(Step.REHEARSAL)["rehearsal.preconditions"]
        assert gate.light is Light.RED
        assert "no connection of ours" in gate.words

        rehearsed.do(Step.CONNECTION, Act.APPLY)
        rehearsed.do(Step.REHEARSAL, Act.CHECK)

        assert rehearsed.light("rehearsal.preconditions") is Light.GREEN

    def test_grow_old(self, rehearsed: World) -> None:
        rehearsed.do(Step.CONNECTION, Act.APPLY)
        rehearsed.do(Step.REHEARSAL, Act.CHECK)

        rehearsed.turn(days=2)

        assert rehearsed.light("rehearsal.preconditions") is Light.RED


class TestPages:
    @pytest.fixture
    def ines(self, client: Client) -> Client:
        client.force_login(UserFactory.create(username="ines", roles=["implementer"]))
        return client

    def test_show_the_step_an_object_and_the_report(self, rehearsed: World, ines: Client) -> None:
        pk = rehearsed.migration.pk
        step = ines.get(reverse("migration_step", args=[pk, "rehearsal"]) + "?show=all")
        assert "United Rentals" in step.content.decode()

        row = bought(rehearsed, "United Rentals")
        page = ines.get(reverse("migration_rehearsal_object", args=[pk, row.pk]))
        assert "6600 Professional fees" in page.content.decode()

        report = ines.get(reverse("migration_rehearsal_report", args=[pk]))
        assert report_of(rehearsed).digest in report.content.decode()

    def test_lead_to_the_posting_accounts_and_to_the_link_for_signing(
        self, rehearsed: World, ines: Client
    ) -> None:
        pk = rehearsed.migration.pk
        address = reverse("migration_step", args=[pk, "rehearsal"])
        accounts = reverse("onboarding_accounts", args=[rehearsed.connection.slug])
        shown = ines.get(address).content.decode()
        assert f"{reverse('migration_links', args=[pk])}?purpose=sign" in shown
        assert accounts not in shown

        PostingProfile.objects.all().delete()

        assert accounts in ines.get(address + "?from=²").content.decode()
        gate = rehearsed.gates(Step.REHEARSAL)["rehearsal.posting_accounts"]
        assert gate.light is Light.RED
        assert "Choose the posting accounts" in gate.fix

    def test_explain_sign_and_withdraw(self, ready: World, ines: Client) -> None:
        OldRecord.objects.filter(kind=Kind.ACCOUNT, name="Travel").update(
            state=State.UNMAPPED, erp_id=""
        )
        ready.do(Step.REHEARSAL, Act.APPLY)
        pk, row = ready.migration.pk, bought(ready, "Delta Air Lines")
        here = reverse("migration_rehearsal_explain", args=[pk, row.pk])
        assert ines.post(here, {"text": ""}).status_code == 422

        for one in explaining.unexplained(ready.migration):
            url = reverse("migration_rehearsal_explain", args=[pk, one.pk])
            ines.post(url, {"text": "By hand."})
        ines.post(
            reverse("migration_rehearsal_sign", args=[pk]), {"report_hash": report_of(ready).digest}
        )

        assert ready.light("rehearsal.signed_implementer") is Light.GREEN
        ines.post(reverse("migration_rehearsal_withdraw", args=[pk, "implementer"]))
        assert ready.light("rehearsal.signed_implementer") is Light.RED


def test_a_backup_keeps_which_field_its_options_are_of(ready: World) -> None:
    parts = BackupPart.objects.filter(kind="options")

    assert parts.exists()
    assert all(part.field for part in parts)
