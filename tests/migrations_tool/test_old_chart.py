"""The mapping: what is collected, what is matched and suggested, and what people decide."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.mapping_book import suggestions
from connections.mapping_book.suggestions import Candidate, Coding, Suggester
from connections.models import Connection, LedgerAccount
from migrations_tool import old_chart, proofs
from migrations_tool.models import Backup, Evidence, OldRecord
from migrations_tool.old_chart import (
    csv_files,
    deciding,
    differing,
    history,
    labels,
    suggesting,
    targets,
    version,
)
from migrations_tool.old_chart.deciding import Decision, LeadsThereToo
from migrations_tool.old_chart.listing import Filter, listed
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Light, Refused
from tests.factories import EntityFactory, UserFactory
from tests.migrations_tool.world import World

pytestmark = pytest.mark.django_db

Kind, State = OldRecord.Kind, OldRecord.State


@pytest.fixture
def mapped(world: World) -> World:
    """A world whose old chart is collected and matched."""
    world.do(Step.PLAN, Act.CHECK)
    world.do(Step.BACKUP, Act.APPLY)
    world.do(Step.MAPPING, Act.APPLY)
    return world


@pytest.fixture
def ines(client: Client) -> Client:
    client.force_login(UserFactory.create(username="ines", roles=["implementer"]))
    return client


def record(world: World, kind: str, name: str) -> OldRecord:
    return OldRecord.objects.get(migration=world.migration, kind=kind, name=name)


def decide(
    world: World, row: OldRecord, to: str = "", because: str = "", shared_because: str = ""
) -> OldRecord:
    decision = Decision(row, to, because, shared_because)
    return deciding.decide(world.migration, decision, actor="ines", now=timezone.now())


def accept_all(world: World) -> None:
    ids = OldRecord.objects.filter(state=State.SUGGESTED).values_list("pk", flat=True)
    deciding.accept(world.migration, list(ids), actor="ines", now=timezone.now())


class TestCollecting:
    def test_takes_the_old_chart_with_a_years_uses_and_money(self, mapped: World) -> None:
        supplies = record(mapped, Kind.ACCOUNT, "Office supplies")
        sales_tax = record(mapped, Kind.ACCOUNT, "Sales tax payable")
        field = record(mapped, Kind.FIELD, "Class")

        assert (supplies.uses, supplies.money_minor) == (7, 1047_50)
        assert (sales_tax.uses, sales_tax.money_minor) == (0, 0)
        assert field.uses > supplies.uses
        options = OldRecord.objects.filter(kind=Kind.OPTION, field_old_id=field.old_id)
        assert {one.name for one in options} == {"Engineering", "Sales", "Operations"}

    def test_leaves_out_what_was_spent_before_the_year(self, mapped: World) -> None:
        mapped.turn(days=400)

        mapped.do(Step.MAPPING, Act.APPLY)

        assert not OldRecord.objects.filter(uses__gt=0).exists()

    def test_counts_money_in_another_currency_as_uses_only(self, mapped: World) -> None:
        EntityFactory.create(connection=mapped.connection, currency="EUR")

        mapped.do(Step.MAPPING, Act.APPLY)

        travel = record(mapped, Kind.ACCOUNT, "Travel")
        assert (travel.uses, travel.money_minor) == (2, 0)
        collected = proofs.newest(mapped.migration, "mapping.collected")
        assert collected is not None
        assert collected.result["currency"] == "EUR"
        assert collected.result["others"]["USD"] > travel.uses

    def test_is_refused_without_a_backup(self, world: World) -> None:
        run = world.do(Step.MAPPING, Act.APPLY)

        assert run.state == "refused"
        assert "Complete step 4" in run.title

    def test_says_when_a_newer_backup_was_made(self, mapped: World) -> None:
        Backup.objects.create(
            migration=mapped.migration, number=2, state="sealed", began_at=timezone.now()
        )

        mapped.do(Step.MAPPING, Act.CHECK)

        gate = mapped.gates(Step.MAPPING)["mapping.covered"]
        assert gate.light is Light.RED
        assert gate.fix == "Find matches again."


class TestMatching:
    def test_matches_what_has_the_same_code_and_name(self, mapped: World) -> None:
        travel = record(mapped, Kind.ACCOUNT, "Travel")

        assert (travel.state, travel.erp_id) == (State.MATCHED, "6100")
        assert travel.evidence == "same code and name"

    def test_suggests_with_a_reason_what_is_nearly_the_same(self, mapped: World) -> None:
        meals = record(mapped, Kind.ACCOUNT, "Meals and entertainment")
        figma = record(mapped, Kind.VENDOR, "Figma")

        assert (meals.state, meals.erp_id) == (State.SUGGESTED, "6300")
        assert meals.evidence == "same code 6300 · 92 %"
        assert figma.erp_name == "Figma, Inc."

    def test_never_takes_an_old_id_for_a_code_of_the_erp(self, mapped: World) -> None:
        LedgerAccount.objects.create(
            connection=mapped.connection, erp_id="x", code="62", name="Rent of machines"
        )

        mapped.do(Step.MAPPING, Act.APPLY)

        assert record(mapped, Kind.ACCOUNT, "Equipment rental").state == State.UNMAPPED

    def test_options_follow_once_their_field_is_mapped(self, mapped: World) -> None:
        field = record(mapped, Kind.FIELD, "Class")
        assert record(mapped, Kind.OPTION, "Sales").state == State.UNMAPPED

        decide(mapped, field, "department")

        sales = record(mapped, Kind.OPTION, "Sales")
        assert sales.field_erp_id == "department"
        assert sales.erp_id == "SAL"

    def test_what_a_person_decided_outlasts_a_repeat(self, mapped: World) -> None:
        rental = decide(mapped, record(mapped, Kind.ACCOUNT, "Equipment rental"), "6400", "", "few")

        mapped.do(Step.MAPPING, Act.APPLY)

        rental.refresh_from_db()
        assert (rental.state, rental.erp_id, rental.decided_by) == (State.MAPPED, "6400", "ines")

    def test_what_led_to_a_record_that_the_erp_lost_is_open_again(self, mapped: World) -> None:
        LedgerAccount.objects.filter(code="6100").update(is_active=False)

        run = mapped.do(Step.MAPPING, Act.CHECK)

        travel = record(mapped, Kind.ACCOUNT, "Travel")
        assert (travel.state, travel.erp_id) == (State.UNMAPPED, "")
        assert travel.evidence == "Ledger no longer has 6100 Travel."
        assert "no longer has" in run.title


class TestDeciding:
    def test_parking_needs_a_reason(self, mapped: World) -> None:
        rental = record(mapped, Kind.ACCOUNT, "Equipment rental")

        with pytest.raises(Refused, match="Say why"):
            decide(mapped, rental)

        assert decide(mapped, rental, because="Not rented any more").state == State.PARKED

    def test_a_target_must_be_one_that_can_be_posted_to(self, mapped: World) -> None:
        with pytest.raises(Refused, match="has no GL account 9999 that can be used"):
            decide(mapped, record(mapped, Kind.ACCOUNT, "Equipment rental"), "9999")

    def test_two_to_one_is_refused_until_somebody_says_why(self, mapped: World) -> None:
        rental = record(mapped, Kind.ACCOUNT, "Equipment rental")

        with pytest.raises(LeadsThereToo, match="cannot be told apart"):
            decide(mapped, rental, "6400")

        decide(mapped, rental, "6400", shared_because="Both are overheads")
        assert mapped.light("mapping.no_duplicates") is Light.GREEN

    def test_two_that_match_one_are_shown_on_both_sides(self, mapped: World) -> None:
        OldRecord.objects.filter(pk=record(mapped, Kind.ACCOUNT, "Old projects").pk).update(
            erp_id="6100", erp_name="6100 Travel"
        )

        found = listed(mapped.migration, Filter(state="conflict"))

        assert {line.label for line in found.rows} == {"6100 Travel", "6999 Old projects"}
        gate = mapped.gates(Step.MAPPING)["mapping.no_duplicates"]
        assert gate.light is Light.RED
        assert "6100 Travel (2 old ones)" in gate.words

    def test_accepting_in_bulk_leaves_what_needs_a_decision(self, mapped: World) -> None:
        advertising = record(mapped, Kind.ACCOUNT, "Advertising")
        OldRecord.objects.filter(pk=advertising.pk).update(erp_id="6100", erp_name="6100 Travel")
        meals = record(mapped, Kind.ACCOUNT, "Meals and entertainment")

        accepted, left = deciding.accept(
            mapped.migration, [advertising.pk, meals.pk], actor="ines", now=timezone.now()
        )

        assert accepted == 1
        assert "leads to 6100 Travel already" in left[0]
        meals.refresh_from_db()
        assert meals.state == State.MAPPED

    def test_parking_a_field_parks_its_options(self, mapped: World) -> None:
        decide(mapped, record(mapped, Kind.FIELD, "Class"), because="Departments come from HR")

        sales = record(mapped, Kind.OPTION, "Sales")
        assert sales.state == State.PARKED
        assert sales.parked_because == "Its field is parked: Departments come from HR"

    def test_the_last_decision_can_be_taken_back(self, mapped: World) -> None:
        meals = record(mapped, Kind.ACCOUNT, "Meals and entertainment")
        decide(mapped, meals, "6600")

        deciding.undo(meals, actor="ana", now=timezone.now())

        meals.refresh_from_db()
        assert (meals.state, meals.erp_id) == (State.SUGGESTED, "6300")
        assert [one.label for one in history.history_of(meals)][:2] == [
            "Suggested",
            "Mapped by a person",
        ]


class TestGates:
    def test_all_that_was_used_must_be_mapped_or_parked(self, mapped: World) -> None:
        gate = mapped.gates(Step.MAPPING)["mapping.covered"]
        assert gate.light is Light.RED
        assert "9 of those used are open" in gate.words
        assert "fields 0.0 %" in gate.words

        decide(mapped, record(mapped, Kind.FIELD, "Class"), "department")
        decide(mapped, record(mapped, Kind.ACCOUNT, "Equipment rental"), because="Sold off")
        accept_all(mapped)

        gate = mapped.gates(Step.MAPPING)["mapping.covered"]
        assert gate.light is Light.GREEN
        assert "100 %" in gate.words

    def test_nothing_open_is_rounded_away(self, mapped: World) -> None:
        OldRecord.objects.filter(kind=Kind.ACCOUNT).update(state=State.PARKED, uses=0)
        rows = OldRecord.objects.filter(kind=Kind.ACCOUNT)
        rows.filter(name="Travel").update(uses=1, money_minor=10**12)
        rows.filter(name="Software").update(uses=1, money_minor=1, state=State.UNMAPPED)

        assert "GL accounts 99.9 %" in mapped.gates(Step.MAPPING)["mapping.covered"].words


class TestVersions:
    def test_follow_decisions_and_nothing_else(self, mapped: World) -> None:
        before = old_chart.version_of(mapped.migration)
        OldRecord.objects.update(money_minor=1)
        assert old_chart.version_of(mapped.migration) == before

        decide(mapped, record(mapped, Kind.ACCOUNT, "Meals and entertainment"), "6300")

        assert old_chart.version_of(mapped.migration) != before

    def test_an_earlier_one_can_be_brought_back(self, mapped: World) -> None:
        kept = proofs.newest(mapped.migration, version.CODE)
        assert kept is not None
        decide(mapped, record(mapped, Kind.ACCOUNT, "Meals and entertainment"), "6600")
        decide(mapped, record(mapped, Kind.ACCOUNT, "Equipment rental"), because="Sold off")

        left = old_chart.version_of(mapped.migration)
        changed = deciding.bring_back(
            mapped.migration, kept, seen=left, actor="ines", now=timezone.now()
        )

        assert changed == 2
        noted = Evidence.objects.filter(code=version.CODE).values_list("checksum", flat=True)
        assert left in noted  # so that one can come back from coming back
        assert old_chart.version_of(mapped.migration) == kept.checksum
        assert record(mapped, Kind.ACCOUNT, "Meals and entertainment").state == State.SUGGESTED

    def test_none_is_brought_back_over_what_somebody_decided_meanwhile(self, mapped: World) -> None:
        kept = proofs.newest(mapped.migration, version.CODE)
        assert kept is not None
        shown = old_chart.version_of(mapped.migration)
        decide(mapped, record(mapped, Kind.ACCOUNT, "Meals and entertainment"), "6600")
        held = old_chart.version_of(mapped.migration)

        with pytest.raises(deciding.MappingChangedMeanwhile):
            deciding.bring_back(
                mapped.migration, kept, seen=shown, actor="ines", now=timezone.now()
            )

        assert old_chart.version_of(mapped.migration) == held


class TestTranslation:
    def test_changes_codings_into_the_erps_and_drops_what_is_parked(self, mapped: World) -> None:
        decide(mapped, record(mapped, Kind.FIELD, "Class"), "department")
        decide(mapped, record(mapped, Kind.OPTION, "Sales"), because="Dissolved")
        accept_all(mapped)
        translation = old_chart.translation_of(mapped.migration)

        def coding(kind: str, field: str, external_id: str) -> dict[str, object]:
            info = {"type": kind, "external_id": field, "id": "f"}
            return {"external_id": external_id, "name": "x", "category_info": info}

        sales = record(mapped, Kind.OPTION, "Sales").old_id
        engineering = record(mapped, Kind.OPTION, "Engineering").old_id
        body = translation.body(
            {
                "line_items": [
                    {
                        "accounting_field_selections": [
                            coding("GL_ACCOUNT", "Category", "59"),
                            coding("OTHER", "qbo-class", sales),
                            coding("OTHER", "qbo-class", engineering),
                            coding("NON_ERP", "mood", "59"),
                        ]
                    }
                ],
                "accounting_field_selections": [coding("GL_ACCOUNT", "Category", "62")],
                "vendor": {"remote_id": "V-2", "remote_code": "U"},
            }
        )

        made = body["line_items"][0]["accounting_field_selections"]
        assert [one["external_id"] for one in made] == ["6300", "ENG", "59"]
        assert made[1]["category_info"]["external_id"] == "department"
        assert body["accounting_field_selections"][0]["external_id"] == "unmapped:62"
        assert body["vendor"] == {"remote_id": "72", "remote_code": None}

    def test_a_suggestion_leads_nowhere_until_it_is_accepted(self, mapped: World) -> None:
        translation = old_chart.translation_of(mapped.migration)

        assert translation.erp_id(Kind.ACCOUNT, "59") == ""
        assert translation.erp_id(Kind.ACCOUNT, "57") == "6100"

    def test_the_sheet_says_which_field_becomes_which(self, mapped: World) -> None:
        sheet = {row.old: row for row in old_chart.sheet_of(mapped.migration)}
        assert "Not decided" in sheet["Class"].note

        decide(mapped, record(mapped, Kind.FIELD, "Class"), "department")

        assert {row.old: row.new for row in old_chart.sheet_of(mapped.migration)} == {
            "Category (GL account)": "Category (GL account)",
            "Merchant (vendor)": "Merchant (vendor)",
            "Tax code": "Tax code",
            "Class": "Department",
        }


class TestFiles:
    def take(self, world: World, text: str) -> list[tuple[str, str]]:
        results = csv_files.take_in(
            world.migration, csv_files.read(text.encode()), actor="ines", now=timezone.now()
        )
        return [(one.outcome.value, one.words) for one in results]

    def test_every_row_gets_its_answer(self, mapped: World) -> None:
        answers = self.take(
            mapped,
            "kind,old_field,old_id,erp_code,park_because\n"
            "option,qbo-class,4100002,SAL,\n"
            "account,,59,6300,\n"
            "account,,62,,Sold off\n"
            "account,,58,,\n"
            "account,,999,6300,\n"
            "account,,61,1234,\n"
            "field,,qbo-class,,\n",
        )

        assert [outcome for outcome, _ in answers] == [
            "refused",
            "unchanged",
            "saved",
            "unchanged",
            "refused",
            "refused",
            "unchanged",
        ]
        assert "no such record" in answers[4][1]
        assert "has none, or several, with the code 1234" in answers[5][1]

    def test_a_downloaded_file_changes_nothing(self, mapped: World, ines: Client) -> None:
        before = old_chart.version_of(mapped.migration)
        url = reverse("migration_mapping_csv", args=[mapped.migration.pk])
        data = b"".join(ines.get(url + "?all=1").streaming_content)  # type: ignore[attr-defined]

        results = csv_files.take_in(
            mapped.migration, csv_files.read(data), actor="ines", now=timezone.now()
        )

        assert {one.outcome.value for one in results} == {"unchanged"}
        assert old_chart.version_of(mapped.migration) == before

    def test_no_cell_becomes_a_formula(self, mapped: World, ines: Client) -> None:
        OldRecord.objects.filter(name="Travel").update(name="=HYPERLINK(1)")

        url = reverse("migration_mapping_csv", args=[mapped.migration.pk])
        data = b"".join(ines.get(url + "?all=1").streaming_content)  # type: ignore[attr-defined]

        assert b"'=HYPERLINK(1)" in data


class TestManyOfOneName:
    def test_each_is_compared_with_few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Thousands of options may be called alike, told apart by their codes alone."""
        count = 300
        found = [Candidate(f"n{number}", "Store", f"S{number}") for number in range(count)]
        monkeypatch.setattr(targets, "candidates", lambda *_: found)
        compared: list[str] = []

        def folded(name: str) -> str:
            compared.append(name)
            return suggestions.folded(name)

        monkeypatch.setattr(labels, "folded", folded)
        shelf = suggesting._shelf(Connection(), Kind.VENDOR)

        rows = [OldRecord(name="STORE", code=f"s{number}") for number in range(count)]
        for row in rows:
            suggesting._look_up(row, shelf)

        assert [row.erp_id for row in rows] == [one.erp_id for one in found]
        assert len(compared) <= 2 * count

    def test_of_namesakes_without_a_code_only_some_are_weighed(self) -> None:
        namesakes = [Candidate(str(number), "Store") for number in range(1_000)]

        found = Suggester(namesakes).suggest(Coding("x", "Store"), limit=1_000)

        assert len(found) < 500
        assert "so have 999 others" in found[0].reason


class TestPages:
    def test_the_list_is_ranked_by_money(self, mapped: World) -> None:
        money = [line.row.money_minor for line in listed(mapped.migration, Filter()).rows]

        assert money == sorted(money, reverse=True)
        assert len(money) == 9

    @pytest.mark.parametrize("query", ["", "?state=all", "?state=conflict&kind=vendor&q=fig"])
    def test_show_every_filter(self, mapped: World, ines: Client, query: str) -> None:
        url = reverse("migration_step", args=[mapped.migration.pk, "mapping"])

        assert ines.get(url + query).status_code == 200

    def test_map_park_and_undo_one(self, mapped: World, ines: Client) -> None:
        row = record(mapped, Kind.ACCOUNT, "Equipment rental")
        here = [mapped.migration.pk, row.pk]
        page = ines.get(reverse("migration_mapping_record", args=here) + "?q=office")
        assert "6400 Office supplies" in page.content.decode()

        seen = {"seen": history.mark_of(row)}
        said = seen | {"erp_id": "6400"}
        refused = ines.post(reverse("migration_mapping_decide", args=here), said)
        assert refused.status_code == 422
        assert "cannot be told apart" in refused.content.decode()

        said = seen | {"parked_because": "Sold off"}
        ines.post(reverse("migration_mapping_park", args=here), said)
        row.refresh_from_db()
        assert row.state == State.PARKED
        seen = {"seen": history.mark_of(row)}
        ines.post(reverse("migration_mapping_undo", args=here), seen)
        row.refresh_from_db()
        assert row.state == State.UNMAPPED

    @pytest.mark.parametrize("act", ["decide", "park", "undo"])
    def test_a_decision_that_nobody_saw_is_not_overwritten(
        self, mapped: World, ines: Client, act: str
    ) -> None:
        row = record(mapped, Kind.ACCOUNT, "Equipment rental")
        here = [mapped.migration.pk, row.pk]
        said = {"seen": history.mark_of(row), "erp_id": "6300", "parked_because": "Sold off"}
        other = Decision(row, "6600")
        deciding.decide(mapped.migration, other, actor="ana", now=timezone.now())

        refused = ines.post(reverse(f"migration_mapping_{act}", args=here), said)

        assert refused.status_code == 409
        page = refused.content.decode()
        assert "ana has decided about" in page
        assert "it leads to 6600 Professional fees" in page
        row.refresh_from_db()
        assert (row.erp_id, row.decided_by) == ("6600", "ana")
        assert history.mark_of(row) in page

    def test_a_suggestion_that_has_changed_is_not_accepted(
        self, mapped: World, ines: Client
    ) -> None:
        row = OldRecord.objects.filter(migration=mapped.migration, state=State.SUGGESTED)[0]
        ticked = f"{row.pk}.{history.mark_of(row)}"
        OldRecord.objects.filter(pk=row.pk).update(erp_id="6600", erp_name="6600 Fees")

        url = reverse("migration_mapping_accept", args=[mapped.migration.pk])
        ines.post(url, {"record": [ticked]})

        row.refresh_from_db()
        assert row.state == State.SUGGESTED

    def test_says_before_what_a_decision_adds(self, mapped: World, ines: Client) -> None:
        row = record(mapped, Kind.ACCOUNT, "Equipment rental")
        url = reverse("migration_mapping_record", args=[mapped.migration.pk, row.pk])

        page = ines.get(url + "?q=office").content.decode()

        assert "is covered so far; with this decision" in page
        assert "1 other old one leads there" in page

    def test_a_file_is_looked_at_before_it_is_saved(self, mapped: World, ines: Client) -> None:
        url = reverse("migration_mapping_upload", args=[mapped.migration.pk])
        file = SimpleUploadedFile("m.csv", b"kind,old_id,erp_id\naccount,59,6600\nrow,1,2\n")
        before = old_chart.version_of(mapped.migration)

        looked = ines.post(url, {"file": file})

        assert "6600 Professional fees" in looked.content.decode()
        assert "Will be saved" in looked.content.decode()
        assert "no such record" in looked.content.decode()
        assert old_chart.version_of(mapped.migration) == before
        keep = {"text": looked.context["text"], "version": looked.context["version"]}
        saved = ines.post(url, keep)
        assert "What became of each row" in saved.content.decode()
        assert OldRecord.objects.get(old_id="59", kind="account").erp_id == "6600"
        assert ines.post(url, {}).status_code == 422

    def test_a_file_that_was_overtaken_is_looked_at_again(
        self, mapped: World, ines: Client
    ) -> None:
        url = reverse("migration_mapping_upload", args=[mapped.migration.pk])
        file = SimpleUploadedFile("m.csv", b"kind,old_id,erp_id\naccount,59,6600\n")
        looked = ines.post(url, {"file": file})
        row = OldRecord.objects.get(old_id="59", kind="account")
        decide(mapped, row, "6300")

        keep = {"text": looked.context["text"], "version": looked.context["version"]}
        again = ines.post(url, keep)

        assert again.status_code == 409
        assert "Somebody has worked on the mapping" in again.content.decode()
        row.refresh_from_db()
        assert row.erp_id == "6300"

    @pytest.mark.parametrize("change", differing.CHANGES)
    def test_compare_the_charts(self, mapped: World, ines: Client, change: str) -> None:
        expected = {
            "changed": "Figma, Inc.",
            "removed": "Equipment rental",
            "added": "6300 Meals",
            "same": "6100 Travel",
        }
        accept_all(mapped)
        deciding.undo(
            record(mapped, Kind.ACCOUNT, "Meals and entertainment"), actor="i", now=timezone.now()
        )
        kind = "vendor" if change == "changed" else "account"

        url = reverse("migration_mapping_diff", args=[mapped.migration.pk])
        page = ines.get(f"{url}?kind={kind}&change={change}")

        assert expected[change] in page.content.decode()

    def test_only_people_who_migrate_decide(self, mapped: World, client: Client) -> None:
        client.force_login(UserFactory.create(roles=["support"]))
        row = record(mapped, Kind.ACCOUNT, "Equipment rental")
        here = [mapped.migration.pk, row.pk]

        assert client.get(reverse("migration_mapping_record", args=here)).status_code == 200
        assert client.post(reverse("migration_mapping_park", args=here)).status_code == 403
