import pytest
from django.contrib.auth.models import Group

from rampbridge.policy import Role


@pytest.mark.django_db
def test_every_role_has_its_group_after_a_migration() -> None:
    groups = set(Group.objects.values_list("name", flat=True))

    assert groups == {role.value for role in Role}
