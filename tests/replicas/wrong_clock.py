"""`queue-service` on a machine whose clock is wrong: python -m tests.replicas.wrong_clock SECONDS serve ..."""

import sys
import time

if __name__ == "__main__":
    off_s = int(sys.argv.pop(1))
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + off_s
    time.time_ns = lambda: right_ns() + off_s * 10**9

    from api.cli import main  # only now: nobody has kept the right clock for himself

    main()
