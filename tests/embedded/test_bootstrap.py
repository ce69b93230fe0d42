import io
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from rampbridge.embedded.home import ROOT
from rampbridge.embedded.screen import Screen

SCRIPT = ROOT / "rampbridge" / "embedded" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, on a checkout of its own."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    spec = spec_from_file_location("bootstrap_under_test", SCRIPT)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("LOCK", "UV_LOCK"):
        (tmp_path / name).write_text("uv==0.13.8 \\\n")
        monkeypatch.setattr(module, name, tmp_path / name)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(module, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(module, "LOG", tmp_path / "var" / "setup.log")
    return module


class TestEnsureEnvironment:
    def test_does_nothing_while_the_locks_are_the_same(self, bootstrap: ModuleType) -> None:
        bootstrap.STAMP.write_text(bootstrap.fingerprint())

        bootstrap.ensure_environment(Screen(io.StringIO()))

        assert not bootstrap.LOG.exists()

    def test_notices_another_lock(self, bootstrap: ModuleType) -> None:
        bootstrap.STAMP.write_text(bootstrap.fingerprint())

        bootstrap.LOCK.write_text("django==5.2.19")

        assert not bootstrap.is_current()

    def test_notices_that_the_checkout_has_moved(
        self, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bootstrap.STAMP.write_text(bootstrap.fingerprint())

        monkeypatch.setattr(bootstrap, "ROOT", bootstrap.ROOT / "elsewhere")

        assert not bootstrap.is_current()

    def test_a_step_that_fails_names_its_log_and_the_remedy(self, bootstrap: ModuleType) -> None:
        bootstrap.LOG.parent.mkdir()
        failing = [sys.executable, "-c", "raise SystemExit('No module named ensurepip')"]

        with pytest.raises(bootstrap.SetupFailed) as failure:
            bootstrap._step(Screen(io.StringIO()), "Make room", failing, expected=1)

        assert "Make room: failed." in str(failure.value)
        assert "apt-get install python3-venv" in str(failure.value)
        assert str(bootstrap.LOG) in str(failure.value)


class TestUvSettings:
    def test_keeps_uvs_cache_in_the_checkout_without_a_home(
        self, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", "/nonexistent")

        assert bootstrap._uv_settings()["UV_CACHE_DIR"] == str(bootstrap.ROOT / "var" / "uv-cache")

    def test_never_lets_uv_fetch_an_interpreter(self, bootstrap: ModuleType) -> None:
        assert bootstrap._uv_settings()["UV_PYTHON_DOWNLOADS"] == "never"


def test_run_says_what_it_needs_where_there_is_no_python(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for tool in ("dirname", "sh"):
        (tmp_path / "bin" / tool).symlink_to(f"/usr/bin/{tool}")
    (tmp_path / "run").write_text(
        (ROOT / "run").read_text().replace("/usr/bin/python3", "/nonexistent/python3")
    )

    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "run"), "help"],
        env={"PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
