import dataclasses
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from rampbridge.embedded import demo, postgres
from rampbridge.embedded import home as homes
from rampbridge.embedded.home import DATABASE, ROOT, CannotUse, Home
from rampbridge.embedded.screen import Screen
from rampbridge.embedded.supervisor import Service, Supervisor
from tests.plugins import migrated


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    place = Path(tempfile.mkdtemp(prefix="rb-"))
    place.chmod(0o711)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    monkeypatch.setattr(homes, "PREFERRED_PORTS", dict.fromkeys(homes.PREFERRED_PORTS, 0))
    home = Home(place / "a demo")
    home.prepare()
    home.renew_ports()
    yield home
    shutil.rmtree(place)


@pytest.fixture
def supervisor(home: Home) -> Iterator[Supervisor]:
    """The servers and the web process, without customers and ERP, on tables of a former start."""
    with postgres.running(home.cluster):
        postgres.ensure_database(home.cluster, DATABASE)
        migrated.restore_into(home.cluster.url(DATABASE), DATABASE)
    wanted = {"postgres", "valkey", "migrate", "ramp", "web"}
    all_steps = [*demo.servers(home), *demo.preparations(home), *demo.ours(home)]
    steps = [
        dataclasses.replace(step, needs=tuple(need for need in step.needs if need in wanted))
        for step in all_steps
        if step.name in wanted
    ]
    supervisor = Supervisor(
        steps, Screen(io.StringIO()), changed=lambda one: demo.write_state(home, one)
    )
    yield supervisor
    supervisor.stop()


def ready(home: Home) -> dict[str, object]:
    answer: dict[str, object] = httpx.get(home.url("web") + "/readyz", timeout=60).json()
    return answer


def test_comes_up_tells_where_it_is_and_mends_its_broker(
    home: Home, supervisor: Supervisor
) -> None:
    supervisor.bring_up()

    assert ready(home) == {"status": "ok", "problems": {}}
    state = home.state()
    assert set(state["processes"]) == {"postgres", "valkey", "ramp", "web"}
    assert httpx.get(state["urls"]["ramp"] + "/_simulator/businesses", timeout=60).is_success

    os.kill(state["processes"]["valkey"], signal.SIGKILL)
    while supervisor.children["valkey"].is_running:
        time.sleep(0.01)
    assert ready(home)["problems"].keys() == {"broker"}  # type: ignore[attr-defined]

    deadline = time.monotonic() + 60
    while ready(home)["status"] != "ok" and time.monotonic() < deadline:
        for child in supervisor.children.values():
            if isinstance(child.step, Service):
                supervisor._keep(child, child.step)
    assert ready(home)["status"] == "ok"


class TestWorkerComplaint:
    @pytest.fixture
    def database(self, home: Home) -> Iterator[str]:
        with postgres.running(home.cluster):
            postgres.ensure_database(home.cluster, DATABASE)
            url = home.cluster.url(DATABASE)
            with psycopg.connect(url, autocommit=True) as db:
                db.execute("CREATE TABLE syncing_workerbeat (beat_at timestamptz)")
                db.execute("INSERT INTO syncing_workerbeat VALUES (now() - interval '90 s')")
            yield url

    def test_names_a_worker_that_makes_no_progress(self, database: str) -> None:
        told = demo.worker_complaint(database, 100.0)
        seconds = re.fullmatch(r"no progress for (\d+) seconds\.", told)

        assert seconds, told
        assert 90 <= int(seconds[1]) < 150  # seconds more, where the machine is busy

    def test_leaves_a_worker_alone_that_has_just_started(self, database: str) -> None:
        assert demo.worker_complaint(database, 59.0) == ""

    def test_is_content_with_a_recent_beat(self, database: str) -> None:
        with psycopg.connect(database, autocommit=True) as db:
            db.execute("INSERT INTO syncing_workerbeat VALUES (now())")

        assert demo.worker_complaint(database, 100.0) == ""

    def test_does_not_blame_the_worker_for_a_database_that_is_away(self, home: Home) -> None:
        assert demo.worker_complaint(home.cluster.url(DATABASE), 100.0) == ""


def test_refuses_a_disk_that_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1024**3)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with pytest.raises(CannotUse, match=r"1\.0 GB left and the demo needs 2 GB"):
        demo.check_disk(tmp_path)


def test_tells_when_a_server_is_not_at_its_usual_port() -> None:
    output = io.StringIO()

    demo.tell_ports({**homes.PREFERRED_PORTS, "web": 8001}, Screen(output))

    assert output.getvalue() == "Port 8000 is taken, so web is at port 8001.\n"


def test_keeps_the_logs_of_the_start_before(home: Home) -> None:
    home.log("web").write_text("old")

    demo.rotate_logs(home)

    assert [path.name for path in home.logs.iterdir()] == ["web.log.1"]


def test_welcomes_with_an_address_and_a_sign_in_for_each_role(home: Home) -> None:
    text = demo.welcome(home)

    assert home.url("web") in text
    assert all(role in text for role in ("support", "implementer", "manager", "admin"))


DEMO_OF_ONE_SLEEPER = """
    import sys
    from pathlib import Path
    from rampbridge.embedded import demo
    from rampbridge.embedded.home import Home
    from rampbridge.embedded.processes import Program
    from rampbridge.embedded.screen import Screen
    from rampbridge.embedded.supervisor import Service

    home = Home(Path(sys.argv[1]))
    ears = Path(sys.argv[1]) / "ears"
    code = "import time; time.sleep(600)"
    if sys.argv[2] == "deaf":
        closed = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
        code = f"{closed}; open(sys.argv[1], 'w').close(); {code}"
    else:
        ears.touch()
    program = Program(argv=[sys.executable, "-S", "-c", code, str(ears)], log=home.log("web"))
    demo.steps = lambda _: [Service("web", "Web", lambda: program, ears.exists)]
    raise SystemExit(demo.run(home, Screen()))
"""


def run_sleeper(home: Home, kind: str) -> subprocess.Popen[str]:
    code = textwrap.dedent(DEMO_OF_ONE_SLEEPER)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(home.root), kind],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout
    while "Ctrl-C" not in process.stdout.readline():
        pass
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(home: Home, number: signal.Signals) -> None:
    process = run_sleeper(home, "good")
    child = home.state()["processes"]["web"]

    process.send_signal(number)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "Ended. What was synced is kept" in output
    assert not Path(f"/proc/{child}").exists()
    assert home.state() == {}


def test_a_second_signal_does_not_wait_for_the_slow(home: Home) -> None:
    """Without it the slow have half a minute."""
    process = run_sleeper(home, "deaf")
    child = home.state()["processes"]["web"]
    assert process.stdout

    process.terminate()
    while "Ending everything" not in process.stdout.readline():
        pass
    process.terminate()
    process.communicate(timeout=20)

    assert process.returncode == 0
    assert not Path(f"/proc/{child}").exists()


def test_a_port_that_is_taken_meanwhile_is_seen(home: Home) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", home.ports()["web"]))
        server.listen()

        assert demo.listens(home.ports()["web"])
        assert home.renew_ports()["web"] != server.getsockname()[1]
    assert not demo.listens(home.ports()["ramp"])
