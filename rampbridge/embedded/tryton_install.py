"""Tryton in a virtual environment of its own: its packages and licence are not ours."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

Progress = Callable[[str], None]
"""Takes one line about what is happening now."""

ADDON = Path("erp_addons") / "tryton"


class TrytonNotStarted(Exception):
    """Tryton could not be installed, filled or started. The message is fit to show."""


def install(root: Path, progress: Progress) -> Path:
    """The directory of an environment with Tryton and our add-on; made when there is none.

    :raises TrytonNotStarted: with the end of the installer's output
    """
    home = root / "var" / "tryton"
    home.mkdir(parents=True, exist_ok=True)
    place = home / f"venv-{environment_key(root)[:12]}"
    finished = place / ".finished"
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            progress("Installing Tryton into an environment of its own")
            shutil.rmtree(place, ignore_errors=True)
            _install_into(place, root)
            finished.touch()  # an environment broken off half-way has none, and is made anew
    return place


def environment_key(root: Path) -> str:
    """A digest of all that goes into the environment."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {sys.platform}".encode())
    addon = root / ADDON
    package = sorted((addon / "trytond_rampbridge").glob("*.*"))
    for path in [addon / "requirements.lock", addon / "pyproject.toml", *package]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _install_into(place: Path, root: Path) -> None:
    uv = root / ".uv" / "bin" / "uv"
    lock = root / ADDON / "requirements.lock"
    with _addon_sources(root) as addon:
        if uv.exists():
            python = str(place / "bin" / "python")
            run([str(uv), "venv", "--quiet", "--python", sys.executable, str(place)])
            pip = [str(uv), "pip", "install", "--quiet", "--python", python]
        else:
            venv.create(place, with_pip=True)
            pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        run([*pip, "--require-hashes", "-r", str(lock)])
        run([*pip, "--no-deps", "--no-build-isolation", str(addon)])


@contextmanager
def _addon_sources(root: Path) -> Iterator[Path]:
    """A copy of the add-on to build from, for building leaves files behind."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "addon"
        shutil.copytree(root / ADDON, copy, ignore=shutil.ignore_patterns("__pycache__"))
        yield copy


def run(
    command: list[str], *, env: Mapping[str, str] | None = None, text_in: str | None = None
) -> str:
    """Run a command to its end and return its output.

    :raises TrytonNotStarted: with the end of its output, if it fails
    """
    done = subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        input=text_in,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        end = "\n".join(done.stdout.splitlines()[-15:])
        raise TrytonNotStarted(f"{' '.join(command[:3])} failed:\n{end}")
    return done.stdout
