"""Keys to the API: shown once, and never able to do more than who made them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import F

from connections import api_tokens, audit
from connections.api_tokens import Scope
from connections.models import ApiToken, AuditLine
from tests.factories import UserFactory, now

pytestmark = pytest.mark.django_db
MONTH = timedelta(days=30)


@pytest.fixture
def maya() -> User:
    return UserFactory.create(username="maya", roles=["implementer"])


def make(owner: User, *scopes: Scope, name: str = "nightly report") -> tuple[ApiToken, str]:
    return api_tokens.make(
        owner=owner, name=name, scopes=scopes or (Scope.READ,), lasts=MONTH, now=now()
    )


class TestMaking:
    def test_keeps_a_digest_and_six_characters_and_nothing_else(self, maya: User) -> None:
        token, text = make(maya)

        row = ApiToken.objects.values().get(pk=token.pk)
        assert len(text) >= len("rbk_") + 43
        assert not any(text in str(value) for value in row.values())
        assert text.startswith(row["hint"])
        assert len(row["hint"]) == 10

    def test_two_keys_are_never_the_same(self, maya: User) -> None:
        assert make(maya)[1] != make(maya, name="other")[1]

    def test_leaves_an_audit_line_without_the_key(self, maya: User) -> None:
        token, text = make(maya, Scope.READ, Scope.RETRY)

        line = AuditLine.objects.get(act="api_keys.make")
        assert (line.actor, line.subject_id) == ("maya", str(token.pk))
        assert "nightly report" in line.text
        assert text not in line.text + str(line.data)

    def test_a_key_is_no_more_than_its_makers_roles(self) -> None:
        manager = UserFactory.create(roles=["manager"])

        with pytest.raises(api_tokens.NotAllowed, match="retry"):
            make(manager, Scope.RETRY)

    def test_a_key_ends_within_a_year(self, maya: User) -> None:
        with pytest.raises(ValueError, match="within a year"):
            api_tokens.make(
                owner=maya, name="x", scopes=[Scope.READ], lasts=timedelta(days=367), now=now()
            )

    def test_a_form_sent_twice_makes_one_key(self, maya: User) -> None:
        make(maya)

        with pytest.raises(api_tokens.NameTaken):
            make(maya)

    def test_the_name_of_a_revoked_key_is_free_again(self, maya: User) -> None:
        api_tokens.revoke(token=make(maya)[0], actor="maya", now=now())

        make(maya)


class TestAdmitting:
    def test_a_key_brings_its_owner(self, maya: User) -> None:
        token, text = make(maya)

        caller = api_tokens.admit(text)

        assert (caller.user, caller.token, caller.actor) == (maya, token, "maya")

    @pytest.mark.parametrize("text", ["", "rbk_", "rbk_nobody", "é\ud800"])
    def test_a_text_that_is_no_key_opens_nothing(self, text: str) -> None:
        with pytest.raises(api_tokens.NotAccepted, match="Nobody has this key"):
            api_tokens.admit(text)

    def test_an_expired_key_says_so(self, maya: User) -> None:
        _, text = make(maya)
        ApiToken.objects.update(expires_at=now() - timedelta(hours=1))

        with pytest.raises(api_tokens.NotAccepted, match="expired"):
            api_tokens.admit(text)

    def test_a_revoked_key_opens_nothing_at_once(self, maya: User) -> None:
        token, text = make(maya)

        assert api_tokens.revoke(token=token, actor="hannah", now=now())

        with pytest.raises(api_tokens.NotAccepted, match="revoked"):
            api_tokens.admit(text)
        assert AuditLine.objects.get(act="api_keys.revoke").actor == "hannah"
        assert not api_tokens.revoke(token=token, actor="maya", now=now())

    def test_who_has_left_takes_the_keys_along(self, maya: User) -> None:
        _, text = make(maya)
        User.objects.update(is_active=False)

        with pytest.raises(api_tokens.NotAccepted, match="no longer here"):
            api_tokens.admit(text)

    def test_somebody_new_of_the_same_name_does_not_inherit_keys(self, maya: User) -> None:
        _, text = make(maya)
        maya.delete()
        UserFactory.create(
            username="maya", roles=["admin"], date_joined=now() + timedelta(minutes=1)
        )

        with pytest.raises(api_tokens.NotAccepted, match="no longer here"):
            api_tokens.admit(text)

    def test_the_last_use_is_noted_once_a_minute(self, maya: User) -> None:
        token, text = make(maya)
        api_tokens.admit(text)
        first = ApiToken.objects.get(pk=token.pk).last_used_at
        assert first
        recent, old = first - timedelta(seconds=50), first - timedelta(seconds=61)

        ApiToken.objects.update(last_used_at=recent)
        api_tokens.admit(text)
        assert ApiToken.objects.get(pk=token.pk).last_used_at == recent

        ApiToken.objects.update(last_used_at=old)
        api_tokens.admit(text)
        assert ApiToken.objects.get(pk=token.pk).last_used_at == first


class TestScopes:
    def test_a_key_does_only_what_it_was_made_for(self, maya: User) -> None:
        caller = api_tokens.admit(make(maya, Scope.READ)[1])

        caller.check(Scope.READ)
        with pytest.raises(api_tokens.NotAllowed, match="no scope retry"):
            caller.check(Scope.RETRY)

    def test_a_demotion_counts_from_the_next_call(self, maya: User) -> None:
        _, text = make(maya, Scope.RETRY)
        api_tokens.admit(text).check(Scope.RETRY)

        maya.groups.clear()

        with pytest.raises(api_tokens.NotAllowed, match="The owner of this key may not"):
            api_tokens.admit(text).check(Scope.RETRY)


class TestAllowance:
    def test_a_burst_is_followed_by_as_many_calls_as_refill(
        self, maya: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api_tokens, "BURST", 3.0)
        _, text = make(maya)
        for _ in range(3):
            api_tokens.admit(text)

        with pytest.raises(api_tokens.TooFast) as refused:
            api_tokens.admit(text)
        assert 0 < refused.value.wait <= 1 / api_tokens.PER_SECOND

        ApiToken.objects.update(calls_left_at=F("calls_left_at") - timedelta(seconds=0.25))
        api_tokens.admit(text)

    def test_a_rest_gives_no_more_than_one_burst(
        self, maya: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api_tokens, "BURST", 2.0)
        token, text = make(maya)
        ApiToken.objects.update(calls_left=0, calls_left_at=now() - timedelta(days=1))

        api_tokens.admit(text)

        assert ApiToken.objects.get(pk=token.pk).calls_left == 1

    def test_one_key_does_not_slow_another(
        self, maya: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api_tokens, "BURST", 1.0)
        (_, one), (_, other) = make(maya), make(maya, name="other")
        api_tokens.admit(one)

        api_tokens.admit(other)


def test_a_line_of_the_audit_names_the_key() -> None:
    with audit.by_key("nightly report"):
        inside = audit.record("maya", "items.retry", "Retried 31 items.", data={"job": 1})
    outside = audit.record("maya", "items.retry", "x" * 600)

    assert inside.text == "Retried 31 items. By the API key “nightly report”."
    assert inside.data == {"job": 1, "api_key": "nightly report"}
    assert "api_key" not in outside.data
    assert len(outside.text) == 500
