"""Which commit this checkout is at, read from its files: git itself need not be installed."""

from pathlib import Path


def git_revision(root: Path) -> str:
    """The commit's id, shortened; "unknown" outside of a checkout."""
    git = root / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head[:12]
        name = head.removeprefix("ref: ")
        return ((git / name).read_text().strip() if (git / name).exists() else _packed(git, name))[
            :12
        ]
    except OSError:
        return "unknown"


def _packed(git: Path, name: str) -> str:
    for line in (git / "packed-refs").read_text().splitlines():
        revision, _, known = line.partition(" ")
        if known == name:
            return revision
    return "unknown"
