"""Every row of a file gets an answer, and the good ones are not held up by the bad ones."""

import pytest

from connections.mapping_book import csv_file
from connections.mapping_book.csv_file import Row
from connections.mapping_book.importing import Import, Result, exported, plan
from connections.mapping_book.revisions import save
from connections.models import Connection, Mapping, MappingKind, MappingRevision
from tests.factories import (
    ConnectionFactory,
    CustomFieldFactory,
    EntityFactory,
    FieldOptionFactory,
    LedgerAccountFactory,
)


@pytest.fixture
def connection(db: None) -> Connection:
    made: Connection = ConnectionFactory.create()
    LedgerAccountFactory.create(connection=made, erp_id="61", code="6100", name="Travel")
    LedgerAccountFactory.create(connection=made, erp_id="62", code="6200", name="Software")
    LedgerAccountFactory.create(connection=made, erp_id="63", code="6200", name="Double")
    LedgerAccountFactory.create(connection=made, erp_id="69", code="6900", is_active=False)
    FieldOptionFactory.create(
        field=CustomFieldFactory.create(connection=made), erp_id="ENG", code="E"
    )
    return made


def planned(connection: Connection, *rows: Row) -> Import:
    return plan(connection, list(enumerate(rows, start=2)))


def row(ramp_id: str, erp_id: str = "", **cells: str) -> Row:
    return Row(**{"kind": "gl_account", "ramp_id": ramp_id, "erp_id": erp_id, **cells})


def keep(connection: Connection, found: Import) -> None:
    save(
        connection,
        found.changes,
        actor="maya",
        reason="From a file",
        source=MappingRevision.Source.FILE,
    )


class TestARow:
    @pytest.mark.parametrize(
        ("cells", "outcome", "field", "words"),
        [
            (row("a", "61"), "accepted", "", ""),
            (row("a", erp_code="6100"), "accepted", "", ""),
            (row("a", "61", kind="GL account"), "accepted", "", ""),
            (row("a"), "unchanged", "", "No ERP record is entered."),
            (row("a", "-"), "unchanged", "", "It is so already."),
            (row("a", "99"), "refused", "erp_id", "Tryton has no GL account with the id 99."),
            (row("a", "69"), "refused", "erp_id", "is closed in Tryton."),
            (row("", "61"), "refused", "ramp_id", "does not say what of Ramp it maps."),
            (row("a", erp_code="6200"), "refused", "erp_code", "several records with the code"),
            (row("a", erp_code="1"), "refused", "erp_code", "has no record with the code 1."),
            (row("a", "61", kind="colour"), "refused", "kind", "is no kind of mapping."),
            (row("a", "61", entity="Nowhere"), "refused", "entity", "no entity called Nowhere"),
            (row("1.2E+15", "61"), "refused", "ramp_id", "has turned the id in ramp_id into"),
            (row("a" * 201, "61"), "refused", "ramp_id", "more than 200 characters"),
            (row("a", "ENG", kind="field_option"), "refused", "field", "no field with the id"),
        ],
    )
    def test_gets_an_answer_with_the_column_and_the_fix(
        self, connection: Connection, cells: Row, outcome: str, field: str, words: str
    ) -> None:
        (result,) = planned(connection, cells).results

        assert (result.outcome, result.field) == (outcome, field)
        assert words in result.words

    def test_can_name_an_entity_and_take_a_line_out(self, connection: Connection) -> None:
        entity = EntityFactory.create(connection=connection, name="Paris")
        keep(connection, planned(connection, row("a", "61", entity="paris"), row("b", "61")))
        assert Mapping.objects.get(ramp_external_id="a").entity == entity

        keep(connection, planned(connection, row("a", "-", entity=str(entity.ramp_id))))
        assert Mapping.objects.get().ramp_external_id == "b"

    def test_keeps_its_own_reason(self, connection: Connection) -> None:
        keep(connection, planned(connection, row("a", "61", reason="Audit"), row("b", "61")))

        reasons = Mapping.objects.order_by("ramp_external_id").values_list("reason", flat=True)
        assert list(reasons) == ["Audit", "From a file"]


class TestAFile:
    def test_good_rows_are_saved_though_others_are_refused(self, connection: Connection) -> None:
        found = planned(connection, row("a", "61"), row("b", "99"), row("c", "62"), row("d"))

        keep(connection, found)

        assert [found.count(one) for one in ("accepted", "refused", "unchanged")] == [2, 1, 1]
        assert Mapping.objects.count() == 2

    def test_two_rows_for_one_coding_are_both_named_where_they_differ(
        self, connection: Connection
    ) -> None:
        found = planned(connection, row("a", "61"), row("a", "62"))

        assert [one.outcome for one in found.results] == ["accepted", "refused"]
        assert found.results[1].words.startswith("a is mapped twice, to different records.")

    def test_what_was_downloaded_changes_nothing_when_it_comes_back(
        self, connection: Connection
    ) -> None:
        EntityFactory.create(connection=connection, is_mapped=True)
        keep(
            connection,
            planned(
                connection,
                row("a", "61", ramp_name="=Old"),
                row("b", "ENG", kind="field_option", field="department"),
            ),
        )
        text = csv_file.written(exported(connection))

        back = plan(connection, csv_file.read(text.encode()))

        assert len(back.results) == 3
        assert {one.outcome for one in back.results} == {"unchanged"}
        assert _of(back, "a").row.erp_name == "Travel"
        assert _of(back, "a").row.kind == MappingKind.GL_ACCOUNT


def _of(found: Import, ramp_id: str) -> Result:
    return next(one for one in found.results if one.row.ramp_id == ramp_id)
