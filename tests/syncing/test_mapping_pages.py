"""The mapping pages: what waits first, saved with one click, nothing lost when it is refused."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from connections.mapping_book import csv_file
from connections.mapping_book.csv_file import Row
from connections.models import Connection, Entity, LedgerAccount, Mapping, MappingRevision
from syncing.models import SyncItem
from tests.browser.mapping_stories import missing_mappings
from tests.factories import ConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db

HOME = "/customers/mapped/mappings/"
SOFTWARE = {"kind": "gl_account", "id": "legacy-77", "field": ""}


@pytest.fixture
def customer() -> Connection:
    return missing_mappings()


def signed_in(role: str = "support") -> Client:
    client = Client()
    client.force_login(UserFactory.create(username=f"maya-{role}", roles=[role]))
    return client


def text_of(response: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(plain.replace("&quot;", '"').replace("&#x27;", "'").split())


def waiting(client: Client) -> int:
    return SyncItem.objects.filter(state="READY").count()


class TestTheWorkbench:
    def test_shows_most_money_first_with_a_suggestion_and_its_reason(
        self, customer: Connection
    ) -> None:
        shown = text_of(signed_in().get(HOME))

        order = [shown.index(name) for name in ("Software GL", "Github Vendor", "Old projects GL")]
        assert order == sorted(order)
        assert "31 items 12,299.87 USD" in shown
        assert "6200 Software 95 % same name" in shown
        assert "GitHub, Inc. 91 % same name but for the legal form" in shown

    def test_one_click_saves_and_releases_all_31(self, customer: Connection) -> None:
        client = signed_in()
        answer = client.post(
            f"{HOME}accept", {**SOFTWARE, "after": "a6200", "expected": "3"}, follow=True
        )

        assert "31 items released by revision 4: 0 through, 31 under way" in text_of(answer)
        assert SyncItem.objects.filter(state="READY").count() == 31
        revision = MappingRevision.objects.get(number=4)
        assert (revision.actor, revision.reason) == ("maya-support", "Suggested: same name.")

    def test_counts_what_has_gone_through_since(self, customer: Connection) -> None:
        client = signed_in()
        client.post(f"{HOME}accept", {**SOFTWARE, "after": "a6200"})
        address = f"{HOME}revisions/4/progress"
        ids = list(SyncItem.objects.filter(state="READY").values_list("pk", flat=True))
        SyncItem.objects.filter(pk__in=ids[:2]).update(
            state="FAILED", error_category="user_actionable", error_title="May is closed."
        )

        shown = text_of(client.get(address, headers={"HX-Request": "true"}))

        assert "31 items released by revision 4: 0 through, 29 under way, held up again:" in shown
        assert "2 \N{MULTIPLICATION SIGN} May is closed." in shown

    def test_a_suggestion_that_no_longer_holds_is_not_saved(self, customer: Connection) -> None:
        client = signed_in()
        LedgerAccount.objects.filter(erp_id="a6200").update(is_active=False)

        answer = client.post(f"{HOME}accept", {**SOFTWARE, "after": "a6200"}, follow=True)

        assert "This suggestion no longer holds." in text_of(answer)
        assert MappingRevision.objects.count() == 3

    def test_is_told_if_somebody_else_was_faster(self, customer: Connection) -> None:
        client = signed_in()
        client.post(f"{HOME}accept", {**SOFTWARE, "after": "a6200", "expected": "3"})
        SyncItem.objects.filter(blocked_by="", error_title="").exclude(state="FAILED").update(
            state="FAILED",
            error_category="user_actionable",
            blocked_by="mapping.GL account:legacy-77",
        )

        answer = client.post(
            f"{HOME}accept", {**SOFTWARE, "after": "a6200", "expected": "3"}, follow=True
        )

        assert "maya-support has changed Software meanwhile, in revision 4." in text_of(answer)

    def test_says_so_if_nothing_waits(self) -> None:
        ConnectionFactory.create(slug="mapped")

        shown = text_of(signed_in().get(HOME))

        assert "Nothing waits for a mapping" in shown
        assert "100 %" in shown

    def test_reads_with_few_statements_though_five_kinds_wait(
        self, customer: Connection, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = signed_in()
        client.get(HOME)

        with django_assert_max_num_queries(22):
            client.get(HOME)


class TestWhoMay:
    @pytest.mark.parametrize("path", ["", "all/", "revisions/", "revisions/2/", "csv"])
    def test_everybody_sees(self, customer: Connection, path: str) -> None:
        assert signed_in("manager").get(HOME + path).status_code == 200

    @pytest.mark.parametrize("path", ["edit/?kind=gl_account&id=x", "file/", "copy/"])
    def test_managers_do_not_change(self, customer: Connection, path: str) -> None:
        assert signed_in("manager").get(HOME + path).status_code == 403

    def test_nor_take_back(self, customer: Connection) -> None:
        client = signed_in("manager")
        client.post(f"{HOME}revisions/2/", {"reason": "Wrong"})

        assert MappingRevision.objects.count() == 3
        assert "Take back this revision" not in text_of(client.get(f"{HOME}revisions/2/"))


class TestChoosing:
    def test_says_what_it_would_release_before_it_is_saved(self, customer: Connection) -> None:
        shown = text_of(signed_in().get(f"{HOME}edit/", SOFTWARE))

        assert "Releases 31 items , 12,299.87 USD at once." in shown
        assert "Map and release Back" in shown

    def test_searches_by_code_and_by_words(self, customer: Connection) -> None:
        client = signed_in()
        htmx = {"HX-Request": "true", "HX-Target": "choices"}
        by_code = text_of(client.get(f"{HOME}edit/", {**SOFTWARE, "q": "660"}, headers=htmx))
        by_word = text_of(client.get(f"{HOME}edit/", {**SOFTWARE, "q": "supp off"}, headers=htmx))
        nothing = text_of(client.get(f"{HOME}edit/", {**SOFTWARE, "q": "6999"}, headers=htmx))

        assert by_code == "6600 Professional fees expense"
        assert by_word == "6400 Office supplies expense"
        assert nothing.endswith("is called “6999”.")

    def test_works_without_a_script(self, customer: Connection) -> None:
        shown = text_of(signed_in().get(f"{HOME}edit/", {**SOFTWARE, "q": "660"}))

        assert "6600 Professional fees" in shown
        assert "6200 Software" not in shown

    def test_saves_for_one_entity(self, customer: Connection) -> None:
        labs = Entity.objects.get(name="Northwind Labs")
        signed_in().post(
            f"{HOME}edit/",
            {**SOFTWARE, "after": "a6600", "entity": str(labs.ramp_id), "reason": "Labs only"},
        )

        row = Mapping.objects.get(ramp_external_id="legacy-77")
        assert (row.entity, row.erp_id, row.reason) == (labs, "a6600", "Labs only")
        assert not SyncItem.objects.filter(state="READY").exists()

    def test_a_refusal_keeps_what_was_entered(self, customer: Connection) -> None:
        answer = signed_in().post(
            f"{HOME}edit/", {**SOFTWARE, "after": "a6999", "reason": "Because I say so"}
        )

        assert answer.status_code == 422
        assert "The GL account 6999 Old projects is closed in Tryton." in text_of(answer)
        assert "Because I say so" in answer.content.decode()

    def test_nothing_chosen_is_said(self, customer: Connection) -> None:
        answer = signed_in().post(f"{HOME}edit/", SOFTWARE)

        assert answer.status_code == 422
        assert "Choose the record of the ERP that it means." in text_of(answer)

    def test_a_mapping_can_be_taken_out(self, customer: Connection) -> None:
        client = signed_in()
        line = {"kind": "gl_account", "id": "legacy-61", "field": "", "entity": ""}
        assert "Take this mapping out" in text_of(client.get(f"{HOME}edit/", line))

        client.post(f"{HOME}remove", line)

        assert not Mapping.objects.filter(ramp_external_id="legacy-61").exists()

    @pytest.mark.parametrize("line", ["", "?kind=colour&id=1", "?kind=vendor"])
    def test_nonsense_is_not_found(self, customer: Connection, line: str) -> None:
        assert signed_in().get(f"{HOME}edit/{line}").status_code == 404


class TestBulk:
    def test_shows_strong_ones_only_and_saves_what_is_ticked(self, customer: Connection) -> None:
        client = signed_in()
        page = client.get(f"{HOME}suggestions/")
        shown = text_of(page)
        assert "6200 Software" in shown
        assert "Engineering R" not in shown
        assert "Releases 34 items" in shown
        tokens = re.findall(r'name="line"\s+id="[^"]+"\s+value="([^"]+)"', page.content.decode())

        client.post(f"{HOME}suggestions/", {"line": tokens[:1], "reason": "Looked through"})

        assert SyncItem.objects.filter(state="READY").count() == 31
        assert MappingRevision.objects.get(number=4).source == "suggestion"

    def test_nothing_ticked_saves_nothing(self, customer: Connection) -> None:
        answer = signed_in().post(f"{HOME}suggestions/", {"reason": "x"})

        assert answer.status_code == 422
        assert "Tick at least one line." in text_of(answer)


class TestTheBook:
    def test_lists_by_kind_and_finds_by_name_and_target(self, customer: Connection) -> None:
        client = signed_in()
        everything = text_of(client.get(f"{HOME}all/"))
        assert "Journeys" in everything
        assert "Food and drinks" in everything
        assert "6400 Office supplies" in everything
        by_target = text_of(client.get(f"{HOME}all/?q=travel", headers={"HX-Request": "true"}))
        assert "Journeys" in by_target
        assert "Food" not in by_target

    def test_shows_posting_accounts_and_entities_that_are_missing(
        self, customer: Connection
    ) -> None:
        client = signed_in()
        accounts = text_of(client.get(f"{HOME}all/?kind=profile"))
        entities = text_of(client.get(f"{HOME}all/?kind=entity"))

        assert "Card liability" in accounts
        assert "Reimbursements all entities nothing yet" in accounts
        assert "Northwind Labs all entities nothing yet" in entities

    def test_pages_by_key(self, customer: Connection) -> None:
        Mapping.objects.bulk_create(
            Mapping(
                connection=customer, kind="gl_account", ramp_external_id=f"x{n}", erp_id="a6100"
            )
            for n in range(60)
        )
        client = signed_in()
        first = client.get(f"{HOME}all/").content.decode()
        following = re.search(r'rel="next"\s+href="([^"]+)"', first)
        assert following

        second = client.get(f"{HOME}all/{following[1].replace('&amp;', '&')}").content.decode()

        assert second.count("data-row") == 12


class TestRevisions:
    def test_are_listed_with_who_and_why(self, customer: Connection) -> None:
        shown = text_of(signed_in().get(f"{HOME}revisions/"))

        assert "Canteen is booked as office supplies, says the controller. tomas.rivera" in shown

    def test_are_compared(self, customer: Connection) -> None:
        client = signed_in()
        assert "6300 Meals" in text_of(client.get(f"{HOME}revisions/3/"))
        since = text_of(client.get(f"{HOME}revisions/3/?against=0"))

        assert "What differs from the empty book" in since
        assert "6300 Meals" not in since

    def test_are_taken_back_unless_changed_later(self, customer: Connection) -> None:
        client = signed_in()
        refused = client.post(f"{HOME}revisions/2/", {"reason": "Wrong file"})
        assert refused.status_code == 422
        assert "was changed again after revision 2" in text_of(refused)
        assert "Wrong file" in refused.content.decode()

        client.post(f"{HOME}revisions/2/", {"reason": "Wrong file", "rest": ""})

        assert list(Mapping.objects.values_list("ramp_external_id", flat=True)) == ["legacy-63"]
        assert MappingRevision.objects.get(number=4).reverts == MappingRevision.objects.get(
            number=2
        )

    def test_of_another_customer_is_not_found(self, customer: Connection) -> None:
        ConnectionFactory.create(slug="neighbour")

        assert signed_in().get("/customers/neighbour/mappings/revisions/1/").status_code == 404


class TestFiles:
    def upload(self, client: Client, *rows: Row) -> Any:
        file = SimpleUploadedFile("mappings.csv", csv_file.written(rows).encode())
        return client.post(f"{HOME}file/", {"file": file})

    def test_are_looked_at_first_and_the_good_rows_saved(self, customer: Connection) -> None:
        client = signed_in()
        preview = self.upload(
            client,
            Row(kind="gl_account", ramp_id="legacy-77", ramp_name="Software", erp_code="6200"),
            Row(kind="gl_account", ramp_id="legacy-78", erp_id="nowhere"),
        )
        shown = text_of(preview)
        assert "Tryton has no GL account with the id nowhere." in shown
        assert "Releases 31 items" in shown
        assert MappingRevision.objects.count() == 3
        keep = preview.context["keep"].initial

        client.post(f"{HOME}file/", keep)

        assert SyncItem.objects.filter(state="READY").count() == 31
        assert MappingRevision.objects.get(number=4).source == "file"

    def test_that_cannot_be_read_say_why(self, customer: Connection) -> None:
        client = signed_in()
        file = SimpleUploadedFile("x.csv", b"a,b\n1,2\n")

        answer = client.post(f"{HOME}file/", {"file": file})

        assert answer.status_code == 422
        assert "names no column kind" in text_of(answer)

    def test_what_is_missing_comes_with_strong_suggestions_and_goes_back_in(
        self, customer: Connection
    ) -> None:
        client = signed_in()
        missing = client.get(f"{HOME}csv?what=waiting")
        assert 'filename="mapped-missing-mappings.csv"' in missing["Content-Disposition"]
        rows = [row for _, row in csv_file.read(missing.content)]
        assert {row.ramp_name: row.erp_id for row in rows} == {
            "Software": "a6200",
            "Github": "v1",
            "Old projects": "",
            "Engineering R&D": "",
            "Reduced rate": "",
        }

        preview = self.upload(client, *rows)

        assert preview.context["accepted"] == 2


class TestCopies:
    def test_show_the_difference_first(self, customer: Connection) -> None:
        other = missing_mappings("Harbor Coffee", "harbor")
        MappingRevision.objects.filter(connection=other).delete()
        Mapping.objects.filter(connection=other).delete()
        client = signed_in()
        address = "/customers/harbor/mappings/copy/"

        shown = text_of(client.get(address, {"source": "mapped"}))
        assert "What Northwind Robotics has otherwise" in shown
        assert "Journeys" in shown
        assert "Entities are each customer's own. Map them by hand." in shown

        client.post(address, {"source": "mapped", "reason": "Same chart"})
        copied = Mapping.objects.filter(connection=other)
        assert set(copied.values_list("ramp_external_id", "erp_id")) == {
            ("legacy-61", "a6100"),
            ("legacy-63", "a6400"),
        }

    def test_from_a_stranger_are_refused(self, customer: Connection) -> None:
        answer = signed_in().get(f"{HOME}copy/", {"source": "nobody"})

        assert answer.status_code == 422
        assert "There is no such customer or entity." in text_of(answer)
