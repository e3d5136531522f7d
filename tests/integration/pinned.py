# SPDX-License-Identifier: Apache-2.0
"""Tools that tests need and the system does not package. They are installed once, at pinned versions, into the user's
cache."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

from .harness import ROOT, Skipped, shorten


def place(name, version):
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "curfew", f"{name}-{version}")


def make(directory, what, *command, environment=None, **options):
    """The directory that this command makes. {} in its words and variables is the directory. Other processes wait for
    it."""
    os.makedirs(os.path.dirname(directory), exist_ok=True)
    with open(directory + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(directory):
            _make(directory, what, command, environment or {}, options)
    return directory


def _make(directory, what, command, environment, options):
    being_made = tempfile.mkdtemp(prefix=os.path.basename(directory) + ".", dir=os.path.dirname(directory))
    own = {key: value.replace("{}", being_made) for key, value in environment.items()}
    words = [word.replace("{}", being_made) for word in command]
    done = subprocess.run(words, env={**os.environ, **own}, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        shutil.rmtree(being_made, ignore_errors=True)
        raise Skipped(f"{what} cannot be installed here: {shorten(done.stderr.strip().split(chr(10))[-1], 200)}")
    os.rename(being_made, directory)


def python_packages(what, name, requirements):
    """The directory with the packages that a file below tests/ lists with their hashes."""
    path = os.path.join(ROOT, "tests", requirements)
    with open(path, "rb") as file:
        version = hashlib.sha256(file.read()).hexdigest()[:16]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    return make(place(name, version), what, *command, "--require-hashes", "--target", "{}", "-r", path, timeout=300)


def go_command(what, package, version):
    """The directory with the command of a Go module."""
    if shutil.which("go") is None:
        raise Skipped(f"missing: go, to build {what}")
    environment = {"GOBIN": "{}", "CGO_ENABLED": "0", "GOFLAGS": "-trimpath -ldflags=-s"}
    command = ("go", "install", f"{package}@{version}")
    return make(place(what, version), what, *command, environment=environment, timeout=1200)
