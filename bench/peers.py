# SPDX-License-Identifier: Apache-2.0
"""The runtimes that Curfew is compared with. Each is built once from pinned sources into the user's cache."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "curfew-bench")


class Missing(Exception):
    """The reason why a peer cannot be built, in one line."""


class Peer:
    """A runtime. command starts its runner; process is its own program, for whole scripts."""

    def __init__(self, name, version, command, speed=True, fresh=True, process=None):
        self.name, self.version, self.command = name, version, command
        self.speed, self.fresh, self.process = speed, fresh, process


def program(name, package):
    path = shutil.which(name)
    if not path:
        raise Missing(f"{name} is missing ({package})")
    return path


def call(command, directory=None):
    done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        # The first line with the word error is more useful than the last line.
        reason = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no message")
        raise Missing(f"{os.path.basename(command[0])}: {reason.strip()[:160]}")
    return done.stdout


def kept(name, files, extra, make):
    """The directory of the results of make(directory), keyed by the files' content and extra. Built if it is
    missing."""
    key = hashlib.sha256(repr(extra).encode())
    for path in sorted(files):
        with open(path, "rb") as file:
            key.update(os.path.basename(path).encode() + b"\0" + hashlib.sha256(file.read()).digest())
    directory = os.path.join(CACHE, f"{name}-{key.hexdigest()[:16]}")
    if not os.path.isdir(directory):
        os.makedirs(CACHE, exist_ok=True)
        work = tempfile.mkdtemp(prefix="work.", dir=CACHE)
        try:
            make(work)
            os.rename(work, directory)
        except OSError as error:
            if not os.path.isdir(directory):
                raise Missing(f"{error.strerror}: {error.filename}") from None
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return directory


def listed(directory, *endings):
    return [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(endings)]


def copied(files, directory):
    for path in files:
        shutil.copy(path, directory)


def goja(here, sources):
    go = program("go", "golang")
    files = listed(os.path.join(here, "peers", "goja"), ".go", "go.mod", "go.sum")
    pins = open(os.path.join(here, "peers", "goja", "go.mod")).read()
    version = re.search(r"github.com/dop251/goja (\S+)", pins).group(1)

    def make(directory):
        copied(files, directory)
        call([go, "build", "-mod=readonly", "-trimpath", "-o", "runner", "."], directory)

    directory = kept("goja", files, call([go, "version"]), make)
    return Peer("goja", version, [os.path.join(directory, "runner")])


def quickjs(here, sources):
    compiler = program("cc", "build-essential")
    crate = os.path.join(sources or "", "rquickjs-sys")
    engine = os.path.join(crate, "quickjs")
    if not os.path.isfile(os.path.join(engine, "quickjs.c")):
        raise Missing("its sources are not there; --sources names their directory")
    runner = os.path.join(here, "peers", "quickjs", "runner.c")
    flags = ["-std=gnu11", "-O3", "-DNDEBUG", "-D_GNU_SOURCE", "-DQUICKJS_NG_BUILD", "-w", "-I" + engine]
    parts = {
        name: os.path.join(engine, name + ".c")
        for name in ("quickjs", "libregexp", "libunicode", "dtoa", "quickjs-libc", "qjs")
    }
    parts.update({name: os.path.join(engine, "gen", name + ".c") for name in ("repl", "standalone")}, runner=runner)

    def make(directory):
        pending = [
            (
                name,
                subprocess.Popen(
                    [compiler, *flags, "-c", path, "-o", os.path.join(directory, name + ".o")],
                    stderr=subprocess.PIPE,
                    text=True,
                ),
            )
            for name, path in parts.items()
        ]
        for name, process in pending:
            _, errors = process.communicate()
            if process.returncode != 0:
                raise Missing(f"cc: {name}.c: {(errors.splitlines() or ['failed'])[0][:160]}")
        base = ["quickjs", "libregexp", "libunicode", "dtoa"]
        for target, own in {"runner": ["runner"], "qjs": ["qjs", "quickjs-libc", "repl", "standalone"]}.items():
            objects = [os.path.join(directory, name + ".o") for name in own + base]
            call([compiler, *objects, "-o", os.path.join(directory, target), "-lm", "-lpthread", "-ldl"])

    files = listed(engine, ".c", ".h") + listed(os.path.join(engine, "gen"), ".c") + [runner]
    directory = kept("quickjs", files, (flags[:-1], call([compiler, "--version"])), make)
    header = open(os.path.join(engine, "quickjs.h")).read()
    version = ".".join(
        re.search(rf"QJS_VERSION_{part}\s+(\d+)", header).group(1) for part in ("MAJOR", "MINOR", "PATCH")
    )
    return Peer(
        "QuickJS-ng native",
        f"{version}, cc -O3",
        [os.path.join(directory, "runner")],
        process=os.path.join(directory, "qjs"),
    )


def quickjs_emscripten(here, sources):
    node, npm = program("node", "nodejs"), program("npm", "npm")
    files = listed(os.path.join(here, "peers", "quickjs-emscripten"), ".json", ".mjs")

    def make(directory):
        copied(files, directory)
        call([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], directory)

    directory = kept("quickjs-emscripten", files, None, make)
    lock = json.load(open(os.path.join(directory, "package-lock.json")))
    version = lock["packages"]["node_modules/quickjs-emscripten"]["version"]
    return Peer("quickjs-emscripten", f"{version}, in node", [node, os.path.join(directory, "runner.mjs")])


def node_vm(here, sources):
    node = program("node", "nodejs")
    command = [node, os.path.join(here, "peers", "node", "runner.mjs")]
    return Peer("node vm", call([node, "--version"]).strip(), command, speed=False, process=node)


def build_all(here, sources):
    """The peers that could be built, and one line about each, including those that could not."""
    peers, lines = [], []
    for name, build in {
        "goja": goja,
        "QuickJS-ng native": quickjs,
        "quickjs-emscripten": quickjs_emscripten,
        "node vm": node_vm,
    }.items():
        try:
            peers.append(build(here, sources))
            lines.append(f"{name}: {peers[-1].version}")
        except Missing as reason:
            lines.append(f"{name}: skipped: {reason}")
    return peers, lines
