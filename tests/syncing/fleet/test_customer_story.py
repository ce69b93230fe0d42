"""What happened to a customer, what people wrote, what it sees in Ramp, and the text to hand on."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from connections import audit
from connections.models import AuditLine, Connection, Mirror
from syncing import pauses
from syncing.models import Comment, ErrorGroup, Handling
from syncing.queries.customer_stream import stream
from tests.browser.stories import ordinary_day
from tests.factories import (
    AckBatchFactory,
    ConnectionFactory,
    PauseFactory,
    ScheduleFactory,
    SyncItemFactory,
    SyncRunFactory,
    UserFactory,
    now,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection() -> Connection:
    found: Connection = ScheduleFactory.create(
        connection__slug="harbor", connection__name="Harbor"
    ).connection
    return found


@pytest.fixture
def maya(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


def page(client: Client, name: str, **query: str) -> str:
    response = client.get(reverse(name, args=["harbor"]), query)
    assert response.status_code == 200
    return response.content.decode()


class TestStream:
    def test_tells_of_everything_newest_first(self, connection: Connection) -> None:
        SyncItemFactory.create(connection=connection, failed=True)
        SyncRunFactory.create(connection=connection, new=12, actor="hannah")
        AckBatchFactory.create(connection=connection, size=41)
        PauseFactory.create(connection=connection, object_type="bill", automatic=True)
        Comment.objects.create(connection=connection, at=now(), author="maya", text="Call first.")
        audit.record("maya", "customers.tag", "Tagged Harbor: vip.", connection_id=connection.pk)

        lines = stream(connection.pk, now=now() + timedelta(seconds=1)).lines

        assert {line.source for line in lines} == {
            "failure", "read", "report", "pause", "note", "act",
        }  # fmt: skip
        assert [line.at for line in lines] == sorted((line.at for line in lines), reverse=True)
        titles = {line.source: line.title for line in lines}
        assert titles["report"] == "41 reported to Ramp as booked"
        assert titles["pause"] == "Bills: posting was paused"

    def test_tells_what_was_set_and_by_whom_only_once(self, connection: Connection) -> None:
        Connection.objects.filter(pk=connection.pk).update(stage="paused")

        moment = now() + timedelta(seconds=1)
        (line,) = stream(connection.pk, now=moment).lines
        assert (line.source, line.title) == ("setting", "Changed: stage to paused")

        audit.record("maya", "x", "Paused Harbor.", connection_id=connection.pk)
        (line,) = stream(connection.pk, now=moment).lines
        assert (line.source, line.who) == ("act", "maya")

    def test_leaves_out_what_brought_nothing_and_what_is_anothers(
        self, connection: Connection
    ) -> None:
        SyncRunFactory.create(connection=connection, new=0, changed=0)
        Mirror.objects.create(connection=connection)
        SyncItemFactory.create(failed=True)

        assert stream(connection.pk, now=now()).lines == []

    def test_pages_lose_nothing_even_within_one_moment(self, connection: Connection) -> None:
        moment = now() - timedelta(hours=1)
        for number in range(5):
            Comment.objects.create(
                connection=connection, at=moment, author="maya", text=f"note {number}"
            )
            AckBatchFactory.create(connection=connection, created_at=moment, size=number)
        found, after = [], ""

        for _ in range(5):
            part = stream(connection.pk, now=now(), after=after, size=3)
            found += [line.key for line in part.lines]
            after = part.next
            if not after:
                break

        assert len(found) == len(set(found)) == 10

    def test_can_be_narrowed(self, maya: Client, connection: Connection) -> None:
        SyncRunFactory.create(connection=connection, new=12)
        pauses.pause(connection, "bill", "Audit.", "hannah")
        audit.record("hannah", "pause", "Paused bills: audit.", connection_id=connection.pk)

        everything, config = page(maya, "customer_timeline"), page(
            maya, "customer_timeline", kind="config"
        )  # fmt: skip

        assert "12 new" in everything
        assert "Paused bills: audit." in config
        assert "12 new" not in config

    def test_nonsense_is_the_first_page(self, maya: Client, connection: Connection) -> None:
        for query in ({"after": "x"}, {"after": "2026-01-01~a1"}, {"kind": "?"}, {"after": "~"}):
            page(maya, "customer_timeline", **query)


class TestNotes:
    def test_are_kept_with_their_author(self, maya: Client, connection: Connection) -> None:
        maya.post(reverse("customer_notes", args=["harbor"]), {"text": "Ask for <b>Ana</b>."})

        html = page(maya, "customer_notes")
        assert "Ask for &lt;b&gt;Ana&lt;/b&gt;." in html
        assert "maya" in html
        assert AuditLine.objects.get().act == "customers.note"

    def test_an_empty_one_is_refused(self, maya: Client, connection: Connection) -> None:
        answer = maya.post(reverse("customer_notes", args=["harbor"]), {"text": "  "})

        assert answer.status_code == 422
        assert not Comment.objects.exists()


class TestInRamp:
    def test_shows_the_text_to_the_letter_and_whether_ramp_has_it(
        self, maya: Client, connection: Connection
    ) -> None:
        texts = {"told": "Reopen May & retry.", "due": "Choose a vendor.", "sending": "Ask us."}
        for telling, text in texts.items():
            SyncItemFactory.create(
                connection=connection, failed=True, failure_telling=telling, error_text=text
            )
        SyncItemFactory.create(connection=connection, failed=True, error_text="not told yet",
                               failure_telling="")  # fmt: skip

        html = page(maya, "customer_in_ramp")

        assert "Reopen May &amp; retry." in html
        assert html.count("On its way") == 2
        assert html.count("Shown in Ramp</span>") == 1
        assert "not told yet" not in html

    def test_says_when_ramp_refused_the_report(self, maya: Client, connection: Connection) -> None:
        SyncItemFactory.create(
            connection=connection,
            failed=True,
            failure_telling="due",
            error_text="Ask us.",
            failure_batch=AckBatchFactory.create(
                connection=connection, outcome="failure", state="rejected", problem="Not ready."
            ),
        )

        html = page(maya, "customer_in_ramp")

        assert "Not taken" in html
        assert "Not ready." in html


class TestBundle:
    def test_says_how_the_customer_stands_without_secrets(self, maya: Client) -> None:
        ordinary_day()

        response = maya.get(reverse("customer_bundle", args=["northwind-robotics"]))

        text = response.content.decode().split("<pre")[1].split("</pre>")[0]
        assert "Northwind Robotics (northwind-robotics), as of" in text
        assert "3 blocked on customer" in text
        assert "Open items" in text
        for secret in ("client_secret", "password", "sealed"):
            assert secret not in text

    def test_whoever_takes_it_leaves_a_line(self, maya: Client) -> None:
        connection = ConnectionFactory.create(slug="harbor", name="Harbor Coffee")

        page(maya, "customer_bundle")

        line = AuditLine.objects.get(act="customer.bundle")
        assert (line.actor, line.connection_id) == ("maya", connection.pk)
        assert line.text == "Took the support bundle of Harbor Coffee."

    def test_of_a_customer_about_whom_nothing_is_known(self, maya: Client) -> None:
        ConnectionFactory.create(slug="harbor", stage="setting_up")

        assert "- nothing" in page(maya, "customer_bundle")


class TestMyQueue:
    def test_counts_what_is_mine_and_open(self, maya: Client, connection: Connection) -> None:
        for item, owner in (
            (SyncItemFactory.create(connection=connection, failed=True), "maya"),
            (SyncItemFactory.create(connection=connection, acked=True), "maya"),
            (SyncItemFactory.create(connection=connection, failed=True), "kenji"),
        ):
            Handling.objects.create(item=item, owner=owner)
        ErrorGroup.objects.update(owner="maya")
        groups = ErrorGroup.objects.count()

        html = maya.get(reverse("my_queue"), headers={"HX-Request": "true"}).content.decode()

        assert f">{1 + groups}</strong>" in html

    def test_by_itself_leads_to_the_list(self, maya: Client) -> None:
        assert maya.get(reverse("my_queue"))["Location"] == "/items/?owner=me"
