"""Run one benchmark in this process: `python -m bench.run_one NAME`, on the database at hand."""

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from importlib import import_module

import django

from bench.figures import line, targets


def main(name: str) -> int:
    django.setup()
    benchmark = import_module(f"bench.{name}")
    with getattr(benchmark, "STAGE", nullcontext)() as stage:
        measured = benchmark.measure(stage)
    figures = measured if isinstance(measured, Mapping) else {name: measured}
    known = targets()
    for part, figure in figures.items():
        print(line(part, figure, known[part]), flush=True)
    return 0 if all(known[part].is_reached(one) for part, one in figures.items()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
