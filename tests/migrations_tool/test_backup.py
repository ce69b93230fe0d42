"""Step 4: the archive of the old chart and of all codings."""

import pytest

from migrations_tool import backup
from migrations_tool.models import Backup, BackupPart, FormerCoding, StepRun
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Light
from tests.migrations_tool.world import World


@pytest.fixture(autouse=True)
def planned(world: World) -> None:
    migration = world.migration
    migration.old_connection_id = world.old.id
    migration.old_provider_name = "QuickBooks Online"
    migration.save()


def test_everything_is_kept_and_sealed(world: World) -> None:
    run = world.do(Step.BACKUP, Act.APPLY)

    print(run.state, run.title, run.fix)
    sealed = backup.latest(world.migration)
    assert sealed is not None
    print(sealed.counts)
    print(world.gates(Step.BACKUP))
