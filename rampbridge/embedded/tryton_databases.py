"""Tryton databases with a company in them: built once, kept as dumps, cloned in no time.

A template per currency holds the company, its chart of accounts, periods and our user. Building
the first takes about a minute; restoring one from its dump takes two seconds or three.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rampbridge.embedded.postgres import binaries
from rampbridge.embedded.tryton_install import ADDON, Progress, environment_key, run

ROLE = "tryton"
LOGIN = "rampbridge"
MODULES = (
    "company",
    "party",
    "account",
    "account_invoice",
    "analytic_account",
    "analytic_invoice",
)
BRIDGE = "rampbridge"
CURRENCIES = ("USD", "EUR", "GBP", "JPY")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may sign in to every company: our user, and Tryton's own administrator."""

    login: str
    password: str = field(repr=False)
    admin_login: str
    admin_password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Template:
    """A company to clone: its currency, and whether our add-on is active in it."""

    currency: str
    bridge: bool

    def __str__(self) -> str:
        return f"{self.currency.lower()}_{'bridge' if self.bridge else 'plain'}"


class Databases:
    """The Tryton databases of one PostgreSQL server."""

    def __init__(self, *, root: Path, environment: Path, server: str, today: date) -> None:
        """`environment` is what `install` returned, `server` a libpq string of a superuser."""
        self._root = root
        self._bin = environment / "bin"
        self._server = make_conninfo(server, dbname="postgres")
        self._year = today.year
        self._shared = root / "var" / "cache" / "tryton"
        self._credentials = _credentials(self._shared / "credentials.json")
        self._key = _key(root, today.year, self._credentials)
        self._cache = self._shared / self._key

    @property
    def libpq(self) -> dict[str, str]:
        """The environment in which libpq finds the server, as Tryton's own role."""
        server = conninfo_to_dict(self._server)
        env = {"PGUSER": ROLE, "PGHOST": str(server.get("host", ""))}
        if "port" in server:
            env["PGPORT"] = str(server["port"])
        return env

    def credentials(self) -> Credentials:
        """The same for all companies of this checkout; drawn on first use."""
        return self._credentials

    def prepare_templates(
        self, currencies: Sequence[str], progress: Progress, *, bridge: bool = True
    ) -> None:
        """Make sure that there is a template for each currency, with our add-on or without it.

        :raises TrytonNotStarted: with the output of what failed
        """
        with self._one_at_a_time():
            self._ensure_role()
            wanted = [Template(currency, bridge) for currency in currencies]
            missing = [each for each in wanted if not self._exists(self._name(each))]
            if not all(self._dump(each).exists() for each in missing):
                self._ensure_base(progress, bridge=bridge)
            make = partial(self._make_template, progress=progress)
            with ThreadPoolExecutor(max_workers=2) as pool:
                list(pool.map(make, missing))

    def create_company(
        self, database: str, *, currency: str, name: str, bridge: bool = True
    ) -> None:
        """Clone a template, unless the database is there already, and name its company."""
        with self._one_at_a_time():
            if self._exists(database):
                return
            building = f"{database}_building"
            self._clone(self._name(Template(currency, bridge)), building)
            with psycopg.connect(self._server, dbname=building) as db:
                db.execute(
                    "UPDATE party_party SET name = %s"
                    " WHERE id = (SELECT party FROM company_company)",
                    [name],
                )
            self._rename(building, database)

    def update(self, database: str, progress: Progress) -> None:
        """Bring a database to our add-on's present version and passwords, if it has others."""
        with self._one_at_a_time():
            if self._made_for(database) == self._key:
                return
            progress(f"Updating Tryton's database {database}")
            self._admin(database, "-u", BRIDGE)
            self._script("renew_passwords.py", database, currency="")
            self._note_version(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        with psycopg.connect(self._server, autocommit=True) as db:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            db.execute(statement.format(sql.Identifier(database)))

    # -- templates

    def _name(self, template: Template) -> str:
        return f"tryton_template_{template}_{self._key}"

    def _dump(self, template: Template) -> Path:
        return self._cache / f"{template}.dump"

    def _make_template(self, template: Template, progress: Progress) -> None:
        building = f"{self._name(template)}_building"
        dump = self._dump(template)
        self.drop(building)
        if dump.exists():
            progress(f"Restoring a Tryton company in {template.currency}")
            self._create(building)
            self._tool("pg_restore", "--no-owner", "-j", "2", "-d", building, str(dump))
        else:
            progress(f"Setting up a Tryton company in {template.currency}")
            self._clone(self._base(bridge=template.bridge), building)
            self._script("seed.py", building, currency=template.currency)
            self._save(building, dump)
        self._rename(building, self._name(template))

    def _base(self, *, bridge: bool) -> str:
        return f"tryton_base_{'bridge' if bridge else 'plain'}_{self._key}"

    def _ensure_base(self, progress: Progress, *, bridge: bool) -> None:
        """A database with all modules and nothing in it."""
        base = self._base(bridge=bridge)
        if self._exists(base):
            return
        building = f"{base}_building"
        if bridge:
            self._ensure_base(progress, bridge=False)
            self._clone(self._base(bridge=False), building)
            self._admin(building, "-u", BRIDGE)
        else:
            progress("Building Tryton's database, once: about a minute")
            self.drop(building)
            self._create(building)
            self._admin(building, "--all", "-u", *MODULES, "--activate-dependencies")
        self._rename(building, base)

    def _admin(self, database: str, *arguments: str) -> None:
        with _private_directory() as directory:
            password = directory / "password"
            password.write_text(self._credentials.admin_password)
            run(
                [
                    str(self._bin / "trytond-admin"),
                    *("-c", str(self._config(directory)), "-d", database),
                    *("--email", "admin@example.com", "-p", *arguments),
                ],
                env={**self._fast, "TRYTONPASSFILE": str(password)},
            )

    def _script(self, name: str, database: str, *, currency: str) -> None:
        """Run one of the add-on's demo scripts, which work in Tryton's own environment."""
        credentials = self._credentials
        with _private_directory() as directory:
            plan = {
                "database": database,
                "config": str(self._config(directory)),
                "currency": currency,
                "company": f"Company in {currency}",
                "year": self._year,
                "login": credentials.login,
                "password": credentials.password,
                "admin_password": credentials.admin_password,
            }
            run(
                [str(self._bin / "python"), str(self._root / ADDON / "demo" / name)],
                env=self._fast,
                text_in=json.dumps(plan),
            )

    @property
    def _fast(self) -> dict[str, str]:
        # What is being built can be built again, so it need not wait for the disk.
        return {**self.libpq, "PGOPTIONS": "-c synchronous_commit=off"}

    def _save(self, database: str, dump: Path) -> None:
        draft = dump.with_suffix(".new")
        self._tool("pg_dump", "-Fc", "-f", str(draft), database)
        draft.rename(dump)

    def _config(self, directory: Path) -> Path:
        path = directory / "trytond.conf"
        path.write_text(f"[database]\nuri = postgresql://\n{FILES_IN_DATABASE}")
        return path

    # -- PostgreSQL

    def _tool(self, program: str, *arguments: str) -> None:
        run([str(binaries() / program), *arguments], env=self._fast)

    def _ensure_role(self) -> None:
        with psycopg.connect(self._server, autocommit=True) as db:
            if not db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                db.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(ROLE)))

    def _exists(self, database: str) -> bool:
        with psycopg.connect(self._server) as db:
            found = db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
            return found.fetchone() is not None

    def _create(self, database: str, template: str = "template0") -> None:
        with psycopg.connect(self._server, autocommit=True) as db:
            # Copying files beats logging every page of a fresh database.
            statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy")
            names = [sql.Identifier(name) for name in (database, ROLE, template)]
            db.execute(statement.format(*names))

    def _clone(self, template: str, database: str) -> None:
        self.drop(database)
        self._create(database, template)

    def _rename(self, database: str, name: str) -> None:
        self._note_version(database)
        with psycopg.connect(self._server, autocommit=True) as db:
            statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            db.execute(statement.format(sql.Identifier(database), sql.Identifier(name)))

    def _note_version(self, database: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as db:
            statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
            db.execute(statement.format(sql.Identifier(database), sql.Literal(self._key)))

    def _made_for(self, database: str) -> str:
        with psycopg.connect(self._server) as db:
            row = db.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
                [database],
            ).fetchone()
            return str(row[0]) if row else ""

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """PostgreSQL cannot copy a template that somebody else is copying or filling."""
        with (self._shared / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._cache.mkdir(exist_ok=True)
            _forget_older(self._shared, keep=self._key)
            yield


def _credentials(path: Path) -> Credentials:
    """Read, or drawn and kept: of several processes at once all end up with the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"credentials-{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        drawn = Credentials(LOGIN, secrets.token_urlsafe(18), "admin", secrets.token_urlsafe(18))
        draft.write_text(json.dumps(asdict(drawn)))
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return Credentials(**json.loads(path.read_text()))


def _key(root: Path, year: int, credentials: Credentials) -> str:
    """Changes with all that a template is made of."""
    digest = hashlib.sha256(environment_key(root).encode())
    digest.update((root / ADDON / "demo" / "seed.py").read_bytes())
    digest.update(f"{MODULES} {year} {asdict(credentials)}".encode())
    return digest.hexdigest()[:12]


def _forget_older(directory: Path, *, keep: str) -> None:
    for entry in directory.iterdir():
        if entry.is_dir() and entry.name != keep:
            shutil.rmtree(entry, ignore_errors=True)


@contextmanager
def _private_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


FILES_IN_DATABASE = "[attachment]\nfilestore = False\n"
"""Trytond's own default keeps attached files in a directory of the server's home."""


def environment_of_server(
    libpq: Mapping[str, str], config: Path, names: Sequence[str]
) -> dict[str, str]:
    """What trytond reads: a database that is not named at its start is not served."""
    return {
        **libpq,
        "TRYTOND_CONFIG": str(config),
        "TRYTOND_DATABASE_NAMES": ",".join(names),
    }
