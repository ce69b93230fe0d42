"""What comes from elsewhere is what was locked, and nothing else lies there."""

from pathlib import Path

from rampbridge.vendor_assets import VENDOR_DIR, Package, VendorFile, problems, read_lock, sha384


def _lock(content: bytes) -> dict[str, Package]:
    file = VendorFile(source="dist/a.css", sha384=sha384(content))
    return {"a": Package(version="1", licence="MIT", files={"a.css": file})}


def test_vendored_files_are_as_they_were_locked() -> None:
    assert list(problems(read_lock())) == []


def test_every_package_says_its_version_licence_and_hash() -> None:
    for name, package in read_lock().items():
        assert package["version"], name
        assert package["licence"], name
        assert package["integrity"].startswith("sha512-"), name
        assert any(path.endswith("LICENSE") for path in package["files"]), name


def test_nothing_vendored_loads_from_elsewhere() -> None:
    for file in VENDOR_DIR.rglob("*.css"):
        assert b"sourceMappingURL" not in file.read_bytes()
        assert b"url(http" not in file.read_bytes()


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_bytes(b"b {}")

    assert list(problems(_lock(b"a {}"), tmp_path)) == ["a.css was changed after it was vendored"]


def test_a_missing_and_an_unknown_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "b.css").write_bytes(b"b {}")

    assert list(problems(_lock(b"a {}"), tmp_path)) == [
        "a.css is missing",
        "b.css is in no package of vendor.lock.json",
    ]
