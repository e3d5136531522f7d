# SPDX-License-Identifier: Apache-2.0
"""Builds the package: the interface from curfew.h, and the library in CURFEW_BUILD, a Meson build directory.

The interface needs a C preprocessor. Without CURFEW_BUILD the package contains no library, and uses the installed
libcurfew.so.0.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from cffi import FFI
from setuptools import setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools before 70.1
    from wheel.bdist_wheel import bdist_wheel

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HEADER = ROOT / "include" / "curfew.h"


def read_version():
    return re.search(r'#define CURFEW_VERSION "([^"]+)"', HEADER.read_text(encoding="utf-8")).group(1)


def read_declarations():
    """The declarations of curfew.h in the form that cffi parses: its lists are expanded, and system headers are left
    out."""
    text = re.sub(r"^#include .*$", "", HEADER.read_text(encoding="utf-8"), flags=re.M)
    done = subprocess.run(
        [os.environ.get("CC", "cc"), "-E", "-P", "-undef", "-nostdinc", "-x", "c", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


class BuildPackage(build_py):
    def run(self):
        super().run()
        package = Path(self.build_lib) / "curfew"
        ffi = FFI()
        ffi.cdef(read_declarations())
        ffi.set_source("curfew._interface", None)
        ffi.emit_python_code(str(package / "_interface.py"))
        build = os.environ.get("CURFEW_BUILD")
        if build:
            library = package / "lib"
            library.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(build) / "libcurfew.so.0", library / "libcurfew.so.0")
            compiler = Path(build) / "curfew-compiler"
            if compiler.exists():
                shutil.copy(compiler, library / "curfew-compiler")


class BuildWheel(bdist_wheel):
    """One wheel for every Python 3, because nothing in it is compiled against an interpreter."""

    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = not os.environ.get("CURFEW_BUILD")

    def get_tag(self):
        _, _, platform = super().get_tag()
        return "py3", "none", platform


setup(version=read_version(), cmdclass={"build_py": BuildPackage, "bdist_wheel": BuildWheel})
