"""The page of keys, and the reference."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from connections import api_tokens
from connections.api_tokens import Scope
from connections.models import ApiToken
from rampbridge.api import api
from tests.factories import UserFactory, now

pytestmark = pytest.mark.django_db
URL = "/api-keys/"
FORM = {"name": "Nightly report", "scopes": ["read"], "lasts": "90"}


@pytest.fixture
def maya(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["implementer"]))
    return client


def shown_key(html: str) -> str:
    found = re.search(r'<code id="key"[^>]*>(rbk_[\w-]+)</code>', html)
    assert found, "no key is shown"
    return found[1]


class TestKeys:
    def test_a_new_key_is_shown_once_and_works(self, maya: Client) -> None:
        made = maya.post(URL, FORM)

        key = shown_key(made.content.decode())
        assert "no-store" in made["Cache-Control"]
        assert api_tokens.admit(key).token.name == "Nightly report"
        assert key not in maya.get(URL).content.decode()

    def test_a_form_sent_twice_makes_one_key(self, maya: Client) -> None:
        maya.post(URL, FORM)

        again = maya.post(URL, FORM)

        assert again.status_code == 422
        assert "You have a key named" in again.content.decode()
        assert ApiToken.objects.count() == 1

    def test_says_what_is_missing_beside_each_field(self, maya: Client) -> None:
        html = maya.post(URL, {}).content.decode()

        assert "Name the program that is to use it." in html
        assert "Choose at least one thing that it may do." in html

    def test_nobody_gives_what_they_have_not(self, client: Client) -> None:
        client.force_login(UserFactory.create(roles=["manager"]))

        assert client.get(URL).status_code == 403
        assert client.post(URL, FORM).status_code == 403

    def test_revokes_at_once(self, maya: Client) -> None:
        key = shown_key(maya.post(URL, FORM).content.decode())
        token = ApiToken.objects.get()

        html = maya.post(reverse("revoke_api_token", args=[token.pk]), follow=True).content.decode()

        assert "It opens nothing any more" in html
        with pytest.raises(api_tokens.NotAccepted):
            api_tokens.admit(key)

    def test_keys_of_others_are_theirs_and_the_admins(self, maya: Client, client: Client) -> None:
        maya.post(URL, FORM)
        token = ApiToken.objects.get()
        other, admin = Client(), Client()
        other.force_login(UserFactory.create(username="kenji", roles=["implementer"]))
        admin.force_login(UserFactory.create(username="hannah", roles=["admin"]))
        revoke = reverse("revoke_api_token", args=[token.pk])

        assert "Nightly report" not in other.get(URL).content.decode().split("new-title")[0]
        assert other.post(revoke).status_code == 404
        assert "of maya" in admin.get(URL).content.decode()
        assert admin.post(revoke).status_code == 302

    def test_says_what_a_key_may_do_no_longer(self, client: Client) -> None:
        owner = UserFactory.create(username="maya", roles=["implementer"])
        api_tokens.make(
            owner=owner,
            name="Tickets",
            scopes=[Scope.READ, Scope.RETRY],
            lasts=timedelta(days=9),
            now=now(),
        )
        owner.groups.clear()
        client.force_login(UserFactory.create(roles=["admin"]))

        html = client.get(URL).content.decode()

        assert "maya may no longer read, retry." in html
        assert "Ends soon" in html

    def test_takes_as_many_queries_for_many_owners_as_for_one(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(8):
            owner = UserFactory.create(username=f"owner-{number}", roles=["implementer"])
            api_tokens.make(
                owner=owner, name="x", scopes=[Scope.READ], lasts=timedelta(days=30), now=now()
            )
        client.force_login(UserFactory.create(roles=["admin"]))

        with django_assert_max_num_queries(12):
            client.get(URL)


class TestReference:
    def test_tells_every_operation_with_an_example(self, maya: Client) -> None:
        html = maya.get("/api/").content.decode()

        for path, methods in api.get_openapi_schema()["paths"].items():
            for operation in methods.values():
                assert f'id="{operation["operationId"]}"' in html, path
        assert html.count("curl -") > len(api.get_openapi_schema()["paths"])
        assert "needs-a-person" in html

    def test_no_two_things_on_it_have_one_name(self, maya: Client) -> None:
        names = re.findall(r'\sid="([^"]+)"', maya.get("/api/").content.decode())

        assert sorted({name for name in names if names.count(name) > 1}) == []

    def test_every_link_on_it_leads_somewhere(self, maya: Client) -> None:
        html = maya.get("/api/").content.decode()

        targets = set(re.findall(r'href="#([^"]+)"', html))
        assert targets - set(re.findall(r'id="([^"]+)"', html)) == set()

    def test_loads_nothing_from_elsewhere(self, maya: Client) -> None:
        response = maya.get("/api/")

        assert re.findall(r'(?:src|href)="https?://[^"]+', response.content.decode()) == []
        assert "script-src 'self'" in response["Content-Security-Policy"]

    def test_is_for_people_who_are_signed_in(self, client: Client) -> None:
        assert client.get("/api/").status_code == 302
