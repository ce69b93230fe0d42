import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from connections.erp.registry import adapter_for
from rampbridge.embedded.tryton_databases import Credentials, Databases
from rampbridge.embedded.tryton_install import ADDON, TrytonNotStarted, environment_key, run
from tests.plugins.tryton import ROOT, TrytonServer


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing in it but the add-on."""
    shutil.copytree(ROOT / ADDON, tmp_path / ADDON)
    return tmp_path


def databases(checkout: Path, year: int = 2026) -> Databases:
    return Databases(
        root=checkout, environment=checkout, server="host=/nowhere", today=date(year, 1, 1)
    )


class TestCredentials:
    def test_are_drawn_once(self, checkout: Path) -> None:
        with ThreadPoolExecutor(8) as pool:
            drawn = list(pool.map(lambda _: databases(checkout).credentials(), range(16)))

        assert len({credentials.password for credentials in drawn}) == 1
        assert isinstance(drawn[0], Credentials)

    def test_are_for_nobody_else_to_read(self, checkout: Path) -> None:
        credentials = databases(checkout).credentials()

        (path,) = (checkout / "var" / "cache" / "tryton").glob("credentials*")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert credentials.password not in repr(credentials)


class TestEnvironment:
    def test_is_made_anew_when_the_add_on_changes(self, checkout: Path) -> None:
        before = environment_key(checkout)
        module = checkout / ADDON / "trytond_rampbridge" / "move.py"

        module.write_text(module.read_text() + "\n")

        assert environment_key(checkout) != before

    def test_says_what_went_wrong(self) -> None:
        with pytest.raises(TrytonNotStarted, match="no luck"):
            run(["sh", "-c", "echo no luck; exit 3"])

    def test_of_libpq_leads_to_the_server_as_tryton_s_own_role(self, checkout: Path) -> None:
        assert databases(checkout).libpq == {"PGUSER": "tryton", "PGHOST": "/nowhere"}


class TestCompanies:
    def test_are_named_and_ready_to_work_in(self, tryton_server: TrytonServer) -> None:
        health = adapter_for("tryton", tryton_server.settings("yen")).health()

        assert (health.ok, health.company, health.version) == (True, "yen", "8.0")

    def test_are_made_once(self, tryton_server: TrytonServer) -> None:
        tryton_server.tryton.databases.create_company(
            tryton_server.database("yen"), currency="JPY", name="Another name"
        )

        assert adapter_for("tryton", tryton_server.settings("yen")).health().company == "yen"

    def test_need_no_update_when_they_are_fresh(
        self, tryton_server: TrytonServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tryton_server.tryton.databases.update(tryton_server.database("yen"), print)

        assert capsys.readouterr().out == ""
