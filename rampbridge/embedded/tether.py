"""Start a program that ends when its parent does, even if the parent is killed.

Run as a script, without the site module, in between the parent and the program: a `preexec_fn`
would do the same, but is unsafe in a process that has threads.

    python -I -S tether.py SIGNAL PARENT_PID PROGRAM [ARGUMENT ...]
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    end_signal, parent, program = int(arguments[0]), int(arguments[1]), arguments[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, end_signal)
        if os.getppid() != parent:  # it died before the kernel knew of our wish
            sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(sys.argv[1:])
