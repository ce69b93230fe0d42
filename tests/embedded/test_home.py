import json
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rampbridge.embedded import home as homes
from rampbridge.embedded.home import AlreadyRunning, CannotUse, Home, short_directory, usable_port
from rampbridge.environment import read_environment


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    runtime = Path(tempfile.mkdtemp(prefix="rb-"))  # tmp_path is too deep for a socket
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    home = Home(tmp_path / "a demo")
    home.prepare()
    yield home
    shutil.rmtree(runtime)


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestHome:
    def test_gives_our_programs_an_environment_they_accept(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in home.environment().items():
            monkeypatch.setenv(name, value)

        assert read_environment().poll_interval_seconds == 30

    def test_makes_secrets_once_and_for_its_owner_alone(self, home: Home) -> None:
        first = home.secrets()

        assert home.secrets() == first
        assert mode(home.root / "secrets.json") == 0o600
        assert mode(home.root) == 0o711

    def test_refuses_a_second_demo_and_says_where_the_first_one_is(self, home: Home) -> None:
        home.write("state.json", {"url": "http://127.0.0.1:8000"})

        other = Home(home.root).held()

        with home.held(), pytest.raises(AlreadyRunning, match=r"http://127\.0\.0\.1:8000"):
            other.__enter__()

    def test_says_so_when_no_demo_but_a_command_holds_it(self, home: Home) -> None:
        other = Home(home.root).held()

        with home.held(), pytest.raises(AlreadyRunning, match=r"Another \./run command"):
            other.__enter__()

    def test_can_be_held_again_afterwards(self, home: Home) -> None:
        with home.held():
            pass
        with home.held():
            pass


class TestPorts:
    def test_takes_the_next_one_where_somebody_listens(
        self, home: Home, taken_port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(homes, "PREFERRED_PORTS", {"web": taken_port})

        ports = home.renew_ports()

        assert ports["web"] != taken_port
        assert usable_port(ports["web"])

    def test_stays_at_the_ports_of_the_last_start(self, home: Home) -> None:
        free = usable_port(0)
        home.write("ports.json", {"web": free})

        assert home.renew_ports()["web"] == free
        assert json.loads((home.root / "ports.json").read_text())["web"] == free

    def test_never_gives_one_port_to_two_servers(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        port = usable_port(0)
        monkeypatch.setattr(homes, "PREFERRED_PORTS", {"web": port, "ramp": port})

        ports = home.renew_ports()

        assert len(set(ports.values())) == 2


class TestShortDirectory:
    def test_is_ours_and_always_the_same(self, home: Home) -> None:
        path = short_directory(home.root)

        assert path == short_directory(home.root)
        assert mode(path) == 0o711

    def test_avoids_a_runtime_directory_that_is_too_deep_for_a_socket(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deep = tmp_path / ("x" * 100)
        deep.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))

        path = short_directory(tmp_path)
        path.rmdir()

        assert deep not in path.parents

    def test_refuses_one_that_others_may_enter(self, home: Home) -> None:
        short_directory(home.root).chmod(0o755)

        with pytest.raises(CannotUse, match="not ours alone"):
            short_directory(home.root)

    def test_refuses_a_link_that_somebody_planted(self, home: Home, tmp_path: Path) -> None:
        path = short_directory(home.root)
        path.rmdir()
        path.symlink_to(tmp_path)

        with pytest.raises(CannotUse, match="not ours alone"):
            short_directory(home.root)

    def test_differs_between_clones(self, home: Home, tmp_path: Path) -> None:
        assert short_directory(home.root) != short_directory(tmp_path / "other")
        assert os.access(short_directory(home.root), os.W_OK)
