# SPDX-License-Identifier: Apache-2.0
"""Bundles, which are programs of several files: made by submit, by programs put and by tar, sent to a server, and
damaged."""

import io
import json
import os
import tarfile

from .client import Client
from .harness import Test, expect, expect_equal, tiers
from .modules import MAPPED, PACKAGES, make
from .serving import Server

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def tests(context):
    return [Test("client", "bundles_" + function.__name__, function) for function in TESTS]


def archive(files, kind=tarfile.USTAR_FORMAT, more=()):
    """A tar archive of these files, whose content is text or JSON."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as tar:
        for name, content in files.items():
            data = (content if isinstance(content, str) else json.dumps(content)).encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in more:
            tar.addfile(info)
    return out.getvalue()


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


PROJECT = {
    **PACKAGES,
    "package.json": {"name": "project", "main": "./src/main.ts", "type": "module"},
    "src/main.ts": "import { name } from 'plain'; import both from '@scope/both'; import { twice } from './lib/twice.ts'; import data from './data.json' with { type: 'json' };\n"
    "enum E { A = 1 }\nexport default (n: number): unknown => [name, both, twice(n), data.x, E.A, import.meta.url];\nexport const late = async () => (await import('./late.ts')).default",
    "src/lib/twice.ts": "export const twice = (n: number): number => n * 2",
    "src/data.json": {"x": "ä"},
    "src/late.ts": "export default 'late' as string",
    "src/unused.ts": "this is not even code",
    "README.md": "no module",
}
EXPECTED = ["plain", "esm", 8, "ä", 1, "file:///src/main.ts"]


@test
def a_project(context):
    """A directory, or a file with --import-dir: run locally, sent, stored, and run after the server was killed."""
    directory = make(context, PROJECT)
    for words in tiers(context):
        report, _ = context.report(*words, "--params", "[4]", directory)
        expect_equal(f"run: {report['error']}", report["value"], EXPECTED)
    main = ["--import-dir", directory, os.path.join(directory, "src", "main.ts")]
    with Server(context) as server:
        client = Client(context, server)
        for words in ([directory], main):
            printed = client.good("submit", "--wait", "--print", "--params", "[4]", *words)
            expect_equal(f"{words}", json.loads(printed), EXPECTED)
        expect_equal("put", client.good("programs", "put", "project", directory), "project stored\n")
        (one,) = client.lines("programs", "get", "project")
        expect_equal("lang", (one["lang"], one["kind"]), ("tar", "js"))
        # The same files make the same bytes, in any directory.
        again = make(context, PROJECT)
        expect_equal("again", client.good("programs", "put", "project", again), "project is up to date\n")
        expect_equal("stored", server.run(program="project", params=[4])["value"], EXPECTED)
        expect_equal("another export", server.run(program="project", call="late")["value"], "late")
        expect_equal("the entry's name", server.run(program="project", params=[4])["program"]["name"], "src/main.ts")
        with open(os.path.join(directory, "src", "lib", "twice.ts"), "w", encoding="utf-8") as file:
            file.write("export const twice = (n: number): number => n * 3")
        client.good("programs", "put", "project", directory)
        expect_equal("the new one", server.run(program="project", params=[4])["value"][2], 12)
        later = client.good("submit", "--delay", "3s", "--params", "[4]", again).strip()
        server.kill()
    with Server(context, data=server.data) as server:
        expect_equal("after a crash", server.wait_for(later)["report"]["value"], EXPECTED)
        expect_equal("stored, after a crash", server.run(program="project", params=[4])["value"][2], 12)


@test
def import_maps_go_along(context):
    directory = make(context, MAPPED)
    words = ["--import-dir", directory, "--import-map", os.path.join(directory, "maps", "map.json")]
    with Server(context) as server:
        client = Client(context, server)
        printed = client.good("submit", "--wait", "--print", *words, os.path.join(directory, "src", "main.mjs"))
        value = json.loads(printed)
        expect_equal("value", value[:5], ["mapped lib", "file:///vendor/parts/one.mjs?x", "scoped lib", "/", "plain"])
        alone = make(context, {"a.mjs": "export default typeof process + typeof Buffer"})
        printed = client.good("submit", "--wait", "--print", "--node", os.path.join(alone, "a.mjs"))
        expect_equal("--node", printed, '"objectfunction"\n')


@test
def what_is_not_there(context):
    """A missing module is reported with its line, before anything is sent, or by the server if the archive was made
    elsewhere."""
    directory = make(context, {"a.mjs": "1;\n  import './b.mjs'", "b.mjs": "\nimport 'lodash'"})
    with Server(context) as server:
        client = Client(context, server)
        for words in (["submit"], ["programs", "put", "x"]):
            done = client.ask(*words, os.path.join(directory, "a.mjs"))
            expect(done.code == 3 and b"npm install lodash" in done.err and b"b.mjs:2:8" in done.err, f"{done}")
        problem = server.ask("PUT", "/v1/programs/x?lang=tar", archive({"index.mjs": "\n\nimport './no.mjs'"}), 422)
        expect("'./no.mjs'" in problem["detail"] and "line 3" in problem["detail"], f"{problem}")
        done = client.ask("submit", make(context, {"x.js": "1"}))
        expect(done.code == 3 and b"without index.js" in done.err, f"{done}")
        deep = make(context, {"a.mjs": "import './b.mjs'", "b.mjs": "for (const x of [0]) {"})
        done = client.ask("submit", os.path.join(deep, "a.mjs"))
        expect(done.code == 3 and b"SyntaxError" in done.err and b"b.mjs:1" in done.err, f"{done}")


@test
def archives(context):
    # Claims L645, T645.
    """Any archive that tar makes of plain files is accepted; damaged or hostile ones are refused in one line."""
    long = "d" * 90 + "/" + "e" * 90 + "/f.mjs"
    files = {
        "./index.mjs": f"import a from './{long}'; import b from './l.mjs'; export default [a, b]",
        f"./{long}": "export default 1",
        "l0.mjs": "export default import.meta.url",
    }
    hard = [link("l.mjs", "l0.mjs", tarfile.LNKTYPE)]
    directory = context.directory()
    path = os.path.join(directory, "a.tar")

    def write(data):
        with open(path, "wb") as file:
            file.write(data)

    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        write(archive(files, kind, hard))
        for words in tiers(context):
            report, _ = context.report(*words, path)
            expect_equal(f"{kind}: {report['error']}", report["value"], [1, "file:///l0.mjs"])
    good = archive({"index.js": "1"})
    broken = bytearray(good)
    broken[10] ^= 1
    for data, message in (
        (b"", "empty"),
        (b"x" * 2000, "not a tar archive"),
        (bytes(broken), "not a tar archive"),
        (archive({"a.mjs": "1"}), "no entry"),
        (archive({"package.json": {"main": "./x.js"}}), "no entry"),
        (archive({"index.js": "1", "../x.js": "1"}), "'../x.js', which is not a path inside it"),
        (archive({"index.js": "1", "/etc/x.js": "1"}), "not a path inside it"),
        (archive({"index.js": "1"}, more=[link("x", "/etc/passwd")]), "tar --dereference"),
        (archive({"index.js": "1"}, more=[link("x", "../y", tarfile.LNKTYPE)]), "which is not in it"),
        (archive({"index.js": "1"}, more=[link("x", "x", tarfile.LNKTYPE)]), "which is not in it"),
        (archive({"index.js": "1", "./index.js": "2"}), "'index.js' twice"),
        (archive({"curfew-bundle.json": {"entry": "a.js", "x": 1}, "a.js": "1"}), "'x' is unknown"),
        (archive({"curfew-bundle.json": {"entry": "b.js"}, "index.js": "1"}), "no entry point b.js"),
        (archive({"curfew-bundle.json": {"entry": "a.js", "import_map": "m.json"}, "a.js": "1", "m.json": "[]"}), "m.json: must be"),
        (archive({"curfew-bundle.json": {"entry": "a.txt"}, "a.txt": "1"}), "not JavaScript"),
        (archive({"index.js": "a\0b"}), "index.js"),
        (archive({"index.js": "1", "big\x1b[31m": "x"}), "not a path inside it"),
    ):  # fmt: skip
        write(data)
        report, done = context.report(path)
        error = report["error"]["message"]
        expect(report["outcome"] == "bad_program" and message in error and "\x1b" not in error, f"{message}: {error}")
        done = context.run(path)
        expect(done.code == 3 and done.err.count(b"\n") <= 3, f"{message}: {done.err}")
    # A truncated archive is refused, unless it is still complete.
    for length in range(0, len(good), 97):
        write(good[:length])
        report, _ = context.report(path)
        expect(report["outcome"] in ("bad_program", "ok"), f"{length}: {report['outcome']}")
    write(archive({f"f{i}": "" for i in range(20001)} | {"index.js": "1"}))
    report, _ = context.report(path)
    expect("more than 20000 files" in report["error"]["message"], f"{report['error']}")


@test
def over_http(context):
    """It is recognised by its Content-Type, by its first bytes, and as the source of a run. Nothing outside of it is
    read."""
    import base64

    files = {
        "package.json": {"main": "lib/a.js"},
        "lib/a.js": "module.exports = require('b').b + 1",
        "node_modules/b/index.js": "exports.b = 41",
    }
    with Server(context, "--workers", "1") as server:
        for name, query, kind in (
            ("one", "", "application/x-tar"),
            ("two", "?lang=tar", "application/octet-stream"),
            ("three.tar", "", "text/plain"),
        ):
            stored = server.ask(
                "PUT", f"/v1/programs/{name}{query}", archive(files), 201, headers={"Content-Type": kind}
            )
            expect_equal(name, (stored["lang"], stored["kind"]), ("tar", "js"))
            expect_equal(name, server.run(program=name)["value"], 42)
        source = base64.b64encode(archive(files)).decode()
        expect_equal("source", server.run(source, lang="tar")["value"], 42)
        server.refuse(400, {"source": "!", "lang": "tar"}, "/source", "base64")
        report = server.run(base64.b64encode(b"x").decode(), lang="tar")
        expect_equal("no archive", report["outcome"], "bad_program")
        outside = archive({"index.mjs": "await import('../x.mjs')"})
        report = server.run(base64.b64encode(outside).decode(), lang="tar")
        expect("outside" in report["error"]["message"], f"{report['error']}")
        late = archive(
            {"index.mjs": "export default async (name) => (await import(name)).default", "a.mjs": "export default 'a'"}
        )
        server.ask("PUT", "/v1/programs/late?lang=tar", late, 201)
        expect_equal("at run time", server.run(program="late", params=["./a.mjs"])["value"], "a")
        calls = server.run(program="late", params=["./a.mjs"], limits={"host-calls": 1})["used"]["host_calls"]
        expect_equal("a host call", calls, 1)
