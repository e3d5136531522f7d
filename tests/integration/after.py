# SPDX-License-Identifier: Apache-2.0
"""The work for a program after it has ended must not grow with anything that the program chose."""

import json
import os
import tempfile

from .cli import write
from .harness import Test, expect, expect_equal

TESTS = []
LARGE = 16 * 1024 * 1024 - 300
# The CPU time of the whole process beyond that of the run, in which it reads, checks and summarises 16 MiB, and ends.
# The bound is several times the usual value, because other processes share the caches of a busy machine.
OWN_CPU_S = 2.0


def test(function):
    TESTS.append(function)
    return function


def measured_report(context, *words, timeout=60):
    """The report of a run, and the CPU seconds of its process outside of the run."""
    with tempfile.TemporaryFile() as out:
        process = context.spawn([context.curfew, "run", "--json", *words], stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    expect(process.returncode >= 0, f"killed by signal {-process.returncode}: {words}")
    report = context.check_report(text)
    return report, usage.ru_utime + usage.ru_stime - report["used"]["cpu_us"] / 1e6


def expect_cheap(context, outcome, *words):
    report, seconds = measured_report(context, *words)
    expect_equal("outcome", report["outcome"], outcome)
    expect(seconds < OWN_CPU_S * context.slower, f"{seconds:.1f} s of CPU time beside the run: {words}")
    return report


def enough_cpu(report):
    """Options for another run of the same program: enough CPU time to get as far on a machine that is busier by
    then."""
    return "--cpu", f"{3 * report['used']['cpu_us'] // 1000 + 300}ms"


DEEP = "function f(n){if(n)f(n-1);else %s}\nf(100)\n"
# Much text before the significant part: only line breaks, one line, characters of several bytes.
FILLS = {
    "line ends": "\n" * LARGE,
    "one line": "/*" + "x" * (LARGE - 10) + "*/ ",
    "wide": "/*" + "ä\n" * (LARGE // 3 - 10) + "*/ ",
    "one wide line": "/*" + "€" * (LARGE // 3 - 10) + "*/ ",
    "carriage returns": "\r\n" * (LARGE // 2),
}


@test
def frames_of_large_sources(context):
    # Claims L19, T2.
    for name, fill in FILLS.items():
        limits = ()
        for end, outcome in ("throw new Error('x');", "threw"), ("for(;;);", "cpu"):
            path = write(context, "large.js", fill + "Error.stackTraceLimit=100;" + DEEP % end)
            report = expect_cheap(context, outcome, *limits, "--timeout", "5m", path)
            limits = enough_cpu(report)
            frames = report["error"]["stack"]
            expect(len(frames) == 64 and len({frame["line"] for frame in frames}) == 1, f"{name}: {frames[:3]}")
            expect_equal(f"{name}: truncated", report["trace_truncated"], False)
            line = fill.replace("\r\n", "\n").count("\n") + 1
            expect_equal(f"{name}: line", frames[0]["line"], line)


@test
def frames_of_a_large_import(context):
    # Claim L19.
    for name, fill in FILLS.items():
        path = write(context, "main.mjs", "import { f } from './large.mjs';\nf(100);")
        limits = ()
        for end, outcome in ("throw new Error('x');", "threw"), ("for(;;);", "cpu"):
            with open(os.path.join(os.path.dirname(path), "large.mjs"), "w", encoding="utf-8", newline="") as file:
                file.write(fill + "export " + (DEEP % end).replace("f(100)\n", ""))
            report = expect_cheap(context, outcome, *limits, "--timeout", "5m", path)
            limits = enough_cpu(report)
        expect(len(report["error"]["stack"]) == 64, f"{name}: {report['error']['stack'][:3]}")


@test
def syntax_error_at_the_end(context):
    # Claim L19.
    for name, fill in FILLS.items():
        report = expect_cheap(context, "bad_program", "--timeout", "5m", write(context, "large.js", fill + "let = ;"))
        expect(
            report["error"]["stack"][0]["line"] == fill.replace("\r\n", "\n").count("\n") + 1,
            f"{name}: {report['error']}",
        )


@test
def names_as_long_as_memory(context):
    # Claim T2.
    source = (
        "const f = { ['x'.repeat(2e7)]: () => { throw new Error('x') } }; function g() { Object.values(f)[0]() } g()"
    )
    report = expect_cheap(context, "threw", "--memory", "1GiB", "--timeout", "5m", write(context, "name.js", source))
    expect(
        report["trace_truncated"] or len(report["error"]["stack"]) == 3,
        f"frames are missing: {json.dumps(report['error'])[:400]}",
    )


def tests(context):
    return [Test("after", function.__name__, function) for function in TESTS]
