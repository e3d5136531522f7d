# SPDX-License-Identifier: Apache-2.0
"""The command line of the tests: selects them, orders them, and prints the results."""

import argparse
import concurrent.futures
import os
import shutil
import signal
import tempfile
import time

from . import (
    after,
    bindings,
    bundles,
    cases,
    cli,
    client,
    cluster,
    compiler,
    console,
    deploy,
    dist,
    documents,
    fetch,
    files,
    fuel,
    given,
    images,
    inspect,
    interactive,
    isolation,
    memory,
    modules,
    node,
    packaging,
    programs,
    project,
    recipes,
    sdks,
    secrets,
    server,
    server_api,
    server_grants,
    server_http,
    server_load,
    server_programs,
    server_schedules,
    server_webhooks,
    standard,
    wasi_http,
    wasm,
)
from .harness import Context, Failed, Skipped

GROUPS = {
    "layers": project.layers,
    "lint": project.lint,
    "header": project.header,
    "abi": project.abi,
    "docs": lambda context: project.docs(context) + documents.tests(context) + recipes.tests(context),
    "unit": programs.unit,
    "fuzz": programs.fuzz,
    "rewriter": programs.rewriter,
    "cases": cases.cases,
    "attacks": cases.attacks,
    "cli": lambda context: (
        cli.tests(context)
        + standard.tests(context)
        + modules.tests(context)
        + given.cli(context)
        + node.tests(context)
        + files.tests(context)
        + secrets.tests(context)
        + images.tests(context)
        + memory.tests(context)
        + inspect.tests(context)
        + interactive.tests(context)
    ),
    "after": after.tests,
    "fetch": lambda context: fetch.tests(context) + sdks.tests(context) + wasi_http.tests(context),
    "isolation": isolation.tests,
    "server": lambda context: (
        server.tests(context)
        + server_grants.tests(context)
        + server_programs.tests(context)
        + server_schedules.tests(context)
        + server_webhooks.tests(context)
        + given.server(context)
        + server_load.tests(context)
        + server_http.tests(context)
        + server_api.tests(context)
    ),
    "cluster": cluster.tests,
    "client": lambda context: client.tests(context) + bundles.tests(context),
    "compiler": compiler.tests,
    "console": console.tests,
    "wasm": wasm.tests,
    "fuel": fuel.tests,
    "examples": programs.examples,
    "bindings": bindings.tests,
    "packaging": packaging.tests,
    "dist": dist.tests,
    "deploy": deploy.tests,
    "api": programs.api,
    "torture": programs.torture,
}

# The options of a sanitizer, and its slowdown. Wasmtime keeps its own handler of faults.
SANITIZERS = {
    "asan": {
        "ASAN_OPTIONS": "handle_segv=0:handle_sigbus=0:allow_user_segv_handler=1:exitcode=99:detect_leaks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
        "LSAN_OPTIONS": "print_suppressions=0:suppressions="
        + os.path.join(os.path.dirname(os.path.abspath(__file__)), "lsan.supp"),
    },
    "tsan": {},  # tests/tsan.c
}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tests/run", description="Runs the tests of Curfew.")
    parser.add_argument(
        "filters",
        nargs="*",
        metavar="GROUP[/TEXT]",
        help="only these groups, and of them only tests whose name holds TEXT; groups: " + " ".join(GROUPS),
    )
    parser.add_argument("--build", default="build", help="directory of the build (default: build)")
    parser.add_argument("--sanitizer", choices=sorted(SANITIZERS), help="the build has this sanitizer")
    parser.add_argument("--wrapper", default="", help="command to put before each program under test")
    parser.add_argument("--scale", type=float, help="divide the counts of repetitions by this (sanitizer: 20)")
    parser.add_argument("--slower", type=float, help="multiply time limits and lateness by this (sanitizer: 10)")
    # Many tests only wait: for a deadline, a lease, the next second.
    jobs = min(8, 2 * len(os.sched_getaffinity(0)))
    parser.add_argument("--jobs", type=int, default=jobs, help=f"tests at a time (default: {jobs})")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for every test")
    return parser.parse_args()


def is_wanted(test, filters):
    if not filters:
        return True
    for text in filters:
        group, _, name = text.partition("/")
        if group == test.group and name in test.name:
            return True
    return False


def run_one(test, context):
    """One of ("passed", n), ("failed", text), ("skipped", text), and the seconds that it took."""
    start = time.monotonic()
    try:
        count = test.run(context) or 1
        result = ("passed", count)
    except Skipped as reason:
        result = ("skipped", str(reason))
    except Failed as failure:
        result = ("failed", str(failure))
    except Exception as error:  # a broken test counts as failed; the others continue
        result = ("failed", f"the test itself failed: {type(error).__name__}: {error}")
    return test, result, time.monotonic() - start


class Tally:
    """Counts results and prints them, group by group."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.passed = self.failed = self.skipped = 0
        self.groups = {}

    def add(self, test, result, seconds):
        kind, what = result
        count = what if kind == "passed" else 1
        setattr(self, kind, getattr(self, kind) + count)
        group = self.groups.setdefault(test.group, {"passed": 0, "failed": 0, "skipped": 0, "seconds": 0.0})
        group[kind] += count
        group["seconds"] += seconds
        if kind == "failed":
            print(f"FAILED {test.group}/{test.name}\n    " + what.replace("\n", "\n    "), flush=True)
        elif self.verbose or kind == "skipped":
            print(
                f"{kind} {test.group}/{test.name}" + (f": {what}" if kind == "skipped" else f" ({seconds:.2f} s)"),
                flush=True,
            )

    def print_groups(self):
        for name, group in self.groups.items():
            counts = ", ".join(f"{group[kind]} {kind}" for kind in ("passed", "failed", "skipped") if group[kind])
            print(f"{name}: {counts} ({group['seconds']:.1f} s)")

    def print_end(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}")
        return 1 if self.failed or not self.passed else 0


def run_all(tests, context, jobs, tally):
    together = [test for test in tests if not test.alone]
    with concurrent.futures.ThreadPoolExecutor(jobs) as executor:
        for future in concurrent.futures.as_completed([executor.submit(run_one, test, context) for test in together]):
            tally.add(*future.result())
    for test in tests:
        if test.alone:
            tally.add(*run_one(test, context))


def main():
    arguments = parse_arguments()
    # A shell that starts this in the background ignores SIGINT, which tests of SIGINT would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if arguments.sanitizer:
        arguments.scale = arguments.scale or 20
        arguments.slower = arguments.slower or 10
    context = Context(
        arguments.build,
        arguments.wrapper.split(),
        arguments.scale or 1,
        arguments.slower or 1,
        SANITIZERS.get(arguments.sanitizer, {}),
        tempfile.mkdtemp(prefix="curfew-tests-"),
    )
    tally = Tally(arguments.verbose)
    try:
        named = {text.partition("/")[0] for text in arguments.filters} or GROUPS
        groups = [group(context) for name, group in GROUPS.items() if name in named]
        tests = [test for group in groups for test in group if is_wanted(test, arguments.filters)]
        run_all(tests, context, arguments.jobs, tally)
    finally:
        shutil.rmtree(context.scratch, ignore_errors=True)
    tally.print_groups()
    return tally.print_end()
