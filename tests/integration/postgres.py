# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL for tests: it runs in its own directory, as an unprivileged user, and listens on a socket there."""

import contextlib
import glob
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from .harness import Failed, Patience, Skipped, shorten

PASSWORD = "not-to-be-told-4711"


class Postgres:
    """A cluster in its own directory, on a socket there. PostgreSQL refuses to run as root; then it runs as nobody.

    settings: what it is started with each time, NAME=VALUE; listen: a network that may connect, too; source: another one
    that this is a replica of; size: of a file system of its own in memory (root only).
    """

    def __init__(self, *settings, listen=None, source=None, size=None):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not found:
            raise Skipped("PostgreSQL is not installed")
        self.programs = os.path.dirname(found[-1])
        self.directory = tempfile.mkdtemp(prefix="curfew-postgres-", dir="/tmp")
        self.is_mounted = size is not None
        if self.is_mounted:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.directory], check=True)
        self.settings, self.user = list(settings), {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.directory, nobody.pw_uid, nobody.pw_gid)
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.data = os.path.join(self.directory, "data")
        self.process = None
        self.made = set()
        self.lock = threading.Lock()
        path = os.path.join(self.directory, "password")
        with open(path, "w", encoding="ascii") as file:
            file.write(PASSWORD + "\n")
        os.chmod(path, 0o644)
        if source is None:
            words = ("-U", "owner", "-A", "scram-sha-256", "--pwfile", path, "-E", "UTF8", "--no-sync")
            self.call("initdb", "-D", self.data, *words)
            if listen is not None:
                with open(os.path.join(self.data, "pg_hba.conf"), "a", encoding="ascii") as file:
                    file.write(f"host all all {listen} scram-sha-256\n")
        else:
            self.copy(source)
        self.start()

    def copy(self, source):
        """Becomes a replica of another cluster."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.call(
            "pg_basebackup", "-h", source.directory, "-U", "owner", "-D", self.data, "-R", "-c", "fast", "--no-sync"
        )

    def call(self, name, *words):
        done = subprocess.run(
            [os.path.join(self.programs, name), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PGPASSWORD": PASSWORD, "LC_ALL": "C.UTF-8"},
            cwd=self.directory,
            check=False,
            **self.user,
        )
        if done.returncode != 0:
            raise Failed(f"{name} {shorten(words)}: {shorten(done.stdout.decode(errors='replace'), 2000)}")
        return done.stdout.decode().strip()

    def start(self, *options):
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [
                    os.path.join(self.programs, "postgres"),
                    "-D",
                    self.data,
                    "-k",
                    self.directory,
                    "-c",
                    "listen_addresses=",
                    "-c",
                    "max_connections=300",
                    *(word for setting in self.settings for word in ("-c", setting)),
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env={"LC_ALL": "C.UTF-8"},
                **self.user,
            )
        patience = Patience(60)
        while True:
            try:
                self.query("SELECT 1")
                return
            except Failed:
                if patience.is_over() or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def stop(self, how=signal.SIGINT):
        """Ends it: fast and orderly (SIGINT), or like a crash (SIGQUIT)."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
        self.process = None

    def close(self):
        self.stop(signal.SIGQUIT)
        if self.is_mounted:
            subprocess.run(["umount", "-l", self.directory], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def query(self, text, database="postgres"):
        return self.call(
            "psql", "-h", self.directory, "-U", "owner", "-d", database, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", text
        )

    def url(self, database, password=PASSWORD, options=""):
        return f"postgresql://owner:{password}@/{database}?host={self.directory}{options}"

    def database_of(self, directory):
        """The database that replaces a server's directory. It is created at its first use."""
        name = "d" + hashlib.sha256(directory.encode()).hexdigest()[:16]
        with self.lock:
            if name not in self.made:
                self.query(f"CREATE DATABASE {name}")
                self.made.add(name)
        return name


class OnPostgres:
    """A context whose servers, tokens and admin commands use PostgreSQL."""

    def __init__(self, context, postgres):
        self.context, self.postgres = context, postgres

    def __getattr__(self, name):
        return getattr(self.context, name)

    url = None  # instead of the superuser's

    def store_options(self, data):
        if self.url is not None:
            return ["--store", self.url]
        return ["--store", self.postgres.url(self.postgres.database_of(data))]

    def command(self, words, *rest, **options):
        if len(words) > 1 and words[1] in ("token", "admin") and "--data" in words:
            place = words.index("--data")
            words = [*words[:place], *self.store_options(words[place + 1]), *words[place + 2 :]]
        return self.context.command(words, *rest, **options)


_shared = {}
_shared_lock = threading.Lock()


@contextlib.contextmanager
def shared(context):
    """One cluster for all tests that do not break it."""
    with _shared_lock:
        if "postgres" not in _shared:
            import atexit

            _shared["postgres"] = Postgres()
            atexit.register(_shared["postgres"].close)
    yield OnPostgres(context, _shared["postgres"])


@contextlib.contextmanager
def own(context):
    postgres = Postgres()
    try:
        yield OnPostgres(context, postgres)
    finally:
        postgres.close()
