# SPDX-License-Identifier: Apache-2.0
"""Builds the packages for other languages with the measured build, and returns the commands of their measuring
programs."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "tests"))

from integration import bindings  # noqa: E402
from integration.harness import Context, Failed  # noqa: E402


def start_all(build, scratch):
    """{language: (command, environment, working directory)}, and {language: the reason why it is missing}."""
    context = Context(build, [], 1, 1, {}, scratch)
    commands, reasons = {}, {}
    for language, prepare in (("Python", python), ("Node", node), ("Go", go), ("Rust", rust)):
        try:
            commands[language] = prepare(context)
        except (Failed, OSError, subprocess.CalledProcessError) as error:
            reasons[language] = str(error).splitlines()[0]
    return commands, reasons


def python(context):
    site = bindings.WHEEL.place(context)
    return [bindings.PYTHON, os.path.join(HERE, "bindings", "bench.py")], {"PYTHONPATH": site}, None


def node(context):
    directory = bindings.NODE.place(context)
    with (
        open(os.path.join(HERE, "bindings", "bench.mjs"), encoding="utf-8") as source,
        open(os.path.join(directory, "bench.mjs"), "w", encoding="utf-8") as copy,
    ):
        copy.write(source.read())
    return ["node", "bench.mjs"], {}, directory


def go(context):
    program = os.path.join(context.directory(), "bench")
    bindings.run(
        context,
        ["go", "build", "-o", program, "."],
        cwd=os.path.join(HERE, "bindings", "go"),
        env=bindings.go_environment(context),
    )
    return [program], {}, None


def rust(context):
    target = os.path.join(context.build, "rust")
    bindings.run(
        context,
        [
            "cargo",
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--target-dir",
            target,
            "--manifest-path",
            os.path.join(HERE, "bindings", "rust", "Cargo.toml"),
        ],
        timeout=600,
        env={"CURFEW_LIB_DIR": context.build},
    )
    return [os.path.join(target, "release", "bench-bindings")], {}, None
