"""`queue-service` with a database that syncs less than it should: python -m tests.faults.faulty_node OFF serve ..."""

import sys
from functools import partial

from queue_service import database

if __name__ == "__main__":
    database.Database = partial(database.Database, synchronous=sys.argv.pop(1))  # type: ignore[assignment,misc]

    from api.cli import main  # only now: whoever imports the database from here on gets the weakened one

    main()
