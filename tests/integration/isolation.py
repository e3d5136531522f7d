# SPDX-License-Identifier: Apache-2.0
"""Programs in confined processes: their outcomes are the same, and what such a process cannot do."""

import glob
import json
import os
import re
import signal
import socket
import subprocess
import time

from .cases import ATTACK_ARGS, check_case
from .harness import ROOT, Failed, Skipped, Test, expect, expect_equal, open_terminal, shorten

ENDLESS = "curfew.checkpoint({n: 1}); console.log('begun'); for (;;) {}"


def write(context, text, name="program.js"):
    path = os.path.join(context.directory(), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def refuse_sanitizer(context):
    if not context.can_confine:
        raise Skipped("a sanitizer or wrapper makes system calls that a confined worker may not make")


class Isolated:
    """A context whose programs run in confined processes."""

    def __init__(self, context):
        self._context = context

    def __getattr__(self, name):
        return getattr(self._context, name)

    def run(self, *words, **options):
        return self._context.run("--isolate", "process", *words, **options)

    def report(self, *words, **options):
        return self._context.report("--isolate", "process", *words, **options)


# ---- Inspecting a worker ------------------------------------------------------------------------------------------


def children(pid):
    found = []
    for task in glob.glob(f"/proc/{pid}/task/*/children"):
        with open(task, encoding="ascii") as file:
            found += [int(word) for word in file.read().split()]
    return found


class Running:
    """curfew run --isolate process with an endless program, and its worker."""

    def __init__(self, context, *words, **options):
        refuse_sanitizer(context)
        self.report = os.path.join(context.directory(), "report.json")
        self.words = [context.curfew, "run", "--isolate", "process", "--report", self.report, "--timeout", "5m"]
        self.words += [*words, write(context, ENDLESS)]
        self.context, self.start = context, time.monotonic()
        self.process = context.spawn(
            self.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )
        self.worker = self.find()

    @classmethod
    def of(cls, context, process, words, report):
        """Wraps a process that was started in another way."""
        running = cls.__new__(cls)
        running.words, running.context, running.start, running.process = words, context, time.monotonic(), process
        running.report = report
        running.worker = running.find()
        return running

    def find(self):
        """The process id of the worker, once it is confined and runs the program."""
        begun = self.process.stdout.readline()
        for pid in children(self.process.pid):
            if begun and self.status(pid).get("Seccomp") == "2":
                return pid
        self.process.kill()
        raise Failed(f"no confined worker is seen: {self.process.communicate()}")

    @staticmethod
    def status(pid):
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                return dict(line.split(":", 1)[0:1] + [line.split(":", 1)[1].strip()] for line in file)
        except OSError:
            return {}

    def end(self):
        done = self.context.finish(self.process, self.words, self.start, 20)
        with open(self.report, encoding="utf-8") as file:
            return self.context.check_report(file.read(), done), done


def check_confined(context):
    # Claims T32, T34, T37, T40, T41, T44.
    running = Running(context)
    status, proc = running.status(running.worker), f"/proc/{running.worker}"
    try:
        expect_equal("NoNewPrivs", status["NoNewPrivs"], "1")
        expect_equal("CapEff", int(status["CapEff"], 16), 0)
        expect_equal("CapPrm", int(status["CapPrm"], 16), 0)
        # Every thread has the filter, even threads that were started before it.
        for task in os.listdir(f"{proc}/task"):
            with open(f"{proc}/task/{task}/status", encoding="ascii") as file:
                expect("Seccomp:\t2" in file.read(), f"thread {task} has no filter")
        if os.geteuid() == 0:
            check_confined_as_root(running, proc, status)
    finally:
        os.kill(running.process.pid, signal.SIGINT)
        running.end()


def check_confined_as_root(running, proc, status):
    # Claims T36, T38.
    files = sorted(os.readlink(f"{proc}/fd/{fd}") for fd in os.listdir(f"{proc}/fd"))
    allowed = re.compile(
        r"/dev/null|socket:\[\d+\]|anon_inode:\[eventfd\]|/proc/\d+/pagemap|/memfd:curfew-image \(deleted\)"
    )
    expect(all(allowed.fullmatch(file) for file in files), f"open files: {files}")
    expect_equal("sockets", sum(file.startswith("socket") for file in files), 1)
    if status["NSpid"].split()[-1] != "1":
        raise Skipped("this system gives root no process namespace: the rest cannot be expected")
    # If our root is a directory of a file system, the kernel refuses a user namespace.
    gives_user = subprocess.run(["unshare", "--user", "true"], stderr=subprocess.DEVNULL).returncode == 0
    for kind in (("user",) if gives_user else ()) + ("pid", "net", "mnt", "ipc", "uts"):
        expect(
            os.readlink(f"{proc}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}"), f"the {kind} namespace is ours"
        )
    expect_equal("root", names_in_root(running.worker), [])
    expect("0" not in status["Uid"].split(), f"its user is root: {status['Uid']}")


def names_in_root(worker):
    try:
        return os.listdir(f"/proc/{worker}/root/")
    except FileNotFoundError:  # the directory was removed
        return []


def protections(context, *before):
    """The output of curfew doctor."""
    done = context.command([*before, "doctor", "--json"])
    expect_equal(f"exit of doctor: {done.err}", done.code, 0)
    return {check["name"]: check["available"] for check in json.loads(done.out)["checks"]}


def check_doctor(context):
    # Claim T34.
    """Its output about a worker matches a real worker."""
    refuse_sanitizer(context)
    said, running = protections(context, context.curfew), Running(context)
    try:
        proc, status = f"/proc/{running.worker}", running.status(running.worker)
        seen = {
            "call-filter": status["Seccomp"] == "2",
            "no-new-privileges": status["NoNewPrivs"] == "1",
            "no-capabilities": int(status["CapEff"], 16) == 0,
            "process-namespace": status["NSpid"].split()[-1] == "1",
        }
        if os.geteuid() == 0:  # only root may read the rest
            seen.update(
                {
                    f"{name}-namespace": os.readlink(f"{proc}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
                    for name, kind in (
                        ("network", "net"),
                        ("mount", "mnt"),
                        ("ipc", "ipc"),
                        ("host", "uts"),
                        ("user", "user"),
                    )
                }
            )
            seen.update(
                {"empty-root": names_in_root(running.worker) == [], "other-user": "0" not in status["Uid"].split()}
            )
        expect_equal("protections", {name: said[name] for name in seen}, seen)
    finally:
        os.kill(running.process.pid, signal.SIGINT)
        running.end()


# A root that is a directory of a file system, as chroot(8) and some containers have it.
DIRECTORY_AS_ROOT = """
set -e
mkdir -p "$1/tmp" "$1/proc" "$1/dev" "$1/usr" "$1/build"
for name in bin lib lib64; do ln -sfn usr/$name "$1/$name"; done
mount --bind /usr "$1/usr"
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/build"
directory=$1; shift 2
exec chroot "$directory" "$@"
"""


def check_directory_as_root(context):
    # Claim T36.
    """There a worker has no user namespace, but still an empty root."""
    refuse_sanitizer(context)
    if os.geteuid() != 0:
        raise Skipped("only root may make a directory its root")
    directory = context.directory()
    inside = ["unshare", "--mount", "sh", "-c", DIRECTORY_AS_ROOT, "sh", directory, os.path.dirname(context.curfew)]
    if context.command([*inside, "true"]).code != 0:
        raise Skipped("a directory cannot be made the root here")
    said = protections(context, *inside, "/build/curfew")
    needed = ("call-filter", "no-new-privileges", "no-capabilities", "other-user", "empty-root")
    expect_equal("protections", {name: said[name] for name in needed}, dict.fromkeys(needed, True))
    with open(os.path.join(directory, "program.js"), "w", encoding="utf-8") as file:
        file.write(ENDLESS)
    # Without a directory for compiled code.
    words = ["env", "-u", "XDG_CACHE_HOME", "-u", "HOME", *inside, "/build/curfew", "run", "--isolate", "process"]
    words += ["--timeout", "5m", "--report", "/report.json", "/program.js"]
    process = context.spawn(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    running = Running.of(context, process, words, os.path.join(directory, "report.json"))
    try:
        expect_equal("root", names_in_root(running.worker), [])
        expect_equal("the directory is as it was", os.listdir(os.path.join(directory, "tmp")), [])
    finally:
        os.kill(process.pid, signal.SIGINT)
        report, _ = running.end()
    expect_equal("report", (report["outcome"], report["partial"]), ("cancelled", {"n": 1}))


def check_not_inherited(context):
    # Claim T35.
    """A worker does not inherit descriptors that happen to be open."""
    refuse_sanitizer(context)
    if os.geteuid() != 0:
        raise Skipped("only root may see the descriptors of a worker")
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    running = Running(context, pass_fds=[writer])
    try:
        pipe = os.readlink(f"/proc/self/fd/{writer}")
        files = [os.readlink(f"/proc/{running.worker}/fd/{fd}") for fd in os.listdir(f"/proc/{running.worker}/fd")]
        expect(pipe not in files, f"the worker has {pipe}: {files}")
    finally:
        os.close(reader)
        os.close(writer)
        os.kill(running.process.pid, signal.SIGTERM)
        running.end()


# ---- Ends ---------------------------------------------------------------------------------------------------------


def check_killed(context, number):
    running = Running(context)
    os.kill(running.worker, number)
    report, done = running.end()
    expect_equal("outcome", (report["outcome"], done.code), ("crashed", 134))
    expect_equal("partial", report["partial"], {"n": 1})
    expect_equal("stdout", report["stdout"], "begun\n")
    expect_equal("stop", report["stop"], None)
    expect(f"signal {int(number)} " in report["error"]["message"], f"message: {report['error']['message']}")


def check_stuck(context):
    running = Running(context, "--timeout", context.share(750))
    os.kill(running.worker, signal.SIGSTOP)
    report, done = running.end()
    expect_equal("outcome", (report["outcome"], done.code), ("deadline", 124))
    expect_equal("stop", (report["stop"]["cause"], report["stop"]["mode"]), ("deadline", "process"))
    expect_equal("partial", report["partial"], {"n": 1})


def check_cancelled(context):
    running = Running(context)
    os.kill(running.process.pid, signal.SIGTERM)
    report, done = running.end()
    expect_equal("outcome", (report["outcome"], done.code), ("cancelled", 130))
    expect(report["error"]["stack"], "no frame is told")


def check_parent_killed(context):
    # Claim T39.
    """A worker does not outlive its pool."""
    running = Running(context)
    running.process.kill()
    running.process.communicate()
    context.until("the worker is still there", lambda: not os.path.exists(f"/proc/{running.worker}/stat"))


# ---- The same as in process -----------------------------------------------------------------------------------------


SAME = {
    "value": "console.log('out'); console.error('err'); ({a: [1, null, 'x']})",
    "throw": "function f() { throw new TypeError('no \\u00e4 \\u{1f600}') }\nf()",
    "syntax": "let a = 1;\nlet b = ;\n",
    "unicode": "console.log('\\u0000\\u202e\\ud800 \\u{1f600}'); 'a\\ud800b'",
    "deep": "let a = []; for (let i = 0; i < 500; i++) a = [a]; a",
    "memory": "new Uint8Array(1 << 30)",
    "output": "console.log('x'.repeat(2 << 20))",
    "checkpoint": "curfew.checkpoint([1, 2]); curfew.progress('half'); throw 1",
}


def without_numbers(text):
    return re.sub(rb"\d[\d.]*( [kMG])?( ?(s|ms|us|ns|B|KiB|MiB|GiB))?\b", b"#", text)


def check_same(context, name):
    refuse_sanitizer(context)
    path = write(context, SAME[name])
    here, there = (context.run("--isolate", kind, "--print", path) for kind in ("none", "process"))
    expect_equal("exit", there.code, here.code)
    expect_equal("stdout", there.out, here.out)
    expect_equal("stderr", without_numbers(there.err), without_numbers(here.err))
    one, _ = context.report("--isolate", "none", path)
    other, _ = context.report("--isolate", "process", path)
    for report in (one, other):
        del report["id"], report["used"]
        if report["stop"]:
            del report["stop"]["latency_us"]
    expect_equal("report", other, one)


def check_attack(context, path):
    # Claim T32.
    refuse_sanitizer(context)
    with open(path, encoding="utf-8") as file:
        expected = file.readline().partition("expect:")[2].split()
    # A worker that gets no processor for 50 ms after its stop is killed. On a machine that busy, try again.
    for _ in range(12):
        report, _ = context.report(
            "--isolate", "process", "--timeout", f"{300 * min(context.slower, 4):.0f}ms", *ATTACK_ARGS, path, timeout=10
        )
        if report["stop"] is None or report["stop"]["mode"] != "process":
            break
    # On a busy machine, a limit that takes long to reach may be exceeded after the deadline.
    expect(
        report["outcome"] in [*expected, "deadline"],
        f"outcome: expected {' or '.join(expected)}, seen {report['outcome']}\n" + shorten(repr(report["error"]), 300),
    )
    expect(report["stop"] is None or report["stop"]["mode"] != "process", "its worker had to be killed")


def check_import(context, path):
    # Claim T18.
    """The process outside reads a program's imports for it, by the same rules."""
    refuse_sanitizer(context)
    check_case(Isolated(context), path)


def check_secrets(context):
    # Claim T45.
    """Secrets reach the run, but not its output or its report."""
    refuse_sanitizer(context)
    path = write(context, "console.log(secrets.get('TOKEN')); [secrets.get('TOKEN').length, secrets.get('OTHER')]")
    report, done = context.report("--isolate", "process", "--user", "ann", "--secret", "TOKEN=sesame-4711", path)
    expect_equal("value", report["value"], [11, None])
    expect(b"sesame" not in done.out, f"the secret is in the report: {shorten(done.out.decode())}")
    # Labels are longer than the secrets that they replace. The replaced text counts, and no worker sends more than its
    # run may.
    path = write(
        context,
        """const all = 'abcd'.repeat(400000), seen = [];
for (const give of [curfew.checkpoint, curfew.progress]) try { give(all.slice(0, 260000)); seen.push(1); } catch (e) { seen.push(e.name); }
if (curfew.user === 'ann') throw new Error(all.slice(0, 65000));
curfew.user === 'bob' ? all.slice(0, 260000) : seen""",
    )
    words = ["--isolate", "process", "--output", "512KiB", "--secret", f"{'N' * 128}=abcd", "--user"]
    expect_equal("too long", context.report(*words, "eve", path)[0]["value"], ["RangeError", "RangeError"])
    expect_equal(
        "a value",
        [context.report(*words, "bob", path)[0][key] for key in ("outcome", "value", "output_truncated")],
        ["output", None, True],
    )
    expect_equal("a message", context.report(*words, "ann", path)[0]["outcome"], "threw")


WAT = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 8) "hello\\n")
  (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
  (func (export "spin") (loop br 0))
  (func (export "trap") unreachable)
  (func (export "sleep") (i64.store (i32.const 1024) (i64.const 60000000000)) (i32.store8 (i32.const 1008) (i32.const 0))
    (i32.store (i32.const 1016) (i32.const 1)) (drop (call $poll (i32.const 1000) (i32.const 2000) (i32.const 1) (i32.const 3000))))
  (func (export "_start") (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const 6))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100))) (call $exit (i32.const 7))))"""
CAT = """(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (loop $again
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1000))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
    (i32.store (i32.const 4) (i32.load (i32.const 16)))
    (if (i32.load (i32.const 16)) (then
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20))) (br $again))))))
"""
CALLS = {  # the call, the exit code, the stdout
    "add": (["--call", "add", "--params", "[1, 2]", "--print"], 0, b"3\n"),
    "spin": (["--call", "spin", "--timeout", "300ms"], 124, b""),
    "sleep": (["--call", "sleep", "--timeout", "300ms"], 124, b""),
    "trap": (["--call", "trap"], 1, b""),
    "start": ([], 7, b"hello\n"),
}


def check_input(context, kind):
    # Claim T35.
    """A program can read standard input of every kind."""
    refuse_sanitizer(context)
    path = write(context, CAT, "cat.wat")
    words = [context.curfew, "run", "--isolate", "process", path]
    if kind == "terminal":
        leader, follower = open_terminal()
        process = context.spawn(words, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.close(follower)
        os.write(leader, b"typed\n\x04")
        expect_equal("stdout", context.finish(process, words, time.monotonic(), 20).out, b"typed\n")
        os.close(leader)
    elif kind == "socket":
        one, other = socket.socketpair()
        process = context.spawn(words, stdin=other, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        other.close()
        one.sendall(b"sent" * 30000)
        one.close()
        expect_equal("stdout", context.finish(process, words, time.monotonic(), 20).out, b"sent" * 30000)
    else:
        expect_equal("pipe", context.run("--isolate", "process", path, stdin=b"piped" * 30000).out, b"piped" * 30000)
        with open(path, "rb") as file:
            done = context.run("--isolate", "process", path, stdin=None, stdin_file=file)
            expect_equal("file", done.out.decode(), CAT)


def check_no_directories(context):
    # Claim T46.
    done = context.run("--isolate", "process", "--dir", "/tmp::/data", write(context, CAT, "cat.wat"))
    expect(
        done.code == 2 and done.err.count(b"\n") == 1 and b"--dir /tmp" in done.err, f"exit {done.code}: {done.err!r}"
    )


def check_wasm(context, name):
    refuse_sanitizer(context)
    words, code, out = CALLS[name]
    done = context.run("--isolate", "process", *words, write(context, WAT, "program.wat"))
    expect_equal("exit, stdout", (done.code, done.out), (code, out))


def tests(context):
    paths = sorted(glob.glob(os.path.join(ROOT, "tests", "attacks", "js", "*.js")))
    checks = {
        "confined": check_confined,
        "doctor": check_doctor,
        "directory_as_root": check_directory_as_root,
        "descriptors_not_inherited": check_not_inherited,
        "stuck": check_stuck,
        "cancelled": check_cancelled,
        "parent_killed": check_parent_killed,
        "secrets": check_secrets,
        "no_directories": check_no_directories,
    }
    for number in (signal.SIGKILL, signal.SIGSEGV):
        checks[f"killed_{number.name}"] = lambda context, number=number: check_killed(context, number)
    for name in SAME:
        checks[f"same_{name}"] = lambda context, name=name: check_same(context, name)
    for kind in ("pipe_and_file", "terminal", "socket"):
        checks[f"input_{kind}"] = lambda context, kind=kind: check_input(context, kind)
    for name in CALLS:
        checks[f"wasm_{name}"] = lambda context, name=name: check_wasm(context, name)
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "cases", "modules", "*.*js"))):
        checks[f"import_{os.path.basename(path).partition('.')[0]}"] = lambda context, path=path: check_import(
            context, path
        )
    for path in paths:
        checks[f"attack_{os.path.basename(path)[:-3]}"] = lambda context, path=path: check_attack(context, path)
    return [Test("isolation", name, check) for name, check in checks.items()]
