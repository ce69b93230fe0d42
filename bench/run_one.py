"""Run one benchmark in this process: `python -m bench.run_one NAME`, on the database at hand."""

import sys
from contextlib import nullcontext
from importlib import import_module

import django

from bench.figures import line, targets


def main(name: str) -> int:
    django.setup()
    benchmark = import_module(f"bench.{name}")
    with getattr(benchmark, "STAGE", nullcontext)() as stage:
        measured = benchmark.measure(stage)
    target = targets()[name]
    print(line(name, measured, target), flush=True)
    return 0 if target.is_met_by(measured.value) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
