# SPDX-License-Identifier: Apache-2.0
"""node:fs in JavaScript programs reaches the directories of --dir, and nothing else."""

import json
import os

from .harness import ROOT, Test, expect, expect_equal

_tests = []
LIBRARY = os.path.join(ROOT, "tests", "cases", "node", "lib")


def test(function):
    _tests.append(function)
    return function


def tests(context):
    return [Test("cli", "files_" + function.__name__, function) for function in _tests]


def fill(context):
    directory = context.directory()
    os.mkdir(os.path.join(directory, "tree"))
    for name, content in (("text", b"first\nsecond\n"), ("big", bytes(300000)), ("tree/leaf", b"leaf")):
        with open(os.path.join(directory, name), "wb") as file:
            file.write(content)
    return directory


def told(context, code, *words):
    """The value of a program that is run with these words, and the report."""
    text = f"""
        import fs from 'node:fs';
        const told = [], tell = (action) => {{ try {{ told.push(action() ?? null); }} catch (e) {{ told.push(e.code ?? e.message); }} }};
        {code}
        export default told;
    """
    report, _ = context.report("--lang", "js", *words, "-", stdin=text.encode())
    expect_equal("outcome", (report["outcome"], report["error"]), ("ok", None))
    return report["value"], report


@test
def as_node(context):
    directory = fill(context)
    with open(os.path.join(LIBRARY, "files.json"), encoding="utf-8") as file:
        expected = json.load(file)
    report, _ = context.report(
        "--node", "--dir", f"{directory}::/data:rw", "--params", '["/data"]', os.path.join(LIBRARY, "files.mjs")
    )
    expect_equal("outcome", (report["outcome"], report["error"]), ("ok", None))
    for name, value in expected.items():
        expect_equal(name, report["value"].get(name), value)


@test
def nothing_without_a_directory(context):
    value, _ = told(
        context,
        """
        for (const path of ['/etc/hostname', '/', '.', 'x'])
            tell(() => fs.readFileSync(path)), tell(() => fs.readdirSync(path)), tell(() => fs.writeFileSync(path, 'x'));
        tell(() => fs.existsSync('/'));
    """,
    )
    expect_equal("answers", value, ["ENOENT"] * 12 + [False])


@test
def no_way_out_of_a_directory(context):
    """Claim T660"""
    outside, directory = context.directory(), fill(context)
    with open(os.path.join(outside, "secret"), "w", encoding="utf-8") as file:
        file.write("outside")
    os.symlink(os.path.join(outside, "secret"), os.path.join(directory, "absolute"))
    os.symlink("../" + os.path.basename(outside) + "/secret", os.path.join(directory, "relative"))
    os.symlink(outside, os.path.join(directory, "directory"))
    os.symlink("/proc/self/root/etc/hostname", os.path.join(directory, "magic"))
    os.mkfifo(os.path.join(directory, "pipe"))
    value, _ = told(
        context,
        """
        for (const name of ['absolute', 'relative', 'directory/secret', 'magic', '../secret', 'tree/../../secret'])
            tell(() => fs.readFileSync('/data/' + name, 'utf8')), tell(() => fs.statSync('/data/' + name)), tell(() => fs.writeFileSync('/data/' + name, 'x'));
        for (const name of ['absolute', 'relative', 'directory'])
            tell(() => fs.renameSync('/data/text', '/data/directory/text')), tell(() => fs.linkSync('/data/directory/secret', '/data/mine')), tell(() => fs.rmSync('/data/directory/secret'));
        tell(() => fs.symlinkSync('/etc/hostname', '/data/new'));
        fs.symlinkSync('../../etc', '/data/up'); tell(() => fs.readdirSync('/data/up'));
        tell(() => fs.readFileSync('/data/tree/../text', 'utf8')); tell(() => fs.readFileSync('/data/pipe'));
        tell(() => fs.readFileSync('/proc/self/environ')); tell(() => fs.rmSync('/data', { recursive: true }));
    """,
        "--dir",
        f"{directory}::/data:rw",
    )
    expect_equal("read, stat, write", set(value[:18]), {"EPERM"})
    expect_equal("rename, link, remove", set(value[18:27]), {"EPERM"})
    expect_equal("the rest", value[27:32], ["EPERM", "EPERM", "first\nsecond\n", "ENXIO", "ENOENT"])
    with open(os.path.join(outside, "secret"), encoding="utf-8") as file:
        expect_equal("what lies outside", file.read(), "outside")
    expect(os.path.isdir(directory), "the directory itself is gone")


@test
def read_only_unless_said(context):
    directory = fill(context)
    changes = """
        for (const action of [() => fs.writeFileSync('/data/text', 'x'), () => fs.appendFileSync('/data/text', 'x'), () => fs.mkdirSync('/data/new'), () => fs.rmSync('/data/text'), () => fs.renameSync('/data/text', '/data/b'),
            () => fs.truncateSync('/data/text'), () => fs.symlinkSync('text', '/data/l'), () => fs.utimesSync('/data/text', 1, 1), () => fs.accessSync('/data/text', fs.constants.W_OK), () => fs.openSync('/data/new', 'a')])
            tell(action);
        tell(() => fs.readFileSync('/data/text', 'utf8')); tell(() => fs.readdirSync('/').concat(fs.readdirSync('/data')));
    """
    for rights in ("", ":ro"):
        value, _ = told(context, changes, "--dir", f"{directory}::/data{rights}")
        expect_equal("answers", value, ["EROFS"] * 10 + ["first\nsecond\n", ["data", "big", "text", "tree"]])
    expect_equal("names", sorted(os.listdir(directory)), ["big", "text", "tree"])


@test
def are_host_calls(context):
    """Claim L661"""
    directory = fill(context)
    code = "fs.readFileSync('/data/text'); fs.statSync('/data/text'); fs.readdirSync('/data');"
    _, report = told(context, code, "--dir", f"{directory}::/data")
    expect_equal("counted", report["used"]["host_calls"], 2 + 1 + 3)
    report, _ = context.report(
        "--host-calls",
        "20",
        "--dir",
        f"{directory}::/data",
        "--node",
        "-e",
        "for (;;) process.getBuiltinModule('fs').existsSync('/data/text')",
    )
    expect_equal("limited", (report["outcome"], report["used"]["host_calls"]), ("host_calls", 20))
    value, _ = told(
        context,
        "const open = []; for (;;) try { open.push(fs.openSync('/data/text')); } catch (e) { told.push(e.code, open.length); break; }",
        "--dir",
        f"{directory}::/data",
    )
    expect_equal("open at once", value, ["EMFILE", 256])


@test
def several_directories(context):
    first, second = fill(context), fill(context)
    value, _ = told(
        context,
        "tell(() => fs.readFileSync('text', 'utf8')); tell(() => fs.readFileSync('/lib/deep/text', 'utf8')); tell(() => fs.readdirSync('/lib')); tell(() => fs.statSync('/lib').isDirectory()); tell(() => fs.realpathSync('/lib/deep/tree/../text'));",
        "--dir",
        f"{first}::/",
        "--dir",
        f"{second}::/lib/deep",
    )
    expect_equal("answers", value, ["first\nsecond\n", "first\nsecond\n", ["deep"], True, "/lib/deep/text"])


@test
def a_directory_that_is_not_there(context):
    done = context.run("--dir", "/nowhere/at/all::/data", "-e", "1")
    expect(
        done.code == 2 and done.err.count(b"\n") == 1 and b"/nowhere/at/all" in done.err, f"{done.code}: {done.err!r}"
    )
