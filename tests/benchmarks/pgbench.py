"""PostgreSQL's own load generator: one row, one transaction, as fast as the server takes them."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dev import postgres
from tests.benchmarks.site import Database

_FIRST_WITH_UUID7 = 180_000


@dataclass(frozen=True)
class Inserting:
    """Inserts copies of a ledger row into the ledger itself: same constraints, same indexes."""

    database: Database
    script: Path
    values: dict[str, str]

    def run(self, clients: int, seconds: int) -> float:
        """Return the transactions per second; each value but the unique ones is a parameter."""
        # pgbench takes no empty variable; those stand in the script.
        given = [f"--define={name}={value}" for name, value in self.values.items() if value]
        threads = ["-c", f"{clients}", "-j", f"{min(clients, 2)}", "-T", f"{seconds}"]
        options = ["-n", "-M", "prepared", *threads, "-f", f"{self.script}"]
        done = subprocess.run(
            [program(), *options, *given, self.database.url],
            capture_output=True,
            text=True,
            check=False,
        )
        found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
        if done.returncode or not found:
            raise RuntimeError(f"pgbench failed:\n{done.stdout}{done.stderr}")
        return float(found[1])


def program() -> str:
    """Return pgbench beside the server's binaries or in PATH; raise RuntimeError without one."""
    beside = postgres.binaries() / "pgbench"
    if found := str(beside) if beside.exists() else shutil.which("pgbench"):
        return found
    raise RuntimeError(
        "The benchmarks need pgbench, which is neither beside PostgreSQL's binaries nor in PATH.\n"
        "Install it once: sudo apt-get install postgresql-contrib (or postgresql)."
    )


def inserting(database: Database, table: str, folder: Path) -> Inserting:
    """Take the table's newest row as the one to insert from now on."""
    row = _newest(database, table)
    unique = {"id": _id(database), "idempotency_key": ":number::text"}
    types = dict(_columns(database, table))
    sent = {
        name: unique.get(name) or (f":{name}::{types[name]}" if value else "''")
        for name, value in row.items()
    }
    script = folder / "insert.sql"
    script.write_text(
        "\\set number random(1, 1000000000000000)\n"
        f"INSERT INTO {table} ({', '.join(sent)})\nVALUES ({', '.join(sent.values())});\n"
    )
    return Inserting(database, script, {name: row[name] for name in sent if name not in unique})


def _id(database: Database) -> str:
    """Ids in the order of time, as the ledger's are, where the server can make them."""
    version = int(database.query("SHOW server_version_num")[0][0])
    return "uuidv7()" if version >= _FIRST_WITH_UUID7 else "gen_random_uuid()"


def _columns(database: Database, table: str) -> list[tuple[str, str]]:
    """The columns' names and types."""
    return database.query(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        f"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
    )


def _newest(database: Database, table: str) -> dict[str, str]:
    """The newest row as texts, without what is NULL."""
    names = [name for name, _ in _columns(database, table)]
    texts = ", ".join(f"{name}::text" for name in names)
    row = database.query(f"SELECT {texts} FROM {table} ORDER BY id DESC LIMIT 1")[0]
    return {name: value for name, value in zip(names, row, strict=True) if value is not None}
