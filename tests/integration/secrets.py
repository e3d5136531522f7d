# SPDX-License-Identifier: Apache-2.0
"""Secrets on the command line: where they are stored, how mistakes are reported, and that values stay hidden."""

import json
import os
import shutil
import sqlite3
import subprocess
import time

from .cli import expect_error, write
from .harness import Skipped, Test, expect, expect_equal, open_terminal

TESTS = []
VALUE = "correct horse battery staple"
SHOW = "JSON.stringify(curfew.params.map(name => secrets.get(name)?.length ?? null))"


def test(function):
    TESTS.append(function)
    return function


class Store:
    """A store with its own key, and commands on it."""

    def __init__(self, context):
        self.context = context
        self.directory = context.directory()
        self.path = os.path.join(self.directory, "store")
        self.key = os.path.join(self.directory, "key")
        self.names = ("--secrets", self.path)
        expect_equal("secret key", self.call("key", self.key, store=()).code, 0)
        self.env = {"CURFEW_SECRETS_KEY_FILE": self.key}

    def call(self, action, *words, store=None, stdin=b"", **options):
        options.setdefault("env", getattr(self, "env", {}))
        store = self.names if store is None else store
        return self.context.command([self.context.curfew, "secret", action, *store, *words], stdin=stdin, **options)

    def set(self, user, name, value=VALUE):
        done = self.call("set", "--user", user, name, stdin=value.encode() + b"\n")
        expect_equal(f"set {name}", (done.code, done.out, done.err), (0, b"", b""))

    def list(self, user):
        done = self.call("list", "--user", user)
        expect_equal("list", (done.code, done.err), (0, b""))
        return done.out.decode().split()

    def show(self, user, *names, **options):
        """The lengths of the user's secrets in a program."""
        path = write(self.context, "show.js", SHOW)
        options.setdefault("env", self.env)
        report, _ = self.context.report("--user", user, *self.names, path, "--", *names, **options)
        return json.loads(report["value"])


@test
def two_users(context):
    store = Store(context)
    store.set("ann", "TOKEN")
    store.set("ann", "PEM", "a\nb\r\n")
    store.set("bob", "OTHER", "7\n")
    expect_equal("names", (store.list("ann"), store.list("bob"), store.list("eve")), (["PEM", "TOKEN"], ["OTHER"], []))
    expect_equal("of ann", store.show("ann", "TOKEN", "PEM", "OTHER"), [len(VALUE), 5, None])
    expect_equal("of bob", store.show("bob", "TOKEN", "OTHER"), [None, 2])
    expect_equal("of eve", store.show("eve", "TOKEN", "OTHER"), [None, None])
    expect_equal("remove", store.call("remove", "--user", "ann", "TOKEN").code, 0)
    expect_equal("after", (store.show("ann", "TOKEN"), store.list("ann")), ([None], ["PEM"]))
    expect_error(store.call("remove", "--user", "ann", "TOKEN"), 1, "ann", "TOKEN")
    expect_error(store.call("remove", "--user", "bob", "PEM"), 1, "bob", "PEM")


@test
def values_are_not_seen(context):
    store = Store(context)
    store.set("ann", "TOKEN")
    found = {name for name in os.listdir(store.directory)}
    expect_equal("files", found, {"store", "key"})
    for name in found:
        with open(os.path.join(store.directory, name), "rb") as file:
            expect(VALUE.encode() not in file.read(), f"{name} holds the value")
        expect_equal(f"mode of {name}", os.stat(os.path.join(store.directory, name)).st_mode & 0o7777, 0o600)
    source = write(
        context,
        "a.js",
        "const t = secrets.get('TOKEN'); console.log(t); console.error({ t }); curfew.checkpoint(t); curfew.progress(t); t",
    )
    report = os.path.join(store.directory, "report")
    done = context.run("--print", "--report", report, "--user", "ann", *store.names, source, env=store.env)
    expect_equal("stdout", (done.code, done.out), (0, b'[secret TOKEN]\n"[secret TOKEN]"\n'))
    expect_equal("stderr", done.err, b"{ t: '[secret TOKEN]' }\n")
    with open(report, encoding="utf-8") as file:
        expect(VALUE not in file.read(), "the report holds the value")


@test
def not_in_the_argument_list(context):
    # Claim T50.
    """A value that was given as an argument is removed from the argument list once the process has read it."""
    source = write(context, "a.js", "console.log('there'); setTimeout(() => {}, 5000)")
    words = [context.curfew, "run", "--secret", f"TOKEN={VALUE}", source]
    start = time.monotonic()
    process = context.spawn(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    with open(f"/proc/{process.pid}/cmdline", "rb") as file:
        listed = file.read()
    process.terminate()
    context.finish(process, words, start, 10)
    expect(b"TOKEN=" in listed and VALUE.encode() not in listed, repr(listed))


@test
def asked_on_a_terminal(context):
    """Typed input is not echoed."""
    store = Store(context)
    leader, follower = open_terminal()
    words = [context.curfew, "secret", "set", *store.names, "--user", "ann", "TOKEN"]
    start = time.monotonic()
    process = context.spawn(words, env=store.env, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    asked = b""
    while not asked.endswith(b": "):
        part = process.stderr.read1(1000)
        expect(part, f"not asked: {asked!r}")
        asked += part
    os.write(leader, VALUE.encode() + b"\n")
    done = context.finish(process, words, start, 10)
    os.close(follower)
    os.set_blocking(leader, False)
    try:
        shown = os.read(leader, 1000)
    except OSError:
        shown = b""
    os.close(leader)
    expect(b"TOKEN" in asked and b"ann" in asked and done.code == 0, f"{asked!r} {done}")
    expect(VALUE.encode() not in shown + asked + done.out + done.err, f"shown: {shown!r}")
    expect_equal("kept", store.show("ann", "TOKEN"), [len(VALUE)])


# In its own namespaces: mounts a Secret like Kubernetes, with this mode, read-only or writable.
HAND_OVER = """mount -t tmpfs none "$1" && cp "$2" "$1/store" && cp "$3" "$1/key" && chmod "$4" "$1"/* || exit 77
[ "$5" = rw ] || mount -o remount,ro "$1" || exit 77
shift 5; exec "$@" """


@test
def a_key_that_is_handed_over(context):
    """A group may read a key if the system mounted it for this process, as with a pod's fsGroup, and nowhere else."""
    store = Store(context)
    store.set("ann", "TOKEN")
    source = write(context, "a.js", "export default secrets.get('TOKEN').length")
    place = os.path.join(context.directory(), "mounted")
    os.mkdir(place)
    command = [context.curfew, "run", "--print", "--user", "ann", "--secrets", f"{place}/store"]
    command += ["--secrets-key", f"{place}/key", source]

    def use(mode, access):
        inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", HAND_OVER, "sh", place]
        done = context.command([*inside, store.path, store.key, mode, access, *command], timeout=20)
        if done.code == 77 or b"unshare" in done.err:
            raise Skipped("this system gives no user namespace in which to mount")
        return done

    done = use("0440", "ro")
    expect_equal("with the key", (done.code, done.out), (0, f"{len(VALUE)}\n".encode()))
    for mode, access in (("0440", "rw"), ("0444", "ro"), ("0640", "ro"), ("0460", "ro")):
        expect_error(use(mode, access), 2, f"{place}/key", "others")
    os.chmod(store.key, 0o440)
    expect_error(store.call("list", "--user", "ann"), 2, store.key, "others")


@test
def keys(context):
    store = Store(context)
    store.set("ann", "TOKEN")
    with open(store.key, encoding="ascii") as file:
        digits = file.read().strip()
    raw, other, loose = (os.path.join(store.directory, name) for name in ("raw", "other", "loose"))
    for path, content, mode in (
        (raw, bytes.fromhex(digits), 0o600),
        (other, b"00" * 32, 0o600),
        (loose, digits.encode(), 0o640),
    ):
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
    for env in (
        {"CURFEW_SECRETS_KEY": digits},
        {"CURFEW_SECRETS_KEY": digits.upper()},
        {"CURFEW_SECRETS_KEY_FILE": raw},
    ):
        expect_equal("with the key", store.show("ann", "TOKEN", env=env), [len(VALUE)])
    source, words = write(context, "a.js", "console.log('it ran')"), ("--user", "ann", *store.names)
    expect_equal(
        "--secrets-key",
        context.run(*words, "--secrets-key", store.key, source, env={"CURFEW_SECRETS_KEY": "x"}).code,
        0,
    )
    expect_error(context.run(*words, "--secrets-key", other, source), 2, store.path, "key")
    expect_error(context.run(*words, "--secrets-key", loose, source), 2, loose, "others")
    expect_error(context.run(*words, "--secrets-key", source, source), 2, source)
    expect_error(context.run(*words, "--secrets-key", "/nowhere/key", source), 2, "/nowhere/key", "No such file")
    expect_error(context.run(*words, "--secrets-key", store.directory, source), 2, store.directory)
    expect_error(context.run(*words, source), 2, "--secrets /", "--secrets-key", "CURFEW_SECRETS_KEY")
    for bad in ("", "12", "0" * 63 + "g", "0" * 65):
        done = context.run(*words, source, env={"CURFEW_SECRETS_KEY": bad})
        expect_error(done, 2, "CURFEW_SECRETS_KEY")
        expect(len(bad) < 3 or bad.encode() not in done.err, "the message shows the key")
    expect_error(store.call("list", "--user", "ann", "--secrets-key", other), 1, store.path, "key")
    expect_error(store.call("key", store.key, store=()), 1, store.key, "exists")
    expect_error(store.call("key", store=()), 2, "FILE")


@test
def bad_words(context):
    store = Store(context)
    for name in ("", "1A", "A-B", "A B", "A=B", "é", "A" * 129):
        expect_error(store.call("set", "--user", "ann", name, stdin=b"value"), 2, name[:20])
    for value in (b"", b"\n", b"\r\n", b"\xff", b"a\0b", b"x" * 65537, b"x" * 200000):
        expect_error(store.call("set", "--user", "ann", "A", stdin=value), 2, "A")
    expect_equal("64 KiB", store.call("set", "--user", "ann", "A", stdin=b"x" * 65536 + b"\n").code, 0)
    expect_error(store.call("set", "A"), 2, "--user")
    expect_error(store.call("set", "--user", "", "A"), 2, "--user")
    expect_error(store.call("set", "--user", "u" * 257, "A", stdin=b"x"), 2, "256")
    expect_error(store.call("set", "--user", "ann"), 2, "NAME")
    expect_error(store.call("list", "--user", "ann", "A"), 2, "A")
    expect_error(store.call("get", "--user", "ann", "A"), 2, "get", "list")
    expect_error(store.call("set", "--user", "ann", "A", "value"), 2, "value")
    expect_error(store.call("set", "--user", "ann", "A", "--", "value"), 2, "value")
    source = write(context, "a.js", "console.log('it ran')")
    for words in (
        ["--secret", "A"],
        ["--secret", "=x"],
        ["--secret", "1=x"],
        ["--secret", "A="],
        ["--secrets", store.path],
        ["--user", ""],
        ["--secrets-key", store.key],
        ["--user", "u" * 257, *store.names],
    ):
        expect_error(
            context.run(*words, source, env=store.env), 2, "user" if len(words) == 4 and words[0] == "--user" else "--"
        )


@test
def missing(context):
    store = Store(context)
    source = write(context, "a.js", "console.log('it ran')")
    expect_error(store.call("list", "--user", "ann"), 1, store.path, "No such file")
    expect_error(
        context.run("--user", "ann", *store.names, source, env=store.env), 2, "--secrets", store.path, "No such file"
    )
    expect(not os.path.exists(store.path), "reading made the file")
    nowhere = os.path.join(store.directory, "none", "store")
    expect_error(
        store.call("set", "--user", "ann", "A", store=("--secrets", nowhere), stdin=b"x"), 1, nowhere, "directory"
    )
    expect_error(
        store.call("list", "--user", "ann", store=("--secrets", store.directory)), 1, store.directory, "directory"
    )


@test
def default_place(context):
    store = Store(context)
    state = os.path.join(store.directory, "home", "state")
    env = dict(store.env, XDG_STATE_HOME=state)
    done = store.call("set", "--user", "ann", "A", store=(), stdin=b"value", env=env)
    expect_equal("set", (done.code, done.err), (0, b""))
    expect_equal("file", os.stat(os.path.join(state, "curfew", "secrets.db")).st_mode & 0o777, 0o600)
    expect_equal("directory", os.stat(os.path.join(state, "curfew")).st_mode & 0o777, 0o700)
    expect_equal("list", store.call("list", "--user", "ann", store=(), env=env).out, b"A\n")


@test
def damaged(context):
    store = Store(context)
    source = write(context, "a.js", "console.log('it ran')")
    store.set("ann", "TOKEN")
    with open(store.path, "rb") as file:
        good = file.read()
    for bad in (b"", b"no store " * 100, good[:1000], bytes(len(good)), good[:100] + bytes(3000) + good[3100:]):
        with open(store.path, "wb") as file:
            file.write(bad)
        expect_error(
            context.run("--user", "ann", *store.names, source, env=store.env), 2, "--secrets", store.path, "damaged"
        )
        expect_error(store.call("list", "--user", "ann"), 1, store.path, "damaged")
    with open(store.path, "wb") as file:
        file.write(good)
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE secrets SET user = 'eve'")
    database.close()
    report, done = context.report("--user", "eve", *store.names, source, env=store.env)
    expect(
        report["outcome"] == "internal"
        and "TOKEN" in report["error"]["message"]
        and "damaged" in report["error"]["message"],
        str(report["error"]),
    )


@test
def locked(context):
    store = Store(context)
    store.set("ann", "TOKEN")
    database = sqlite3.connect(store.path, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    expect_error(store.call("set", "--user", "ann", "TOKEN", stdin=b"other"), 1, store.path, "locked")
    source = write(context, "a.js", "console.log('it ran')")
    expect_error(context.run("--user", "ann", *store.names, source, env=store.env), 2, store.path, "locked")
    database.execute("COMMIT")
    database.close()
    expect_equal("nothing is lost", store.show("ann", "TOKEN"), [len(VALUE)])


@test
def at_once(context):
    """If several processes create the same store, none loses a secret."""
    store = Store(context)
    names = [f"N{i}" for i in range(8)]
    start = time.monotonic()
    processes = []
    for name in names:
        words = [context.curfew, "secret", "set", *store.names, "--user", "ann", name]
        processes.append(
            (
                words,
                context.spawn(
                    words, env=store.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
                ),
            )
        )
    for words, process in processes:
        done = context.finish(process, words, start, 20, b"value")
        expect_equal("set", (done.code, done.err), (0, b""))
    expect_equal("names", store.list("ann"), names)


@test
def read_only(context):
    """In a read-only directory secrets can be read, and setting one fails with the reason."""
    if os.geteuid() != 0:
        raise Skipped("needs root, to become someone else")
    directory = context.directory()
    os.chmod(context.scratch, 0o755)
    command = shutil.copy(context.curfew, os.path.join(directory, "curfew"))
    store = os.path.join(directory, "store")

    def call(*words, **options):
        return context.command(
            [command, *words],
            env={"CURFEW_SECRETS_KEY": "ab" * 32, "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"},
            **options,
        )

    expect_equal("set", call("secret", "set", "--secrets", store, "--user", "ann", "A", stdin=b"value").code, 0)
    os.chown(store, 65534, 65534)
    os.chmod(directory, 0o555)
    someone = {"user": 65534, "group": 65534, "cwd": "/"}
    words = ("--secrets", store, "--user", "ann")
    try:
        listed = call("secret", "list", *words, **someone)
    except PermissionError:
        raise Skipped("the directory for tests is not open to others") from None
    expect_equal("list", (listed.code, listed.out), (0, b"A\n"))
    expect_error(call("secret", "set", *words, "B", stdin=b"value", **someone), 1, store, "cannot be written")
    expect_error(
        call("secret", "set", "--secrets", store + "2", "--user", "ann", "B", stdin=b"value", **someone),
        1,
        store,
        "Permission denied",
    )
    os.chmod(store, 0o400)
    expect_error(call("secret", "remove", *words, "A", **someone), 1, store, "cannot be written")
    expect_equal("still there", call("secret", "list", *words, **someone).out, b"A\n")


def tests(context):
    return [Test("cli", f"secret_{function.__name__}", function) for function in TESTS]
