"""What holds for every test: whoever asks the run to stop gets it stopped in order."""

import signal


def pytest_configure() -> None:
    """SIGTERM ends the run as Ctrl-C does: fixtures are torn down, and the servers that tests have started are stopped
    (`atexit`); by default nothing of that would happen."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
