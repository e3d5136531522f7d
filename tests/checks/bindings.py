# SPDX-License-Identifier: Apache-2.0
"""The packages for other languages, built and tried as their users have them."""
import glob
import os
import re
import shutil
import threading

from .harness import ROOT, Skipped, Test, expect, shorten

# Debian's: apt-packages.txt has what the package is built and tested with.
PYTHON = "/usr/bin/python3"


class PythonPackage:
    """The wheel, built and installed once for all of its tests."""

    def __init__(self):
        self._lock = threading.Lock()
        self._site = None

    def site(self, context):
        with self._lock:
            if self._site is None:
                self._site = self._build(context)
            return self._site

    @staticmethod
    def _build(context):
        if context.is_sanitized:
            raise Skipped("the interpreter has no sanitizer")
        folder = context.folder()
        source = os.path.join(folder, "bindings", "python")
        # Building leaves things beside the source.
        shutil.copytree(os.path.join(ROOT, "bindings", "python"), source)
        shutil.copytree(os.path.join(ROOT, "include"), os.path.join(folder, "include"))
        wheels, site = os.path.join(folder, "wheels"), os.path.join(folder, "site")
        pip = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
        run(context, [*pip, "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", wheels, source], env={"CURFEW_BUILD": context.build})
        wheel, = glob.glob(os.path.join(wheels, "curfew-*-py3-none-linux_*.whl"))
        run(context, [*pip, "install", "--no-deps", "--target", site, wheel])
        return site


def run(context, command, timeout=180, **options):
    done = context.command(command, timeout=timeout, **options)
    expect(done.code == 0, f"exit {done.code}: {' '.join(command)}\n{shorten((done.out + done.err).decode(errors='replace'), 3000)}")
    return done.out.decode()


PACKAGE = PythonPackage()


def check_python(context, path):
    environment = {"PYTHONPATH": PACKAGE.site(context), "CURFEW": context.curfew, "PYTHONDONTWRITEBYTECODE": "1"}
    out = run(context, [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", path], env=environment, cwd=context.folder())
    return int(re.search(r"(\d+) passed", out)[1])


def tests(context):
    sources = sorted(glob.glob(os.path.join(ROOT, "bindings", "python", "tests", "test_*.py")))
    return [Test("bindings", "python/" + os.path.basename(source)[5:-3], lambda context, source=source: check_python(context, source))
            for source in sources]
