"""Run the sync engine against a pretend world that is drawn from a seed, thousands of times.

    ./run simulate --seeds 300 --kills 300 --json
    ./run simulate --seed 4711
    ./run simulate --ablations

Production code and a real PostgreSQL in one process. Which worker runs next, the time, the network,
what breaks and who dies come from the seed, so that a run that finds something can be run again.
Seeds that once found something stand in `regress.txt` and run first. `--kills` runs the kill test
as well, on real processes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rampbridge.embedded import postgres
from rampbridge.embedded.home import ROOT
from tests.simulation.seeded import room
from tests.simulation.seeded.planted import PLANTED
from tests.simulation.seeded.reached import unreached

REGRESS = Path(__file__).with_name("regress.txt")
MOST_SEEDS = 2000
"""Until a planted bug must have been found."""
PROCESSES = 2


def main(arguments: Sequence[str]) -> int:
    """Run as told, print what came of it. 1 if anything is wrong."""
    given = _parsed(arguments)
    if given.part:
        return _one_part(given)
    with tempfile.TemporaryDirectory(prefix="rb-") as directory:
        root = Path(directory)
        root.chmod(0o711)  # the server may have to run as another user
        cluster = postgres.Cluster(root / "data", root / "s", root / "postgres.log", durable=False)
        with postgres.running(cluster):
            os.environ["SIMULATION_SERVER"] = cluster.url("postgres")
            room.prepare(cluster.url("postgres"))
            if given.ablations:
                return _ablations(given)
            began = time.monotonic()
            seeds = [given.seed] if given.seed is not None else _seeds(given.seeds)
            tally = _run(seeds, planted=given.planted, stops=bool(given.planted))
            seconds = time.monotonic() - began
            killed = _killed(given.kills) if given.kills else {}
    if not given.planted:
        _remember(tally)
    _print_run(tally, seconds, killed, as_json=given.json)
    is_wrong = tally.broken or unreached(tally) or any(killed.get(name) for name in _WRONG)
    return 1 if is_wrong else 0


def _remember(tally: room.Tally) -> None:
    """Let seeds that found something run first from now on, with a line that runs each again."""
    known = _known()
    with REGRESS.open("a") as file:
        for seed, invariant, what in tally.broken:
            if seed not in known:
                said = " ".join(what.split())[:100]
                file.write(f"{seed}  # {invariant}: {said} (./run simulate --seed {seed})\n")


_WRONG = ("lost", "doubled", "unbalanced", "unexplained", "errors")
"""What the kill test counts, and must all be nothing."""


def _killed(kills: int) -> dict[str, Any]:
    """The kill test, on real processes."""
    command = [sys.executable, "-m", "tests.simulation.kills", "--json", "--kills", str(kills)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:
        raise SystemExit(done.returncode or 1)
    return dict(json.loads(done.stdout))


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run simulate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=300, help="how many (300)")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--kills", type=int, default=0, help="real ones, of processes (none)")
    parser.add_argument("--json", action="store_true", help="one object, for programs")
    parser.add_argument("--ablations", action="store_true", help="find each planted bug")
    parser.add_argument("--planted", choices=sorted(PLANTED), default="", help="plant a bug")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _seeds(number: int) -> list[int]:
    """Those that once found something, and then so many."""
    return list(dict.fromkeys([*_known(), *range(1, number + 1)]))


def _known() -> list[int]:
    lines = [line.partition("#")[0].strip() for line in REGRESS.read_text().splitlines()]
    return [int(line) for line in lines if line]


def _run(seeds: Sequence[int], *, planted: str, stops: bool = False) -> room.Tally:
    """Run seeds in several processes, each on a database of its own."""
    parts = [part for number in range(PROCESSES) if (part := seeds[number::PROCESSES])]
    running = [
        subprocess.Popen(
            _command(part, planted=planted, stops=stops),
            env={**os.environ, "PYTHONHASHSEED": "0"},  # or sets would be in another order
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in parts
    ]
    tally = room.Tally()
    for said in _heard(running, until_found=stops):
        tally.add(room.Tally.read(json.loads(said)))
    tally.broken.sort()
    return tally


def _heard(running: Sequence[subprocess.Popen[str]], *, until_found: bool) -> Iterator[str]:
    """What the processes say as they end, all of them or until one has found something."""
    with ThreadPoolExecutor(len(running)) as waiting:
        for done in as_completed([waiting.submit(one.communicate) for one in running]):
            said, _ = done.result()
            if not said:
                raise SystemExit("A process of the simulation has broken down.")
            yield said
            if until_found and json.loads(said)["broken"]:
                for process in running:
                    process.terminate()
                return


def _command(seeds: Sequence[int], *, planted: str, stops: bool) -> list[str]:
    order = {"seeds": list(seeds), "planted": planted, "stops": stops}
    return [sys.executable, "-m", "tests.simulation.simulate", "--part", json.dumps(order)]


def _one_part(given: argparse.Namespace) -> int:
    """What one of the processes does."""
    order = json.loads(given.part)
    with room.opened(os.environ["SIMULATION_SERVER"], f"simulated_{os.getpid()}") as url:
        tally = room.run(url, order["seeds"], planted=order["planted"], stops=order["stops"])
    sys.stdout.write(json.dumps(vars(tally)))
    return 0


def _ablations(given: argparse.Namespace) -> int:
    """Plant each bug, run seeds until it is found."""
    missed = 0
    for name in PLANTED:
        tally = _run(_seeds(MOST_SEEDS), planted=name, stops=True)
        if tally.broken:
            seed, invariant, what = tally.broken[0]
            _say(f"{name:20} seed {seed:5} {invariant:6} {what[:140]}")
        else:
            missed += 1
            _say(f"{name:20} not found in {tally.seeds} seeds")
    return 1 if missed else 0


def _print_run(
    tally: room.Tally, seconds: float, killed: Mapping[str, Any], *, as_json: bool
) -> None:
    if as_json:
        _say(json.dumps(_summary(tally, seconds, killed)))
        return
    if killed:
        _say(f"{killed['kills']} processes killed: { ({name: killed[name] for name in _WRONG}) }")
    _say(
        f"{tally.seeds} seeds in {seconds:.0f} s, {tally.steps} steps;"
        f" {tally.seconds / max(tally.seeds, 1):.3f} s of processor time each"
    )
    for title, counted in _counted(tally).items():
        _say(f"{title:8} {', '.join(f'{name} {number}' for name, number in counted.items())}")
    for seed, invariant, what in tally.broken:
        _say(f"{invariant}: {what}\n  ./run simulate --seed {seed}")
    for what in unreached(tally):
        _say(f"Too rare: {what}.")
    if tally.broken:
        _say(f"{len(tally.broken)} seeds found something.")
    if findings := killed.get("findings"):
        _say("The kill test found something.\n" + "\n".join(findings))
    elif not tally.broken:
        _say("Nothing is wrong.")


def _summary(tally: room.Tally, seconds: float, killed: Mapping[str, Any]) -> dict[str, Any]:
    """Both halves together, and what the kill test says by itself."""
    broken = Counter(invariant for _, invariant, _ in tally.broken)
    unbalanced = broken["INV4"] + broken["INV5"]
    found = {
        "doubled": broken["INV2"],
        "unbalanced": unbalanced,
        "lost": broken.total() - broken["INV2"] - unbalanced,
    }
    struck = Counter(tally.kills) + Counter(killed.get("failpoints", {}))
    faults = Counter(tally.faults)
    for kinds in ("erp_faults", "ramp_faults", "disasters"):
        faults.update(killed.get(kinds, {}))
    for sound in ("write", "lookup"):
        faults.pop(sound, None)
    return {
        **vars(tally),
        "runs": tally.seeds + bool(killed),
        "kills": sum(tally.kills.values()) + killed.get("kills", 0),
        "faults": dict(sorted(faults.items())),
        "failpoints": dict(sorted(struck.items())),
        **{name: number + killed.get(name, 0) for name, number in found.items()},
        "unreached": unreached(tally),
        "wall": round(seconds, 1),
        "kill_test": killed,
    }


def _counted(tally: room.Tally) -> Mapping[str, Mapping[str, int]]:
    return {
        "kills": dict(sorted(tally.kills.items())),
        "freezes": dict(sorted(tally.freezes.items())),
        "faults": dict(sorted(tally.faults.items())),
        "people": dict(sorted(tally.acts.items())),
        "ends": dict(sorted(tally.ends.items())),
    }


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
