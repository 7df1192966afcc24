"""A primary PostgreSQL and its streaming standby, for nodes that know both addresses."""

import signal
from typing import Any

import psycopg

from tests.databases import Server
from tests.running import until

SETTINGS = {"autovacuum": "off", "wal_receiver_timeout": "10s", "wal_retrieve_retry_interval": "100ms"}
STREAMING = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"


class Cluster:
    """Two servers, durable as they come."""

    def __init__(self) -> None:
        """Neither is started."""
        self.primary = Server(SETTINGS, "primary")
        self.standby = Server(SETTINGS, "standby")

    def start(self, synchronous: bool) -> "Cluster":
        """The standby is a copy of the primary and follows it; `synchronous`: it has each commit before the answer."""
        self.primary.make().start()
        copy = ("pg_basebackup", "-D", self.standby.data, "-d", self.primary.url("postgres"), "-R", "-c", "fast")
        self.standby.run(*copy, "--no-sync")
        self.standby.start()
        if synchronous:
            ask(self.primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
            ask(self.primary, "SELECT pg_reload_conf()")
        state = "sync" if synchronous else "async"
        until(lambda: ask(self.primary, STREAMING) == [(state,)], "the standby follows")
        return self

    @property
    def url(self) -> str:
        """For nodes: both hosts, and the wish for the one that takes writes."""
        ports = ",".join(f"127.0.0.1:{server.port}" for server in (self.primary, self.standby))
        return f"postgresql://postgres@{ports}/postgres?target_session_attrs=read-write"

    def part(self) -> None:
        """The standby hears nothing more of the primary."""
        ask(self.standby, "ALTER SYSTEM SET primary_conninfo = ''")
        ask(self.standby, "SELECT pg_reload_conf()")
        until(lambda: ask(self.standby, "SELECT count(*) FROM pg_stat_wal_receiver") == [(0,)], "it does not receive")
        until(lambda: ask(self.primary, STREAMING) == [], "nobody is sent anything")

    @property
    def waiting_commits(self) -> int:
        """How many commits of the primary are not answered yet, for want of the standby."""
        [(count,)] = ask(self.primary, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        return int(count)

    @property
    def lost_bytes(self) -> int:
        """How much of the primary's log the standby does not have."""
        [(end,)] = ask(self.primary, "SELECT pg_current_wal_flush_lsn()::text")
        received = "greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
        return int(ask(self.standby, f"SELECT '{end}'::pg_lsn - {received}")[0][0])

    def lose_primary(self) -> None:
        """As a machine is lost: everything stops at once."""
        self.primary.stop(signal.SIGQUIT)

    def promote(self) -> None:
        """Make the standby the primary."""
        assert ask(self.standby, "SELECT pg_promote(true, 30)") == [(True,)]

    def remove(self) -> None:
        """Take both away."""
        self.primary.remove()
        self.standby.remove()


def ask(server: Server, statement: str) -> list[tuple[Any, ...]]:
    """What a server answers."""
    with psycopg.connect(server.url("postgres"), autocommit=True, connect_timeout=3) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []
