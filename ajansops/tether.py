"""`python -m ajansops.tether PID COMMAND…`: become COMMAND, and end with the process PID, also when that is killed.

Linux only; elsewhere the command simply runs on. Setting this in a forked child of a threaded parent would be unsafe.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Never returns."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked to be told
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  # our own commands, no shell


if __name__ == "__main__":
    main()
