"""The ``prep`` command: ``python -m splendor_prep`` is the same."""

from __future__ import annotations

import signal
import sys

from ._native import run_command


def main() -> None:
    """Runs the command of ``sys.argv`` and exits with its code."""
    # Python notes Ctrl-C and acts on it once its own code goes on, which here it does when all is
    # done. As in the program of the same name, it ends the process, unless the command has it end
    # after its next commit.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
