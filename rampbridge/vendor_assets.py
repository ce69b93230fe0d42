"""Bring foreign CSS, fonts and icons into `static/vendor/`, and prove that nobody has edited them.

    python -m rampbridge.vendor_assets            fetch what `vendor.lock.json` names, with npm
    python -m rampbridge.vendor_assets --check    compare the files with their hashes, offline

To add or raise a package, edit its `version` and `files` in the lock, remove its `integrity`,
and fetch.
"""

import argparse
import base64
import hashlib
import json
import re
import subprocess  # only ever runs npm, below
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict

VENDOR_DIR = Path(__file__).resolve().parent.parent / "static" / "vendor"
LOCK_FILE = VENDOR_DIR / "vendor.lock.json"

# The map files are not vendored, and the manifest storage refuses a reference to a missing file.
SOURCE_MAP = re.compile(rb"\n?/\*# sourceMappingURL=.*?\*/")


class VendorFile(TypedDict, total=False):
    source: str  # path inside the package
    sha384: str  # of the file as it lies in static/vendor


class Package(TypedDict, total=False):
    version: str
    licence: str
    integrity: str  # of the package archive, as npm states it
    files: dict[str, VendorFile]  # by path below static/vendor


class TamperedPackage(Exception):
    """The archive is not the one that was locked."""


def read_lock() -> dict[str, Package]:
    lock: dict[str, Package] = json.loads(LOCK_FILE.read_text())
    return lock


def problems(lock: dict[str, Package], directory: Path = VENDOR_DIR) -> Iterator[str]:
    """Say what differs between the lock and the files: changed, missing, or unknown to the lock."""
    locked = {path: file for package in lock.values() for path, file in package["files"].items()}
    for path, file in locked.items():
        target = directory / path
        if not target.is_file():
            yield f"{path} is missing"
        elif sha384(target.read_bytes()) != file["sha384"]:
            yield f"{path} was changed after it was vendored"
    present = {str(file.relative_to(directory)) for file in directory.rglob("*") if file.is_file()}
    for path in sorted(present - locked.keys() - {LOCK_FILE.name}):
        yield f"{path} is in no package of {LOCK_FILE.name}"


def fetch(name: str, package: Package, directory: Path = VENDOR_DIR) -> Package:
    """Download one package and copy its listed files.

    :raises TamperedPackage: if its archive differs from the locked one
    """
    with tempfile.TemporaryDirectory() as scratch:
        archive = _download(f"{name}@{package['version']}", Path(scratch))
        integrity = _digest("sha512", archive.read_bytes())
        if package.get("integrity", integrity) != integrity:
            raise TamperedPackage(f"{name} {package['version']} is not the archive that was locked")
        with tarfile.open(archive) as opened:
            files = {
                path: _copy(opened, file["source"], directory / path)
                for path, file in package["files"].items()
            }
    return Package(
        version=package["version"], licence=package["licence"], integrity=integrity, files=files
    )


def sha384(content: bytes) -> str:
    return _digest("sha384", content)


def _digest(algorithm: str, content: bytes) -> str:
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm}-{base64.b64encode(digest).decode()}"


def _download(specifier: str, directory: Path) -> Path:
    command = ["npm", "pack", "--silent", specifier]
    answer = subprocess.run(  # noqa: S603 - the words come from our own lock file
        command, cwd=directory, check=True, capture_output=True, text=True
    )
    return directory / answer.stdout.strip()


def _copy(archive: tarfile.TarFile, source: str, target: Path) -> VendorFile:
    member = archive.extractfile(f"package/{source}")
    if member is None:
        raise FileNotFoundError(f"{source} is no file of this package")
    content = SOURCE_MAP.sub(b"", member.read())
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return VendorFile(source=source, sha384=sha384(content))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare hashes, change nothing")
    lock = read_lock()
    if not parser.parse_args(arguments).check:
        lock = {name: fetch(name, package) for name, package in sorted(lock.items())}
        LOCK_FILE.write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n")
    found = list(problems(lock))
    sys.stdout.writelines(f"{problem}\n" for problem in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
