"""The list of rules, read in from files, with pictures; and the customer's word for it (R-89)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from migrations_tool import rules, services
from migrations_tool.gates import gates_of, standings_of
from migrations_tool.models import ConnectionMigration, Evidence, Rule, Screenshot
from migrations_tool.rules import csv_file, screenshots
from migrations_tool.rules.csv_file import BadFile, Outcome
from migrations_tool.rules.services import Written, add, drop, edit
from migrations_tool.steps import Path, Step
from migrations_tool.wizard import Gate, Light, Refused, Status, StepNotCurrent
from tests.factories import ConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now()
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 40
CODE_MEALS = Written("rule", "Meals over 50 USD", "Merchant category is restaurants: 6300 Meals")


@pytest.fixture
def migration() -> ConnectionMigration:
    connection = ConnectionFactory.create(slug="harbor-coffee")
    return services.start(connection, path=Path.MIGRATION, actor="ines", now=NOW)


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(UserFactory.create(username="ines", roles=["implementer"]))
    return client


def confirmed(migration: ConnectionMigration) -> Gate:
    (gate,) = gates_of(migration, Step.RULES, now=NOW)
    return gate


def written_down(migration: ConnectionMigration, rule: Written = CODE_MEALS) -> Rule:
    return add(migration, rule, actor="ines", now=NOW)


class TestConfirmation:
    def test_the_gate_is_red_until_the_customer_confirms(
        self, migration: ConnectionMigration
    ) -> None:
        written_down(migration)
        assert confirmed(migration).light is Light.RED

        rules.confirm(migration, name="Carla Ruiz", email="carla@harbor.example", now=NOW)

        gate = confirmed(migration)
        assert gate.light is Light.GREEN
        assert "Carla Ruiz <carla@harbor.example>" in gate.words

    @pytest.mark.parametrize("change", ["add", "edit", "drop"])
    def test_a_list_that_changes_has_to_be_confirmed_again(
        self, migration: ConnectionMigration, change: str
    ) -> None:
        rule = written_down(migration)
        rules.confirm(migration, name="Carla", email="carla@harbor.example", now=NOW)

        match change:
            case "add":
                written_down(migration, Written("policy", "Travel policy"))
            case "edit":
                other = Written(rule.kind, rule.name, "Something else")
                edit(rule, other, actor="ines", now=NOW)
            case _:
                drop(rule, because="Not used since May", actor="ines", now=NOW)

        assert confirmed(migration).light is Light.RED
        assert "has changed since" in confirmed(migration).words

    def test_who_makes_a_rule_anew_is_none_of_the_customers_business(
        self, migration: ConnectionMigration
    ) -> None:
        rule = written_down(migration)
        rules.confirm(migration, name="Carla", email="carla@harbor.example", now=NOW)

        edit(rule, Written(rule.kind, rule.name, rule.what, "sam"), actor="ines", now=NOW)

        assert confirmed(migration).light is Light.GREEN

    def test_what_was_confirmed_is_kept_word_by_word(self, migration: ConnectionMigration) -> None:
        written_down(migration)

        rules.confirm(migration, name="Carla", email="carla@harbor.example", now=NOW)

        evidence = Evidence.objects.get(code="rules.confirmed")
        assert evidence.result["rules"] == [["rule", CODE_MEALS.name, CODE_MEALS.what]]

    def test_an_empty_list_can_be_confirmed_too(self, migration: ConnectionMigration) -> None:
        rules.confirm(migration, name="Carla", email="carla@harbor.example", now=NOW)

        assert "that there are no rules" in confirmed(migration).words

    def test_an_e_mail_is_recorded_with_what_it_says(self, migration: ConnectionMigration) -> None:
        def record(rests_on: str, version: int) -> None:
            rules.record_confirmation(
                migration,
                name="Carla",
                email="carla@harbor.example",
                rests_on=rests_on,
                version=version,
                actor="ines",
                now=NOW,
            )

        version = standings_of(migration)[Step.RULES].version
        with pytest.raises(Refused, match="which e-mail"):
            record("  ", version)
        written_down(migration)
        with pytest.raises(StepNotCurrent):
            record("3 Nov: that is all of them", version)

        record("3 Nov: that is all of them", standings_of(migration)[Step.RULES].version)

        evidence = Evidence.objects.get(code="rules.confirmed")
        assert evidence.inputs == {"rests_on": "3 Nov: that is all of them"}
        assert evidence.by == "ines"


class TestList:
    def test_the_same_rule_twice_is_refused(self, migration: ConnectionMigration) -> None:
        written_down(migration)

        with pytest.raises(Refused, match="on the list already"):
            written_down(migration)

    def test_nothing_is_dropped_without_a_reason(self, migration: ConnectionMigration) -> None:
        rule = written_down(migration)

        with pytest.raises(Refused, match="Say why"):
            drop(rule, because=" ", actor="ines", now=NOW)

    def test_a_rule_is_ticked_after_the_switch_and_once(
        self, migration: ConnectionMigration
    ) -> None:
        rule = written_down(migration)
        with pytest.raises(Refused, match="not switched yet"):
            rules.tick(rule, "ines", NOW)
        migration.flipped_at = NOW
        migration.save()
        rule = Rule.objects.select_related("migration").get(pk=rule.pk)

        rules.tick(rule, "ines", NOW)

        rule.refresh_from_db()
        assert (rule.recreated_by, rule.recreated_at) == ("ines", NOW)
        with pytest.raises(Refused, match="already"):
            rules.tick(rule, "ana", NOW)


class TestFile:
    def test_every_row_gets_an_answer_and_good_ones_are_kept(
        self, migration: ConnectionMigration
    ) -> None:
        written_down(migration)
        rows = csv_file.read(
            "Kind;Name;What;Owner\r\n"
            "Accounting rule;Meals over 50 USD;;\r\n"
            "policy;Travel;Economy only;sam\r\n"
            "magic;Abracadabra;;\r\n"
            "rule;;no name;\r\n"
            "rule;Ghost;;nobody\r\n".encode("cp1252")
        )

        results = csv_file.take_in(migration, rows, people=["sam"], actor="ines", now=NOW)

        assert [one.outcome for one in results] == [
            Outcome.UNCHANGED,
            Outcome.ADDED,
            Outcome.REFUSED,
            Outcome.REFUSED,
            Outcome.REFUSED,
        ]
        assert [one.line for one in results] == [2, 3, 4, 5, 6]
        assert "“magic” is not known" in results[2].words
        assert "nobody is called nobody" in results[4].words
        assert Rule.objects.get(name="Travel").owner == "sam"
        assert Rule.objects.get(name=CODE_MEALS.name).what == CODE_MEALS.what

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "names no column kind"),
            (b"kind,what\nrule,x\n", "no column name"),
            (b"kind,name\n", "no rows"),
            (b"kind,name\n" + b"rule,x\n" * 1001, "more than 1,000 rows"),
            (b"x" * 500_001, "larger than 500 kB"),
        ],
    )
    def test_a_file_that_cannot_be_read_says_why(self, data: bytes, words: str) -> None:
        with pytest.raises(BadFile, match=words):
            csv_file.read(data)

    def test_what_is_downloaded_is_no_formula_and_can_be_read_in_again(
        self, migration: ConnectionMigration, signed_in: Client
    ) -> None:
        written_down(migration, Written("rule", "=cmd()", "+1"))

        answer = signed_in.get(f"/migrations/{migration.pk}/rules/list.csv")

        data = b"".join(answer)
        assert b",'=cmd()," in data
        assert csv_file.read(data)[0][1]["name"] == "=cmd()"


class TestPictures:
    @pytest.mark.parametrize(
        ("content", "media_type"),
        [
            (PNG, "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
            (b"<svg onload=alert(1)>", ""),
            (b"GIF89a", ""),
            (b"", ""),
        ],
    )
    def test_a_picture_is_told_by_its_first_bytes(self, content: bytes, media_type: str) -> None:
        assert screenshots.media_type_of(content) == media_type

    def test_what_is_no_picture_or_too_large_is_refused(
        self, migration: ConnectionMigration
    ) -> None:
        rule = written_down(migration)
        for content, words in (
            (b"<html>", "no PNG"),
            (PNG + b"x" * screenshots.MOST_BYTES, "larger than 2 MB"),
        ):
            with pytest.raises(Refused, match=words):
                screenshots.keep(rule, name="a.png", content=content, actor="ines", now=NOW)

    def test_the_same_picture_twice_is_kept_once(self, migration: ConnectionMigration) -> None:
        rule = written_down(migration)
        for _ in range(2):
            screenshots.keep(rule, name="a.png", content=PNG, actor="ines", now=NOW)

        assert Screenshot.objects.count() == 1

    def test_it_is_served_to_be_looked_at_and_nothing_else(
        self, migration: ConnectionMigration, signed_in: Client
    ) -> None:
        rule = written_down(migration)
        address = f"/migrations/{migration.pk}/rules/{rule.pk}/picture/"
        upload = SimpleUploadedFile("evil.html", PNG, content_type="text/html")
        assert signed_in.post(address, {"picture": upload}).status_code == 200
        shot = Screenshot.objects.get()

        answer = signed_in.get(f"/migrations/{migration.pk}/rules/pictures/{shot.pk}/")

        assert answer.content == PNG
        assert answer["Content-Type"] == "image/png"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]

    def test_of_another_migration_it_is_not_found(
        self, migration: ConnectionMigration, signed_in: Client
    ) -> None:
        rule = written_down(migration)
        shot = screenshots.keep(rule, name="a.png", content=PNG, actor="ines", now=NOW)
        other = services.start(
            ConnectionFactory.create(), path=Path.MIGRATION, actor="ines", now=NOW
        )

        answer = signed_in.get(f"/migrations/{other.pk}/rules/pictures/{shot.pk}/")

        assert answer.status_code == 404


class TestPages:
    def test_a_rule_is_written_changed_and_dropped(
        self, migration: ConnectionMigration, signed_in: Client
    ) -> None:
        base = f"/migrations/{migration.pk}/rules/"
        entered = {"kind": "rule", "name": "Meals", "what": "6300", "owner": ""}

        added = signed_in.post(f"{base}add/", entered)
        rule = Rule.objects.get()
        changed = signed_in.post(f"{base}{rule.pk}/edit/", entered | {"owner": "ines"})
        dropped = signed_in.post(f"{base}{rule.pk}/drop/", {"because": "Not used"})

        assert [one.status_code for one in (added, changed, dropped)] == [200, 200, 200]
        rule.refresh_from_db()
        assert (rule.owner, rule.dropped_because) == ("ines", "Not used")

    def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
        self, migration: ConnectionMigration, signed_in: Client
    ) -> None:
        entered = {"kind": "rule", "name": "", "what": "When it rains", "owner": "ghost"}

        answer = signed_in.post(f"/migrations/{migration.pk}/rules/add/", entered)

        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Enter what it is called in Ramp." in page
        assert "Nobody is called ghost here." in page
        assert "When it rains" in page

    def test_a_change_makes_a_step_stale_that_was_done(
        self, migration: ConnectionMigration, signed_in: Client
    ) -> None:
        rules.confirm(migration, name="Carla", email="carla@harbor.example", now=NOW)
        migration.steps.filter(step=Step.RULES).update(status=Status.DONE)

        signed_in.post(
            f"/migrations/{migration.pk}/rules/add/", {"kind": "rule", "name": "Meals", "what": ""}
        )

        assert standings_of(migration)[Step.RULES].status is Status.STALE

    def test_a_file_shows_what_became_of_its_rows(
        self, migration: ConnectionMigration, signed_in: Client
    ) -> None:
        upload = SimpleUploadedFile("rules.csv", b"kind,name\nrule,Meals\nmagic,X\n")

        answer = signed_in.post(f"/migrations/{migration.pk}/rules/import/", {"file": upload})

        page = answer.content.decode()
        assert "What became of rules.csv" in page
        assert "is not known. Enter one of" in page
        assert Rule.objects.get().name == "Meals"

    def test_support_reads_and_changes_nothing(
        self, migration: ConnectionMigration, client: Client
    ) -> None:
        client.force_login(UserFactory.create(roles=["support"]))
        base = f"/migrations/{migration.pk}/rules/"

        assert client.get(base).status_code == 200
        assert client.post(f"{base}add/", {"kind": "rule", "name": "X"}).status_code == 403
