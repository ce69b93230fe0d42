"""Make the virtual environment what requirements.lock says, then hand over to `commands`.

Runs under any Python 3.11 or newer, before anything is installed: only the standard library.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from screen import Activity, Screen  # type: ignore[import-not-found]  # beside this script

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV_VENV = ROOT / ".uv"
UV = UV_VENV / "bin" / "uv"
STAMP = VENV / ".made-for"
LOCK = ROOT / "requirements.lock"
UV_LOCK = ROOT / "requirements-uv.lock"
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
LOG = ROOT / "var" / "setup.log"

SETUP_HELP = {
    "ensurepip": "Python's venv module is incomplete. On Debian: apt-get install python3-venv",
    "No space left on device": "The disk is full. Free some space and start again.",
    "externally-managed": "pip refuses to work here; on Debian: apt-get install python3-venv",
    "dns error": "The package index is not reached. Check the network and start again.",
    "Could not find a version": "The package index is not reached, or lacks a pinned package.",
}


class SetupFailed(Exception):
    """The virtual environment cannot be made. The message says why and what to do."""


def main() -> int:  # noqa: RET503 - exec does not return
    """Set up if anything has changed, and become the command."""
    os.environ.update(_uv_settings())
    try:
        ensure_environment(Screen(sys.stderr))
    except SetupFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. ./run again goes on where it was.", file=sys.stderr)
        return 130
    command = [str(PYTHON), "-m", "rampbridge.embedded.commands", *sys.argv[1:]]
    os.chdir(ROOT)
    os.execv(command[0], command)  # noqa: S606 - no shell is the point


def ensure_environment(screen: Screen) -> None:
    """Create or renew the virtual environment, unless it is what it should be.

    :raises SetupFailed: when a step fails
    """
    if is_current():
        return
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with (LOG.parent / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once in one clone: the second waits
        if not is_current():
            _make_environment(screen)


def is_current() -> bool:
    """Whether the virtual environment is the one that the lock file describes."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == fingerprint()


def fingerprint() -> str:
    """What the environment depends on. Its scripts know their own path, so a moved clone counts."""
    parts = (LOCK.read_bytes(), UV_LOCK.read_bytes(), sys.version.encode(), bytes(ROOT))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _make_environment(screen: Screen) -> None:
    LOG.write_bytes(b"")
    if _works([str(UV), "--version"]) != _wanted_uv():
        shutil.rmtree(UV_VENV, ignore_errors=True)
        venv = [sys.executable, "-m", "venv", str(UV_VENV)]
        _step(screen, "Make room for the installer", venv, expected=3)
        pip = [str(UV_VENV / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        get_uv = [*pip, "--disable-pip-version-check", "--require-hashes", "-r", str(UV_LOCK)]
        _step(screen, "Get the installer, uv", get_uv, expected=5)
    if not _works([str(PYTHON), "--version"]):
        venv = [str(UV), "venv", "--clear", "--python", sys.executable, str(VENV)]
        _step(screen, "Create the virtual environment", venv, expected=1)
    sync = [str(UV), "pip", "sync", "--require-hashes", "--compile-bytecode"]
    install = [*sync, "--python", str(PYTHON), str(LOCK)]
    _step(screen, "Install what requirements.lock names", install, expected=30)
    STAMP.write_text(fingerprint())


def _wanted_uv() -> str:
    return UV_LOCK.read_text().split()[0].replace("==", " ")


def _works(command: list[str]) -> str:
    """What a program prints, or nothing if it does not run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ""
    return " ".join(done.stdout.split()[:2])


def _step(screen: Screen, title: str, command: list[str], *, expected: float) -> None:
    activity = Activity(title, expected)
    with LOG.open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
        try:
            while process.poll() is None:
                screen.show([activity])
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
    if process.returncode:
        raise SetupFailed(_explain(title))
    screen.finished(activity)


def _uv_settings() -> dict[str, str]:
    settings = {"UV_PYTHON_DOWNLOADS": "never"}
    if SYSTEM_CERTIFICATES.exists():  # a company's proxy is trusted there, and not in uv's own list
        settings["UV_SYSTEM_CERTS"] = "true"
    if not os.access(os.environ.get("HOME") or "/nonexistent", os.W_OK):
        settings["UV_CACHE_DIR"] = str(ROOT / "var" / "uv-cache")
    return settings


def _explain(title: str) -> str:
    text = LOG.read_text(errors="replace")
    remedy = next((help_ for words, help_ in SETUP_HELP.items() if words in text), "")
    end = "\n".join(f"    {line}" for line in text.splitlines()[-15:])
    return f"{title}: failed. The end of {LOG}:\n{end}\n{remedy}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
