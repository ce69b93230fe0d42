"""How much memory processes have, as the system tells it."""

from pathlib import Path

MEGABYTE = 1024.0
"""In the system's figures, which are kilobytes."""


def resident(pid: int | str = "self") -> float:
    """Megabytes that a process has now."""
    return _told(pid, "VmRSS")


def forget_peak() -> None:
    """Let `peak` begin anew with what this process has now."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """The most megabytes that this process has had since `forget_peak`."""
    return _told("self", "VmHWM")


def _told(pid: int | str, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kilobytes) / MEGABYTE
