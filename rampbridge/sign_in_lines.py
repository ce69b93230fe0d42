"""Who signed in and out, in the audit lines. Only what came through a page counts."""

from typing import Any

from allauth.account.signals import user_logged_in
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver

from connections import audit


@receiver(user_logged_in, dispatch_uid="rampbridge.signed_in")
def _signed_in(user: AbstractBaseUser, **_: Any) -> None:
    audit.record(user.get_username(), "account.sign_in", "Signed in.")


@receiver(user_logged_out, dispatch_uid="rampbridge.signed_out")
def _signed_out(user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:  # None: the session had run out before
        audit.record(user.get_username(), "account.sign_out", "Signed out.")
