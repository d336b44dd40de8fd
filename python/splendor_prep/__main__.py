"""The ``prep`` command, also as ``python -m splendor_prep``."""

from __future__ import annotations

import signal
import sys

from ._native import run_command


def main() -> None:
    """Runs the command of ``sys.argv`` and exits with its code."""
    # Python would handle Ctrl-C only after the command returns. With the default action it ends the
    # process, as for the `prep` binary, unless the command stops after its next commit.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
