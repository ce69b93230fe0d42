"""Who may sign in: whom an admin made an account for, or whom the identity provider knows."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import connection as database
from django.http import HttpRequest

from rampbridge.lib.statements import kept_rows
from rampbridge.policy import remember_roles

_COLUMNS = [field.attname for field in User._meta.concrete_fields]  # noqa: SLF001
_WITH_ROLES = f"""
    SELECT {", ".join(f"u.{column}" for column in _COLUMNS)}, ARRAY(
        SELECT g.name FROM auth_group g JOIN auth_user_groups m ON m.group_id = g.id
        WHERE m.user_id = u.id
    ) AS group_names
    FROM auth_user u WHERE u.id = %s
"""  # noqa: S608  columns of the model


class RolesAtOnce(ModelBackend):
    """Whoever asks for a page comes with their roles, for every page needs both. One statement."""

    def get_user(self, user_id: Any) -> User | None:
        # As text: at each page and poll the ORM took longer to write it than PostgreSQL to answer.
        known = kept_rows(_WITH_ROLES, [user_id])
        if not known:
            return None
        *values, group_names = known[0]
        found = User.from_db(database.alias, _COLUMNS, values)
        if not self.user_can_authenticate(found):
            return None
        remember_roles(found, group_names)
        return found


class PasswordBackend(RolesAtOnce):
    """Local accounts."""


class ProviderBackend(RolesAtOnce, AuthenticationBackend):  # type: ignore[misc]
    """Accounts of the company's identity provider."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types here
    """Local accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Accounts of the company's identity provider, which decides who may have one.

    A new one has no role, so it sees nothing until an admin gives it one.
    """

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True
