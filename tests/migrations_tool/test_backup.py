"""Step 4: the archive of the old chart and of all codings (R-90, R-91)."""

import gzip
import io
import json
import tarfile
import uuid
import zlib
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from connections.ramp.api import Api
from connections.ramp.client import RampClient
from connections.ramp.errors import Forbidden, NoSuchEndpoint, RampUnreachable
from migrations_tool import backup, running
from migrations_tool.backup import lists, parts, proof, reading
from migrations_tool.backup.raw_records import record_texts
from migrations_tool.models import Backup, BackupPart, Evidence, FormerCoding, StepRun
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Light, Status
from tests.factories import UserFactory
from tests.migrations_tool.world import World

FRESH, SEALED, VERIFIED = "backup.fresh", "backup.sealed", "backup.verified"


@pytest.fixture(autouse=True)
def planned(world: World) -> None:
    migration = world.migration
    migration.old_connection_id = world.old.id
    migration.old_provider_name = "QuickBooks Online"
    migration.save()


@pytest.fixture
def pages_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists come two by two, so that there is something to go on with."""
    real = Api.pages

    def pages(*args: Any, **more: Any) -> Any:
        return real(*args, **{**more, "page_size": 2})

    monkeypatch.setattr(Api, "pages", pages)


def make(world: World, **asked: Any) -> StepRun:
    return world.do(Step.BACKUP, Act.APPLY, **asked)


def sealed(world: World) -> Backup:
    found = backup.latest(world.migration)
    assert found is not None
    return found


class TestMaking:
    def test_everything_is_kept_proven_and_sealed(self, world: World) -> None:
        run = make(world)

        assert run.state == StepRun.State.DONE
        archive = sealed(world)
        assert archive.counts == {
            "accounts": 10, "fields": 1, "options": 3, "vendors": 4, "links": 2, "tax_rates": 1,
            "tax_codes": 1, "entities": 1, "transaction": 8, "reimbursement": 2, "bill": 5,
            "transfer": 2, "cashback": 1, "vendor_credit": 1,
        }  # fmt: skip
        assert {one.light for one in world.gates(Step.BACKUP).values()} == {Light.GREEN}
        assert archive.checksum == parts.checksum_of(archive)

    def test_what_ramp_hides_by_default_is_kept_too(self, world: World) -> None:
        world.business.archive_bill(world.open_bill.id)

        make(world)

        kept = {one["id"] for one in backup.records(sealed(world), "bill")}
        assert str(world.open_bill.id) in kept

    def test_records_come_back_letter_by_letter(self, world: World) -> None:
        make(world)

        (page,) = world.ramp.gl_account_pages()
        (part,) = BackupPart.objects.filter(kind="accounts")
        assert parts.lines_of(part) == record_texts(page.raw.decode())

    def test_an_object_is_found_with_what_it_was_coded_to(self, world: World) -> None:
        make(world)

        coding = FormerCoding.objects.get(ramp_id=world.synced[0].id)
        assert (coding.label, coding.amount_minor, coding.standing) == ("Staples", 4250, "synced")
        (line,) = coding.codings
        assert line["minor"] == 4250
        chosen = {one["type"]: (one["id"], one["name"]) for one in line["selections"]}
        assert chosen["GL_ACCOUNT"] == ("60", "Office supplies")

    def test_it_is_refused_once_the_old_connection_is_gone(self, world: World) -> None:
        migration = world.migration
        migration.old_connection_id = "00000000-0000-4000-8000-000000000000"
        migration.save()

        run = make(world)

        assert run.state == StepRun.State.REFUSED
        assert "no longer active in Ramp" in run.title
        assert not Backup.objects.exists()


class TestTaxes:
    @pytest.mark.parametrize(
        ("answer", "light"),
        [
            (Forbidden("no"), Light.RED),
            (NoSuchEndpoint("none here"), Light.GREEN),
        ],
    )
    def test_what_ramp_does_not_show_is_not_taken_for_none(
        self, world: World, monkeypatch: pytest.MonkeyPatch, answer: Exception, light: Light
    ) -> None:
        def refused(_: object) -> None:
            raise answer

        monkeypatch.setattr(RampClient, "tax_code_field", refused)

        assert make(world).state == StepRun.State.DONE

        gate = world.gates(Step.BACKUP)["backup.taxes"]
        assert gate.light is light
        assert ("does not show us" in gate.words) is (light is Light.RED)
        assert gate.may_be_waived

    def test_those_that_are_there_are_in_it(self, world: World) -> None:
        make(world)

        assert world.light("backup.taxes") is Light.GREEN
        assert sealed(world).counts["tax_codes"] == 1


class TestGoingOn:
    @pytest.mark.usefixtures("pages_of_two")
    @pytest.mark.parametrize("nth", [1, 7, 14, 21])
    def test_a_killed_worker_costs_a_page_and_nothing_is_kept_twice(
        self, world: World, monkeypatch: pytest.MonkeyPatch, nth: int
    ) -> None:
        monkeypatch.setattr(reading, "keep_records", Dying(nth))

        make(world)

        archive = sealed(world)
        assert archive.number == 1
        assert sum(archive.counts.values()) == 42
        ids = [one["id"] for one in backup.records(archive, "transaction")]
        assert len(ids) == len(set(ids)) == 8
        assert archive.parts.filter(kind="transaction").count() == 4

    def test_what_was_left_off_is_gone_on_with_by_the_next_run(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise ValueError("a mistake of ours")

        monkeypatch.setattr("migrations_tool.backup.making.read_objects", broken)
        with pytest.raises(ValueError, match="a mistake of ours"):
            make(world)
        kept = set(BackupPart.objects.values_list("pk", flat=True))
        monkeypatch.undo()

        make(world)

        assert sealed(world).number == 1
        assert kept
        assert kept <= set(BackupPart.objects.values_list("pk", flat=True))

    def test_what_was_left_off_days_ago_is_begun_anew(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("migrations_tool.backup.making.read_objects", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                make(world)
        world.turn(days=2)

        make(world)

        states = list(Backup.objects.order_by("number").values_list("number", "state"))
        assert states == [(1, "broken_off"), (2, "sealed")]
        assert not BackupPart.objects.filter(backup__number=1).exists()

    def test_nothing_new_makes_no_second_version_unless_asked(self, world: World) -> None:
        make(world)

        assert "no other version was made" in make(world).title
        assert sealed(world).number == 1
        make(world, settings={"anew": True})
        assert sealed(world).number == 2

    def test_a_changed_chart_makes_another_version(self, world: World) -> None:
        make(world)
        rename_account(world)

        make(world)

        assert sealed(world).number == 2


class TestProof:
    def test_a_damaged_part_is_noticed_before_the_seal(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = parts.write

        def damaging(archive: Backup, kind: str, lines: Any, **more: Any) -> BackupPart:
            part = write(archive, kind, lines, **more)
            part.delete()
            part.pk, part.content = None, zlib.compress(b"{}\n")
            part.save(force_insert=True)
            return part

        monkeypatch.setattr(parts, "write", damaging)

        run = make(world)

        assert run.state == StepRun.State.REFUSED
        assert "its checksum differs" in run.title
        assert world.light(VERIFIED) is Light.RED
        assert Backup.objects.get().state == Backup.State.BROKEN_OFF

    def test_codings_that_differ_from_the_archive_are_noticed(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("migrations_tool.backup.codings._KEEP", OTHER_CODINGS)

        run = make(world)

        assert run.state == StepRun.State.REFUSED
        assert "restore to other codings" in run.title

    def test_a_list_that_was_cut_off_is_completed_by_the_second_reading(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, times = world.ramp.__class__.transactions, []

        def cut(self: Any, **filters: Any) -> Any:
            times.append(1)
            return iter(()) if len(times) == 1 else real(self, **filters)

        monkeypatch.setattr(world.ramp.__class__, "transactions", cut)

        make(world)

        assert sealed(world).counts["transaction"] == 8
        assert Evidence.objects.get(code=VERIFIED).result["late"] == 8
        assert "8 objects came while it was read" in world.gates(Step.BACKUP)[VERIFIED].words

    def test_lists_that_do_not_fit_at_all_are_not_sealed(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(proof, "MOST_MOVED", 1)
        monkeypatch.setattr(lists, "object_lists", Shrinking(lists.object_lists))

        run = make(world)

        assert run.state == StepRun.State.REFUSED
        assert "Card transactions: 8 gone, of 8" in run.title
        assert backup.latest(world.migration) is None

    def test_a_worker_that_comes_late_breaks_nothing_off(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = world.ask(Step.BACKUP, Act.APPLY)

        def be_overtaken(*_: Any) -> Any:
            StepRun.objects.filter(pk=asked.pk).update(lease=uuid.uuid4())
            raise proof.NotProven("It does not fit.")

        monkeypatch.setattr("migrations_tool.backup.making.prove", be_overtaken)

        assert running.do(asked.pk, clock=world.clock) is None
        assert Backup.objects.get().state == Backup.State.READING
        assert BackupPart.objects.exists()

    def test_a_chart_that_changes_meanwhile_is_read_again(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        restore_all = proof._restore_all
        changes = [rename_account]

        def and_change(*args: Any) -> Any:
            if changes:
                changes.pop()(world)
            return restore_all(*args)

        monkeypatch.setattr(proof, "_restore_all", and_change)

        make(world)

        archive = sealed(world)
        assert archive.number == 1
        assert "Renamed" in {one["name"] for one in backup.records(archive, "accounts")}
        assert Evidence.objects.get(code=SEALED).result["readings_of_the_chart"] == 2

    def test_an_object_that_cannot_be_read_is_kept_as_it_came(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connections.ramp.schemas.Transaction.money", property(_no_money))

        make(world)

        assert sealed(world).counts["transaction"] == 8
        assert not FormerCoding.objects.filter(object_type="transaction").exists()
        assert "8 records are kept as they came" in world.gates(Step.BACKUP)[VERIFIED].words


class TestSealed:
    def test_nothing_can_be_changed_added_or_taken_away(self, world: World) -> None:
        make(world)
        archive = sealed(world)
        attempts = (
            lambda: Backup.objects.filter(pk=archive.pk).update(made_by="mallory"),
            lambda: archive.parts.all()._raw_delete("default"),
            lambda: archive.codings.all()._raw_delete("default"),
            lambda: archive.parts.update(records=0),
            lambda: archive.codings.update(label="other"),
            lambda: parts.write(archive, "accounts", ["{}"]),
            lambda: Backup.objects.filter(pk=archive.pk)._raw_delete("default"),
        )

        for attempt in attempts:
            with pytest.raises(DatabaseError), transaction.atomic():
                attempt()

        assert parts.checksum_of(archive) == archive.checksum

    def test_a_check_reads_everything_back(self, world: World) -> None:
        make(world)

        world.do(Step.BACKUP, Act.CHECK)

        assert "its checksum is right" in world.gates(Step.BACKUP)[VERIFIED].words

    def test_it_is_stale_once_the_chart_has_changed(self, world: World) -> None:
        make(world)
        world.take_as_done(Step.BACKUP)
        rename_account(world)

        world.do(Step.BACKUP, Act.CHECK)

        gate = world.gates(Step.BACKUP)[FRESH]
        assert gate.light is Light.RED
        assert "older than the last change of the chart: GL accounts" in gate.words
        assert world.status(Step.BACKUP) is Status.STALE

    def test_what_a_condition_says_to_do_is_the_first_button(
        self, world: World, client: Client
    ) -> None:
        make(world)
        rename_account(world)
        world.do(Step.BACKUP, Act.CHECK)
        client.force_login(UserFactory.create(roles=["implementer"]))

        page = client.get(reverse("migration_step", args=[world.migration.pk, "backup"]))

        assert "Make the backup again" in page.content.decode()
        assert [one.act for one in page.context["offers"] if one.is_main] == [Act.APPLY]

    def test_it_is_stale_after_thirty_days(self, world: World) -> None:
        make(world)
        world.turn(days=30, seconds=1)

        assert world.light(FRESH) is Light.RED
        assert "more than 30 days" in world.gates(Step.BACKUP)[FRESH].words

    def test_after_the_switch_it_stays_good(self, world: World) -> None:
        make(world)
        migration = world.migration
        migration.flipped_at = world.clock()
        migration.save()
        world.turn(days=90)

        world.do(Step.BACKUP, Act.CHECK)

        assert world.light(FRESH) is Light.GREEN

    def test_a_new_field_or_spend_at_a_vendor_is_told_apart(self, world: World) -> None:
        """What Ramp counts by itself is no change of the chart."""
        make(world)
        world.business.pay_bill(world.open_bill.id)

        world.do(Step.BACKUP, Act.CHECK)

        assert world.light(FRESH) is Light.GREEN


class TestSilence:
    def test_a_silence_of_ramp_is_waited_for(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, silences = world.ramp.__class__.bills, [RampUnreachable("502")] * 2

        def silent(self: Any, **filters: Any) -> Any:
            if silences:
                raise silences.pop()
            return real(self, **filters)

        monkeypatch.setattr(world.ramp.__class__, "bills", silent)

        run = make(world)

        assert run.state == StepRun.State.DONE
        assert run.tries == 3


class TestPages:
    def test_versions_and_files_are_there(self, world: World, client: Client) -> None:
        make(world)
        client.force_login(UserFactory.create(roles=["implementer"]))
        page = client.get(reverse("migration_step", args=[world.migration.pk, Step.BACKUP]))

        assert sealed(world).checksum in page.text
        assert "Field options" in page.text

    def test_the_archive_fits_its_manifest(self, world: World, client: Client) -> None:
        make(world)
        client.force_login(UserFactory.create(roles=["implementer"]))

        answer = client.get(reverse("migration_backup_archive", args=[world.migration.pk, 1]))

        content = gzip.decompress(b"".join(answer))
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            files = {one.name: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]
        manifest = json.loads(files.pop("manifest.json"))
        assert manifest["checksum"] == sealed(world).checksum
        assert {one["file"] for one in manifest["files"]} == set(files)
        assert sum(len(text.splitlines()) for text in files.values()) == 42

    def test_codings_as_a_table_are_safe_for_spreadsheets(
        self, world: World, client: Client
    ) -> None:
        world.buy("9.99", merchant="=HYPERLINK(1)")
        make(world)
        client.force_login(UserFactory.create(roles=["implementer"]))

        answer = client.get(reverse("migration_backup_codings", args=[world.migration.pk, 1]))

        text = b"".join(answer).decode()
        assert "'=HYPERLINK(1)" in text
        assert "Office supplies" in text

    def test_support_may_not_take_the_files(self, world: World, client: Client) -> None:
        make(world)
        client.force_login(UserFactory.create(roles=["support"]))

        answer = client.get(reverse("migration_backup_archive", args=[world.migration.pk, 1]))

        assert answer.status_code == 403

    def test_another_version_can_be_asked_for(self, world: World, client: Client) -> None:
        make(world)
        client.force_login(UserFactory.create(roles=["implementer"]))
        version = world.migration.steps.get(step=Step.BACKUP).version

        client.post(
            reverse("migration_backup_anew", args=[world.migration.pk]), {"version": version}
        )
        world.finish(StepRun.objects.get(state=StepRun.State.WAITING))

        assert sealed(world).number == 2


def test_records_of_a_page_are_told_apart_whatever_stands_in_them() -> None:
    body = (
        '{"page": {"next": null, "data": [1]},\n "data" : [ {"id": "a", "n": 1.10, "t": "}],\\""},'
        ' \n{"id":"b",\n"n":[{"data":[]}]}\t] , "x": "data"}'
    )

    assert record_texts(body) == [
        '{"id": "a", "n": 1.10, "t": "}],\\""}',
        '{"id":"b", "n":[{"data":[]}]}',
    ]
    assert record_texts('{"data":[],"page":{}}') == []


def rename_account(world: World) -> None:
    """Somebody renames an account in the old ERP."""
    world.business.change_in_ramp("account", "57", name="Renamed")


class Dying:
    """Keeps pages, and dies once: at the page of this number, after it was kept."""

    def __init__(self, at: int) -> None:
        self.real = reading.keep_records
        self.pages, self.at = 0, at

    def __call__(self, *args: Any, **more: Any) -> int:
        kept = self.real(*args, **more)
        self.pages += 1
        if self.pages == self.at:
            raise RampUnreachable("the worker is killed")
        return kept


class Shrinking:
    """Lists of objects; the second reading has none."""

    def __init__(self, real: Any) -> None:
        self.real, self.times = real, 0

    def __call__(self) -> Any:
        self.times += 1
        return self.real() if self.times == 1 else iter(())


def _no_money(_: object) -> None:
    raise ValueError("there is no amount")


OTHER_CODINGS = """
    INSERT INTO migrations_tool_formercoding (
        backup_id, object_type, ramp_id, label, number, spent_on, amount_minor, currency, exponent,
        standing, codings)
    SELECT %(backup)s, %(type)s, s.ramp_id, '', '', NULL, 0, 'USD', 2, 'synced', '[]'::jsonb
    FROM unnest(%(ids)s::uuid[]) AS s(ramp_id)
    ON CONFLICT DO NOTHING
"""
