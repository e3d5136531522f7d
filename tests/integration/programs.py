# SPDX-License-Identifier: Apache-2.0
"""Tests that are programs: units, those of the library, torture (tests/harness.h), seeds of the fuzz targets, Cargo's,
examples."""

import glob
import hashlib
import json
import os
import re
import shutil

from .harness import ROOT, Skipped, Test, expect, expect_equal, read, shorten
from .shown import shown


def built(context, directory, source):
    return os.path.join(context.build, directory, os.path.basename(source)[:-2])


# ---- Fuzz targets: their seeds, one after the other ------------------------------------------------------------------


def check_seeds(context, path, seeds):
    done = context.command([path, *seeds], timeout=60)
    expect_equal("seeds replayed", (done.code, done.out.decode()), (0, f"{len(seeds)}\n"))


def fuzz(context):
    directory = os.path.join(ROOT, "tests", "fuzz")
    targets = sorted(
        os.path.basename(path)[:-2]
        for path in glob.glob(os.path.join(directory, "*.c"))
        if not path.endswith("/replay.c")
    )
    seeds = {target: sorted(glob.glob(os.path.join(directory, "seeds", target, "*"))) for target in targets}
    return [
        Test(
            "fuzz",
            target,
            lambda context, target=target: check_seeds(
                context, os.path.join(context.build, "tests", "fuzz", "fuzz_" + target), seeds[target]
            ),
        )
        for target in targets
    ]


# ---- Rust ---------------------------------------------------------------------------------------------------------


def with_dependencies(context, name, manifest, package, locked, environment):
    """Cargo's target directory `name` of the build, in which all that the package depends on is compiled. This is done
    once, and kept in the user's cache. locked: the files that decide on it."""
    target = os.path.join(context.build, name)
    if os.path.exists(target):
        return target
    profile = sorted(setting for setting in environment.items() if setting[0].startswith("CARGO_PROFILE"))
    key = hashlib.sha256(context.command(["rustc", "-vV"]).out + repr(profile).encode())
    for path in locked:
        key.update(read(path).encode())
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "curfew-build")
    kept = os.path.join(cache, f"crates-{name}-{key.hexdigest()[:16]}")
    if not os.path.exists(kept):
        work = f"{kept}.{os.getpid()}"
        options = ["--quiet", "--manifest-path", manifest, "--target-dir", work]
        for command in (
            ["cargo", "test", "--no-run", "--locked", *options],
            ["cargo", "clean", *options, "-p", package],
        ):
            done = context.command(command, timeout=1800, env=environment)
            expect(done.code == 0, f"exit {done.code}\n{shorten(done.err.decode(errors='replace'), 3000)}")
        try:
            os.rename(work, kept)
        except OSError:  # another process was faster
            shutil.rmtree(work)
    shutil.copytree(kept, target, symlinks=True)
    return target


def check_rewriter(context):
    engine = os.path.join(ROOT, "engine")
    manifest = os.path.join(engine, "rewriter", "Cargo.toml")
    # Without optimization the tests take ten times as long.
    environment = {"CARGO_PROFILE_TEST_OPT_LEVEL": "1", "CARGO_PROFILE_TEST_DEBUG": "line-tables-only"}
    locked = ["engine/Cargo.toml", "engine/Cargo.lock", "engine/rewriter/Cargo.toml"]
    target = with_dependencies(context, "rewriter", manifest, "curfew-rewriter", locked, environment)
    command = ["cargo", "test", "--locked", "--manifest-path", manifest, "--target-dir", target]
    done = context.command(command, timeout=900, env=environment)
    text = (done.out + done.err).decode(errors="replace")
    passed = sum(int(count) for count in re.findall(r"^test result: ok\. (\d+) passed", text, re.M))
    expect(done.code == 0 and passed > 0, f"exit {done.code}\n{shorten(text, 3000)}")
    return passed


def rewriter(context):
    return [Test("rewriter", "all", check_rewriter)]


# ---- Programs that list their tests: each test is a process -------------------------------------------------------

SKIPPED = 77  # HARNESS_SKIPPED in tests/harness.h


def check_listed(context, path, name, limit, **options):
    environment = {**options.pop("env", {}), "TMPDIR": context.scratch}
    done = context.command([path, name], timeout=limit, env=environment, **options)
    if done.code == SKIPPED:
        raise Skipped(done.err.decode(errors="replace").strip())
    expect(done.code == 0, f"exit {done.code}\n{shorten((done.out + done.err).decode(errors='replace'), 2000)}")


def names_in(context, path):
    """Without an argument such a program prints the names of its tests."""
    return context.command([path], timeout=10).out.decode().split()


def listed(context, group, directory, limit, alone=False):
    tests = []
    for source in sorted(glob.glob(os.path.join(ROOT, "tests", directory, "*.c"))):
        path, short = built(context, "tests", source), os.path.basename(source)[:-2]
        if not os.path.exists(path):
            tests.append(Test(group, short, lambda context, path=path: expect(False, f"{path} is not built")))
            continue
        for name in names_in(context, path):
            tests.append(
                Test(
                    group,
                    f"{short}/{name}",
                    lambda context, path=path, name=name: check_listed(context, path, name, limit),
                    alone,
                )
            )
    return tests


def unit(context):
    return listed(context, "unit", "unit", 60)


def api(context):
    return listed(context, "api", "api", 60)


def torture(context):
    return listed(context, "torture", "torture", 120)


# ---- Examples -----------------------------------------------------------------------------------------------------


def run_example(context, name, *words):
    path = os.path.join(context.build, "examples", name)
    expect(os.path.exists(path), f"{path} is not built")
    done = context.command([path, *words], timeout=20, cwd=context.directory())
    return done.code, done.out.decode(), done.err.decode()


def check_embed(context):
    expect_equal("embed", run_example(context, "embed"), (0, 'ok: {"answer":42}\n', ""))
    lines = [line for line in open(os.path.join(ROOT, "examples", "embed.c"), encoding="utf-8")]
    expect(len(lines) <= 40, f"examples/embed.c is for the README, and has {len(lines)} lines")


def check_cancel(context):
    # On a busy machine the program may not have come further than to its call of spin.
    code, out, err = run_example(context, "cancel_from_thread")
    expect(
        (code, err) == (0, "")
        and re.fullmatch(r"cancelled after \d+ ms, in (spin \(line [12]\)|<anonymous> \(line 4\))\n", out),
        f"exit {code}: {out!r} {err!r}",
    )


def check_many(context):
    code, out, err = run_example(context, "many_at_once")
    expect(
        (code, err) == (0, "") and out.splitlines()[-1:] == ["100 runs: 90 ok, 10 cpu"], f"exit {code}: {out!r} {err!r}"
    )


def check_partial(context):
    # A machine that stands still for longer than the grace stops the program.
    for _ in range(3):
        code, out, err = run_example(context, "partial_results", os.path.join(ROOT, "examples", "sync_items.js"))
        match = re.fullmatch(r"deadline \((cooperative|stopped)\): (\d+) of 1000 items synced\n", out)
        good = (code, err) == (0, "") and match is not None and 0 < int(match[2]) < 1000
        expect(good, f"exit {code}: {out!r} {err!r}")
        if match[1] == "cooperative":
            return
    expect(False, f"it was stopped each time: {out!r}")


def check_progress(context):
    code, out, err = run_example(context, "progress")
    lines = out.splitlines()
    expect(
        (code, err) == (0, "") and lines[:1] == ['progress: {"done":1,"of":5}'] and lines[-1:] == ['ok: "all 5 done"'],
        f"exit {code}: {out!r} {err!r}",
    )


def check_sync_items(context):
    path = os.path.join(ROOT, "examples", "sync_items.js")
    # Within the grace it ends by itself and reports its progress. On a busy machine the grace may be too short.
    report, _ = context.report("--timeout", "1500ms", "--grace", "50ms", path)
    expect_equal("outcome", report["outcome"], "deadline")
    expect_equal("tripped", report["tripped"], ["deadline"])
    synced = report["partial"]["synced"]
    expect(0 < synced < 1000, f"partial {report['partial']}")
    if report["stop"]["mode"] == "cooperative":
        expect_equal("value", report["value"], {"synced": synced, "of": 1000, "finished": False})
    # With enough grace, it always does.
    report, _ = context.report("--timeout", "1500ms", "--grace", "60s", path)
    expect_equal("stop.mode", report["stop"]["mode"], "cooperative")
    expect_equal("value", report["value"], {"synced": report["partial"]["synced"], "of": 1000, "finished": False})
    # Without a grace it is stopped at once, and the last checkpoint shows its progress.
    report, _ = context.report("--timeout", "1500ms", path)
    expect_equal("without grace", [report["outcome"], report["value"]], ["deadline", None])
    expect(report["stop"]["mode"] in ("soft", "hard"), f"stop {report['stop']}")
    expect(0 < report["partial"]["synced"] < 1000 and report["partial"]["of"] == 1000, f"partial {report['partial']}")


def check_hostile(context):
    report, done = context.report("--timeout", "300ms", os.path.join(ROOT, "examples", "hostile.js"))
    expect_equal("outcome", report["outcome"], "deadline")
    frames = report["error"]["stack"]
    expect(
        any(frame["file"] == "hostile.js" and frame["function"] == "burrow" for frame in frames),
        f"frames: {json.dumps(frames)}",
    )
    expect(done.seconds < 0.3 + context.bound(0.5), f"it took {done.seconds:.2f} s")


def check_host_function(context):
    expect_equal("host_function", run_example(context, "host_function"), (0, 'ok: [7.5,"Ada"]\n', ""))


def check_component(context):
    expect_equal("component", run_example(context, "component"), (0, 'ok: 5\nthrew: "no such row"\n', ""))


def check_notebook(context):
    # A cell that gets no processor while it is stopped is stopped hard, and loses the state: on such a machine, again.
    for _ in range(5):
        code, out, err = run_example(context, "notebook")
        if "the state was lost" not in out:
            break
    values = [line for line in out.splitlines() if line.startswith("Out")]
    expect(
        (code, err) == (0, "")
        and values
        == [
            "Out[1]: undefined",
            "Out[2]: 2",
            "Out[3]: the deadline passed, in search of cell 3, line 2",
            'Out[4]: ["to","be","or","not",true]',
        ],
        f"exit {code}: {out!r} {err!r}",
    )


def check_hello(context):
    done = context.run("--print", os.path.join(ROOT, "examples", "hello.js"), "World")
    expect_equal("hello.js", (done.code, done.out, done.err), (0, b"Hello, World!\n13\n", b""))


def check_upper(context):
    done = context.run(os.path.join(ROOT, "examples", "upper.mjs"), stdin="größer\n".encode())
    expect_equal("upper.mjs", (done.code, done.out.decode(), done.err), (0, "GRÖSSER\n", b""))


def check_typed(context):
    done = context.run("--print", os.path.join(ROOT, "examples", "typed.ts"), "sum", "3", "4")
    expect_equal("typed.ts", (done.code, done.out, done.err), (0, b"7\n", b"{ kind: 'sum', words: [ '3', '4' ] }\n"))


def examples(context):
    tests = [
        ("embed", check_embed),
        ("host_function", check_host_function),
        ("component", check_component),
        ("cancel_from_thread", check_cancel),
        ("many_at_once", check_many),
        ("notebook", check_notebook),
        ("partial_results", check_partial),
        ("progress", check_progress),
        ("sync_items.js", check_sync_items),
        ("hostile.js", check_hostile),
        ("hello.js", check_hello),
        ("upper.mjs", check_upper),
        ("typed.ts", check_typed),
    ]
    names, transcripts = shown(context)
    known = {name.removesuffix(".c") for name in names} | {name for name, _ in tests}
    found = {os.path.basename(path).removesuffix(".c") for path in glob.glob(os.path.join(ROOT, "examples", "*.*"))}

    def check_all(context):
        expect_equal("examples that are tested", sorted(known), sorted(found - {"meson.build"}))

    return [Test("examples", name, run) for name, run in tests] + [Test("examples", "all", check_all)] + transcripts
