import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from rampbridge.embedded import postgres, processes
from rampbridge.embedded.postgres import Cluster
from tests.plugins import embedded_postgres


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A place for a server of its own, on a path with a space in it."""
    place = Path(tempfile.mkdtemp(prefix="rb-"))
    place.chmod(0o711)
    data = place / "a place"
    yield Cluster(data, place / "s", place / "log", durable=False)
    shutil.rmtree(place)


@pytest.fixture
def as_another_user(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A root without user namespaces, as in a container."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    postgres.unprivileged.cache_clear()
    programs = {"unshare": None, "setpriv": shutil.which("setpriv")}
    monkeypatch.setattr(shutil, "which", programs.get)
    yield
    postgres.unprivileged.cache_clear()


def version(cluster: Cluster) -> int:
    with psycopg.connect(cluster.url("postgres")) as db:
        return db.info.server_version


@pytest.mark.django_db
def test_every_test_run_has_a_real_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        (number,) = cursor.fetchone()

    assert int(number) >= 150000


class TestRunning:
    def test_serves_while_the_block_lasts(self, cluster: Cluster) -> None:
        with postgres.running(cluster):
            assert version(cluster) >= 150000

        assert not postgres.answers(cluster)

    def test_keeps_what_was_written(self, cluster: Cluster) -> None:
        with postgres.running(cluster):
            postgres.ensure_database(cluster, "books", owner="keeper")
        with postgres.running(cluster):
            postgres.ensure_database(cluster, "books", owner="keeper")
            with psycopg.connect(cluster.url("books", user="keeper")) as db:
                assert db.info.dbname == "books"

    def test_listens_only_in_a_directory_of_its_owner(self, cluster: Cluster) -> None:
        with postgres.running(cluster), psycopg.connect(cluster.url("postgres")) as db:
            setting = db.execute("SHOW listen_addresses").fetchone()

        assert setting == ("",)
        assert cluster.sockets.stat().st_mode & 0o077 == 0

    def test_takes_over_from_a_server_that_a_killed_run_left(self, cluster: Cluster) -> None:
        postgres.prepare(cluster)
        left = processes.start(cluster.program())
        postgres.wait_until_ready(cluster, left)

        with postgres.running(cluster):
            assert left.wait(60) == 0
            assert version(cluster) >= 150000

    def test_recovers_after_a_kill(self, cluster: Cluster) -> None:
        postgres.prepare(cluster)
        killed = processes.start(cluster.program())
        postgres.wait_until_ready(cluster, killed)
        killed.send_signal(signal.SIGKILL)
        killed.wait()

        with postgres.running(cluster):
            assert version(cluster) >= 150000

    def test_runs_as_another_user_where_root_has_no_namespaces(
        self, cluster: Cluster, as_another_user: None
    ) -> None:
        if not os.access(Path(postgres.__file__).parents[2], os.X_OK):
            pytest.skip("the checkout is closed to other users")

        with postgres.running(cluster):
            assert "setpriv" in postgres.unprivileged()
            assert version(cluster) >= 150000

    def test_says_what_the_server_said_when_it_does_not_start(self, cluster: Cluster) -> None:
        postgres.prepare(cluster)
        (cluster.data / "postgresql.conf").write_text("no_such_setting = 1\n")

        with (
            pytest.raises(postgres.PostgresNotStarted, match="no_such_setting"),
            postgres.running(cluster),
        ):
            pytest.fail("it started")


def test_an_abandoned_run_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abandoned, running = tmp_path / "run-1", tmp_path / "run-2"
    for directory in (abandoned, running):
        directory.mkdir()
        (directory / "lock").touch()
    monkeypatch.setattr(embedded_postgres, "RUNS", tmp_path)

    with (running / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        embedded_postgres.remove_abandoned_runs()

    assert list(tmp_path.iterdir()) == [running]
