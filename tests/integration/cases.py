# SPDX-License-Identifier: Apache-2.0
"""Programs that contain their expectation: tests/cases and tests/attacks, JavaScript and WebAssembly text.
tests/README.md describes the format."""

import glob
import json
import os
import re
import shlex

from .harness import EXIT_CODES, ROOT, STOPS, Failed, Test, expect, expect_equal, shorten

HEADER = re.compile(r"(?://|;;) ([a-z_][a-z_.]*)(~?):(?: (.*))?$")
# How late a stop may be here, where other processes use the machine too. make bench measures it.
LATENESS_S = 0.02


def read_header(path):
    """The lines "// key: value" (in text of WebAssembly: ";;") at the top, in order, as (key, is a pattern, value)."""
    entries = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#!"):
                continue
            if not line.startswith(("//", ";;")):
                break
            match = HEADER.match(line.rstrip("\n"))
            if match:
                entries.append((match[1], bool(match[2]), (match[3] or "")))
    return entries


# ---- Comparing ----------------------------------------------------------------------------------------------------


def frame_text(frame):
    if frame["native"]:
        return f"{frame['function']} native"
    if frame["line"] is None and frame["wasm_offset"] is not None:
        return f"{frame['function']} {frame['file']}@{frame['wasm_offset']:#x}"
    if frame["line"] is None:
        return f"{frame['function']} {frame['file']}"
    return f"{frame['function']} {frame['file']}:{frame['line']}:{frame['column']}"


def matches_frame(seen, expected):
    """Whether the texts are equal. "*" in the expectation stands for any function, file, line or column."""
    pattern = "".join(r"[^:|]*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", expected))
    return re.fullmatch(pattern, seen) is not None


def check_frames(report, expected):
    """ "a f.js:1:2 | b native | f f.wat@0x2a | ...": innermost first. "..." at the end stands for any further frames."""
    error = report["error"]
    seen = [frame_text(frame) for frame in error["stack"]] if error else []
    wanted = [part.strip() for part in expected.split("|")] if expected.strip() else []
    is_open = wanted[-1:] == ["..."]
    if is_open:
        wanted.pop()
    ok = (len(seen) >= len(wanted) if is_open else len(seen) == len(wanted)) and all(map(matches_frame, seen, wanted))
    expect(ok, f"frames: expected {expected}\n            seen {shorten(' | '.join(seen))}")


def look_up(report, key):
    value = report
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise Failed(f"{key}: the report has no such key (seen {shorten(value)})")
        value = value[part]
    return value


def check_number(key, seen, operator, bound):
    # The fuel of a run that was stopped before its guest began is null.
    expect(seen is not None, f"{key}: expected {operator} {bound:g}, seen null")
    holds = {"<": seen < bound, "<=": seen <= bound, ">": seen > bound, ">=": seen >= bound}[operator]
    expect(holds, f"{key}: expected {operator} {bound:g}, seen {seen}")


def check_entry(report, key, is_pattern, expected):
    if key in ("value", "partial"):
        return expect_equal(
            key, json.dumps(report[key], ensure_ascii=False), json.dumps(json.loads(expected), ensure_ascii=False)
        )
    if key == "outcome":
        error = report["error"]
        expect(
            report["outcome"] in expected.split(),
            f"outcome: expected {expected}, seen {report['outcome']}"
            + (
                f"\n{error['name']}: {shorten(error['message'], 300)} | {shorten(' | '.join(map(frame_text, error['stack'])), 600)}"
                if error
                else ""
            ),
        )
        return None
    if key == "tripped":
        return expect_equal(key, " ".join(report["tripped"]), expected)
    if key == "frames":
        return check_frames(report, expected)
    seen = look_up(report, key)
    if is_pattern:
        return expect(
            re.search(expected, str(seen)) is not None,
            f"{key}: expected to match {expected}\nseen {shorten(str(seen))}",
        )
    comparison = re.fullmatch(r"(<=?|>=?) ([\d.e]+)", expected)
    if comparison:
        return check_number(key, seen, comparison[1], float(comparison[2]))
    if isinstance(seen, str):
        return expect(
            seen in expected.split(" or "), f"{key}: expected {expected}\n{' ' * len(key)}      seen {shorten(seen)}"
        )
    return expect_equal(key, seen, json.loads(expected))


def check_stream(report, key, lines):
    expect_equal(key, report[key], "".join(line + "\n" for line in lines))


# ---- Cases --------------------------------------------------------------------------------------------------------

CONTROLS = {"args", "exit", "run", "limit", "stdout", "stderr"}


def check_same(first, second):
    """Two runs of a deterministic program are identical."""
    for part in (
        lambda r: r["outcome"],
        lambda r: r["tripped"],
        lambda r: r["value"],
        lambda r: r["partial"],
        lambda r: r["stdout"],
        lambda r: r["stderr"],
        lambda r: r["used"]["loops"],
        lambda r: r["used"]["fuel"],
    ):
        expect_equal("the second run", part(second), part(first))


def check_case(context, path):
    entries = read_header(path)
    controls = {key: value for key, _, value in entries if key in CONTROLS}
    expect(any(key == "outcome" for key, _, _ in entries), 'no line "// outcome: ..." at the top')
    words = [word for key, _, value in entries if key == "args" for word in shlex.split(value)]
    # The arguments after "--" are the program's.
    at = words.index("--") if "--" in words else len(words)
    words = words[:at] + [path] + words[at:]
    limit = float(controls.get("limit", "20"))
    # A program that got little CPU time may be stopped before it reaches its subject, so it is repeated with more time.
    for factor in (1, 5, 25):
        given = longer(words, factor)
        report, done = context.report(*given, timeout=limit)
        try:
            return check_report(context, entries, controls, given, limit, report, done)
        except Failed:
            if factor == 25 or not is_starved(report):
                raise


def longer(words, factor):
    """The same command, with deadlines of milliseconds multiplied by factor."""
    deadlines = [at for at in range(1, len(words)) if words[at - 1] == "--timeout" and words[at].endswith("ms")]
    return [
        f"{int(word.removesuffix('ms')) * factor}ms" if factor > 1 and at in deadlines else word
        for at, word in enumerate(words)
    ]


def is_starved(report):
    """Whether the run reached its deadline and had less than a third of that time on a processor."""
    return "deadline" in report["tripped"] and report["used"]["cpu_us"] < report["used"]["wall_us"] / 3


def check_report(context, entries, controls, words, limit, report, done):
    for key, is_pattern, expected in entries:
        if key not in CONTROLS or is_pattern:
            check_entry(report, key, is_pattern, expected)
    for stream in ("stdout", "stderr"):
        lines = [value for key, is_pattern, value in entries if key == stream and not is_pattern]
        # A program without expected output must have none.
        if lines or not any(key == stream for key, _, _ in entries):
            if lines or not report["output_truncated"]:
                check_stream(report, stream, lines)
    if "exit" in controls:
        expect_equal("exit", done.code, int(controls["exit"]))
    if controls.get("run") == "twice":
        again, _ = context.report(*words, timeout=limit)
        check_same(report, again)


def make_case(root, path):
    return Test(
        "cases",
        os.path.relpath(path, root)[: -len(os.path.splitext(path)[1])],
        lambda context: check_case(context, path),
    )


def cases(context):
    """Files in directories named lib are imported by cases, and are not cases."""
    root = os.path.join(ROOT, "tests", "cases")
    paths = sorted(
        path for ending in ("js", "mjs", "ts", "wat") for path in glob.glob(f"{root}/**/*.{ending}", recursive=True)
    )
    return [make_case(root, path) for path in paths if "lib" not in os.path.relpath(path, root).split(os.sep)[:-1]]


# ---- Attacks ------------------------------------------------------------------------------------------------------

ATTACK_ARGS = ["--memory", "64MiB", "--output", "64KiB", "--timers", "1000"]
# No attack reaches this limit. It only makes the program run on the metered engine.
METERED = ["--fuel", "1000000G"]


class Attack:
    """A program that is to be stopped: how to run it, and the expected outcomes."""

    def __init__(self, path):
        entries = read_header(path)
        self.path = path
        self.expected = [word for key, _, value in entries if key == "expect" for word in value.split()]
        self.args = [word for key, _, value in entries if key == "args" for word in shlex.split(value)]
        self.waits_for_input = ("stdin", False, "open") in entries
        self.has_frames = ("frames", False, "maybe") not in entries
        if path.endswith(".wat"):
            self.args += ["--call", "run"]
        expect(
            self.expected and set(self.expected) <= set(EXIT_CODES),
            "the first line is no list of outcomes: // expect: OUTCOME...",
        )

    def run(self, context, *more):
        # A program that exceeds another limit needs the time to do so on a busy machine.
        timeout = f"{300 * min(context.slower, 4):.0f}ms" if "deadline" in self.expected else context.share(2000)
        words = ["--timeout", timeout, *ATTACK_ARGS, *self.args, *more, self.path]
        if not self.waits_for_input:
            return context.report(*words, timeout=10)
        reader, writer = os.pipe()
        try:
            return context.report(*words, timeout=10, stdin_file=reader)
        finally:
            os.close(reader)
            os.close(writer)


def was_computing(context, report):
    """Whether the program computed when it was stopped. On a busy machine it may have hardly begun."""
    return report["stop"]["while"] == "running" and report["used"]["cpu_us"] >= 100_000 * min(context.slower, 3)


def check_attack(context, path, *more):
    # Claims L13, L15, L75, T1, T8, T12, T24, T31.
    attack = Attack(path)
    # A busy machine may cause one late stop. A fault of curfew's would make every stop late.
    for last in (False, False, True):
        report, done = attack.run(context, *more)
        outcome, error, stop = report["outcome"], report["error"], report["stop"]
        if outcome not in attack.expected:
            raise Failed(
                f"outcome: expected {' or '.join(attack.expected)}, seen {outcome}"
                + (
                    f"\n{error['name']}: {shorten(error['message'], 300)}"
                    if error
                    else f"\nvalue {shorten(report['value'])}"
                )
            )
        if outcome not in STOPS:
            return
        if stop["latency_us"] < 1e6 * context.bound(LATENESS_S) and done.seconds < 0.3 + context.bound(0.4):
            break
        expect(not last, f"stopped {stop['latency_us']} us late, the process took {done.seconds:.3f} s")
    if outcome == "deadline" and attack.has_frames and was_computing(context, report):
        expect(error["stack"], "stopped while it was running, but no frame is told")
    if error["stack"]:
        names = {frame["file"] for frame in error["stack"] if not frame["native"]}
        expect(
            not names or any(name == os.path.basename(path) or name.startswith("<") for name in names),
            f"frames are of other files: {names}",
        )


def check_on_one_processor(context):
    # Claim L13.
    """Where a guest and the thread that stops it share a processor, the guest is stopped all the same."""
    only = str(min(os.sched_getaffinity(0)))
    for name in ("array_fill", "array_copy_within") * 5:
        path = os.path.join(ROOT, "tests", "attacks", "js", name + ".js")
        words = ["taskset", "-c", only, context.curfew, "run", "--json", "--timeout", "300ms", *ATTACK_ARGS, path]
        done = context.command(words)
        expect_equal(name, context.check_report(done.out, done)["outcome"], "deadline")


def attacks(context):
    def paths(kind):
        return [
            (os.path.basename(path)[: -len(kind) - 1], path)
            for path in sorted(glob.glob(os.path.join(ROOT, "tests", "attacks", kind, "*." + kind)))
        ]

    tests = [
        Test("attacks", name, lambda context, path=path: check_attack(context, path)) for name, path in paths("js")
    ]
    tests.append(Test("attacks", "on_one_processor", check_on_one_processor))
    for name, path in paths("wat"):
        tests.append(Test("attacks", f"wat/{name}", lambda context, path=path: check_attack(context, path)))
        tests.append(
            Test("attacks", f"wat/{name}_metered", lambda context, path=path: check_attack(context, path, *METERED))
        )
    return tests
