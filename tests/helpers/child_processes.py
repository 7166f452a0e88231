"""Settings of the programs that tests start."""

import signal


def heeding_interrupts() -> None:
    """Let Ctrl-C end a child process: jobs in the background start with it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
