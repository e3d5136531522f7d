# SPDX-License-Identifier: Apache-2.0
"""Imports as Node finds them: packages, CommonJS, JSON, and what an enemy's packages try."""

import json
import os

from .harness import Test, expect, expect_equal

_tests = []


def test(function):
    _tests.append(function)
    return function


def tests(context):
    return [Test("cli", "modules_" + function.__name__, function) for function in _tests]


def make(context, files):
    """A folder with these files, which are text or JSON; its name."""
    folder = context.folder()
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
    return folder


def value(context, files, *words, main="main.mjs"):
    folder = make(context, files)
    report, _ = context.report(*words, os.path.join(folder, main))
    expect(report["outcome"] == "ok", f"{report['outcome']}: {report['error']}")
    return report["value"]


def refusal(context, files, *words, main="main.mjs"):
    """The message, and file, line and column of the first frame."""
    folder = make(context, files)
    report, _ = context.report(*words, os.path.join(folder, main))
    expect(report["outcome"] == "bad_program", f"{report['outcome']}: {report['error']}, {report['value']}")
    frame = (report["error"]["stack"] or [{}])[0]
    return report["error"]["message"], (frame.get("file"), frame.get("line"), frame.get("column"))


PACKAGES = {
    "node_modules/plain/package.json": {"name": "plain", "main": "lib/start"},
    "node_modules/plain/lib/start.js": "exports.name = 'plain'; exports.dep = require('dep'); exports.where = __filename;",
    "node_modules/plain/node_modules/dep/index.js": "module.exports = 'inner';",
    "node_modules/dep/index.js": "module.exports = 'outer';",
    "node_modules/@scope/both/package.json": {
        "name": "@scope/both",
        "exports": {
            ".": {"import": "./esm.mjs", "require": "./cjs.cjs"},
            "./sub/*": "./lib/*.js",
            "./sub/private/*": None,
            "./data": "./data.json",
        },
    },
    "node_modules/@scope/both/esm.mjs": "export default 'esm';",
    "node_modules/@scope/both/cjs.cjs": "module.exports = 'cjs';",
    "node_modules/@scope/both/lib/a.js": "module.exports = 'a';",
    "node_modules/@scope/both/lib/private/a.js": "module.exports = 'never';",
    "node_modules/@scope/both/data.json": {"answer": 42},
    "node_modules/@scope/both/hidden.js": "module.exports = 'never';",
    "node_modules/typed/package.json": {
        "name": "typed",
        "type": "module",
        "exports": "./index.js",
        "imports": {"#inner": "./inner.js", "#dep": "dep"},
    },
    "node_modules/typed/index.js": "import inner from '#inner'; import dep from '#dep'; import self from 'typed'; export default [inner, dep]; export { self };",
    "node_modules/typed/inner.js": "export default 'inner of typed';",
}


@test
def packages(context):
    for words in ([], ["--isolate", "process"]):
        expect_equal(
            "values",
            value(
                context,
                {
                    **PACKAGES,
                    "main.mjs": """
            import plain, { name, where } from 'plain';
            import dep from 'dep';
            import both from '@scope/both';
            import a from '@scope/both/sub/a';
            import data from '@scope/both/data' with { type: 'json' };
            import typed from 'typed';
            import { createRequire } from './require.cjs';
            export default [name, plain.dep, where, dep, both, a, data, typed, createRequire('@scope/both')];
        """,
                    "require.cjs": "exports.createRequire = require;",
                },
                *words,
            ),
            [
                "plain",
                "inner",
                "/node_modules/plain/lib/start.js",
                "outer",
                "esm",
                "a",
                {"answer": 42},
                ["inner of typed", "outer"],
                "cjs",
            ],
        )


@test
def packages_above(context):
    folder = make(
        context,
        {
            **PACKAGES,
            "src/deep/main.mjs": "import { name } from 'plain'; import up from '../up.js'; export default [name, up, import.meta.url, import.meta.dirname, import.meta.filename]",
            "src/up.js": "export default 'up';",
        },
    )
    main = os.path.join(folder, "src", "deep", "main.mjs")
    expected = ["plain", "up", "file:///src/deep/main.mjs", "/src/deep", "/src/deep/main.mjs"]
    for words in ([], ["--isolate", "process"]):
        report, _ = context.report("--import-dir", folder, *words, main)
        expect_equal("with --import-dir", report["value"], expected)
    report, _ = context.report(main)
    expect(
        "--import-dir" in report["error"]["message"] and report["error"]["stack"][0]["line"] == 1, f"{report['error']}"
    )
    image = os.path.join(folder, "image.curfew")
    done = context.command([context.curfew, "compile", "--import-dir", folder, main, "-o", image])
    expect(done.code == 0, f"{done}")
    os.rename(os.path.join(folder, "node_modules"), os.path.join(folder, "gone"))
    report, _ = context.report(image)
    expect_equal("from an image, without the files", report["value"], expected)
    done = context.run("--import-dir", os.path.join(folder, "gone"), main)
    expect(done.code == 2 and b"it must hold" in done.err, f"{done}")
    done = context.run("--import-dir", os.path.join(folder, "nowhere"), main)
    expect(done.code == 2 and b"No such file" in done.err, f"{done}")


@test
def commonjs(context):
    expect_equal(
        "values",
        value(
            context,
            {
                "main.mjs": """
            import a, { one, two, three, four, again } from './a.js';
            import object, { x, y } from './object.js';
            import json from './c.cjs';
            export default [one, two, three, four, again, a.cycle, object.x, x, y, json, typeof require];
        """,
                "a.js": "exports.one = 1; module.exports.two = this === exports ? 2 : 0; Object.defineProperty(exports, 'three', { enumerable: true, value: 3 });\n"
                "exports['four'] = require('./dir'); exports.again = require('./dir/') === require('./dir/index.js'); exports.cycle = require('./b').seen;",
                "b.js": "exports.seen = require('./a').one;",
                "object.js": "'use strict';\nmodule.exports = { x: 'x', y, ...require('./b') };\nvar y = 7;",
                "dir/index.js": "module.exports = 4",
                "c.cjs": "module.exports = require('./data');",
                "data.json": {"a": [1]},
            },
        ),
        [1, 2, 3, 4, True, 1, "x", "x", None, {"a": [1]}, "undefined"],
    )
    expect_equal(
        "a script that requires",
        value(
            context,
            {"main.js": "const { a } = require('./a'); module.exports = (x) => a + x;", "a.js": "exports.a = 40"},
            "--params",
            "[2]",
            main="main.js",
        ),
        42,
    )
    expect_equal(
        "a script that requires, with a value",
        value(context, {"main.js": "require('./a').a + 1", "a.js": "exports.a = 40"}, main="main.js"),
        41,
    )
    expect_equal(
        "an exported function by name",
        value(
            context,
            {"main.cjs": "exports.f = (x) => require('./a').a + x", "a.js": "exports.a = 40"},
            "--call",
            "f",
            "--params",
            "[3]",
            main="main.cjs",
        ),
        43,
    )
    expect_equal(
        "what is missing",
        value(
            context,
            {
                "main.js": "let c; try { require('./nope') } catch (e) { c = e.code } [c, require.main === module, module.id]"
            },
            main="main.js",
        ),
        ["MODULE_NOT_FOUND", True, "/main.js"],
    )
    expect_equal(
        "ECMAScript from CommonJS",
        value(
            context,
            {
                "main.js": "require('./m.mjs').default + require('./n').n",
                "m.mjs": "export default 40",
                "n.js": "export const n = 2",
            },
            main="main.js",
        ),
        42,
    )
    report, _ = context.report(
        os.path.join(make(context, {"main.js": "require('./m.mjs')", "m.mjs": "await 1"}), "main.js")
    )
    expect("awaits at its top level" in report["error"]["message"], f"{report['error']}")
    report, _ = context.report(
        os.path.join(make(context, {"main.js": "require('./m')", "m.js": "\n  throw new Error('inner')"}), "main.js")
    )
    frame = report["error"]["stack"][0]
    expect_equal("where it threw", (frame["file"], frame["line"], frame["column"]), ("m.js", 2, 9))


@test
def json_modules(context):
    files = {
        "main.mjs": "import a from './a.json' with { type: 'json' }; const b = await import('./a.json', { with: { type: 'json' } }); export default [a, a === b.default]",
        "a.json": '\ufeff{"k": [1, null]}',
    }
    expect_equal("value", value(context, files), [{"k": [1, None]}, True])
    for text, part in (
        ("import a from './a.json'", "{ type: 'json' }"),
        ("import a from './b.js' with { type: 'json' }", "no JSON file"),
        ("import a from './a.json' with { type: 'css' }", "no type of modules 'css'"),
        ("import a from './a.json' with { kind: 'json' }", "'kind'"),
        ("import a from './bad.json' with { type: 'json' }", "/bad.json is not JSON"),
    ):
        message, place = refusal(
            context, {"main.mjs": "\n " + text, "a.json": "1", "b.js": "export default 1", "bad.json": "{"}
        )
        expect(part in message, f"{text}: {message}")
        expect(place[1] == 2 or "kind" in text or "bad" in text, f"{text}: {place}")


@test
def errors_say_where_and_what(context):
    files = {
        "lib/a.js": "",
        "lib/index.js": "",
        "b.mjs": "\n\nimport './nowhere.js'",
        "tool.mjs": "#!/usr/bin/env node\nexport const a = 1",
    }
    for text, parts in (
        ("import './lib/a'", ["no such file", "did you mean './lib/a.js'?"]),
        ("import './lib'", ["folder", "did you mean './lib/index.js'?"]),
        ("import 'lodash'", ["npm install lodash", "only relative"]),
        ("import '../x.js'", ["outside", "--import-dir"]),
        ("import 'node:child'", ["Node has no such module"]),
        ("import '@x'", ["name of a package"]),
        ("import ''", ["it is empty"]),
        ("import 'https://example.com/a.js'", ["https"]),
    ):
        message, place = refusal(context, {**files, "main.mjs": "1;\n  " + text})
        for part in parts:
            expect(part in message, f"{text}: {message}")
        expect(text == "import ''" or place == ("main.mjs", 2, 10), f"{text}: {place}")
    message, place = refusal(context, {**files, "main.mjs": "import './b.mjs'"})
    expect_equal(message, place, ("b.mjs", 3, 8))
    expect_equal(
        "a first line for the shell",
        value(context, {**files, "main.mjs": "import { a } from './tool.mjs'; export default a"}),
        1,
    )
    expect_equal(
        "import.meta",
        value(
            context, {"main.mjs": "export default [import.meta.url, import.meta.resolve('./a%20b.js')]", "a b.js": ""}
        ),
        ["file:///main.mjs", "file:///a%20b.js"],
    )
    expect_equal(
        "an encoded name",
        value(context, {"main.mjs": "import a from './a%20b.js?x#y'; export default a", "a b.js": "export default 1"}),
        1,
    )


@test
def enemies(context):
    # Claims T520, L523.
    outside = make(context, {"secret.js": "export default 'secret'", "package.json": {"main": "secret.js"}})
    folder = make(
        context,
        {
            "main.mjs": "1",
            "node_modules/a/package.json": {
                "exports": {
                    ".": "./../../../secret.js",
                    "./b": "../secret.js",
                    "./c": "./x/%2e%2e/y.js",
                    "./d": "./node_modules/z.js",
                    "./*": "./lib/*",
                }
            },
            "node_modules/broken/package.json": "{",
            "node_modules/list/package.json": "[1]",
            "node_modules/circle/package.json": {"main": "./"},
            "node_modules/loop/package.json": {"imports": {"#a": "#b", "#b": "#a"}, "exports": "./i.js"},
            "node_modules/loop/i.js": "require('#a')",
        },
    )
    os.symlink(os.path.join(outside, "secret.js"), os.path.join(folder, "link.js"))
    os.symlink(outside, os.path.join(folder, "node_modules", "linked"))
    os.symlink("self", os.path.join(folder, "node_modules", "self"))
    os.symlink("main.mjs", os.path.join(folder, "inside.mjs"))
    os.mkfifo(os.path.join(folder, "pipe.js"))
    with open(os.path.join(folder, "node_modules", "huge"), "w", encoding="ascii"):
        pass
    os.makedirs(os.path.join(folder, "node_modules", "big"))
    with open(os.path.join(folder, "node_modules", "big", "package.json"), "wb") as file:
        file.truncate(100 << 20)
    names = [
        "../secret.js",
        "./../secret.js",
        "./%2e%2e/secret.js",
        "./%2E./secret.js",
        "./x/%2f../secret.js",
        "./..%5csecret.js",
        "./link.js",
        "linked",
        "self",
        "a",
        "a/b",
        "a/c",
        "a/d",
        "a/../../secret.js",
        "a/%2e%2e/%2e%2e/x.js",
        "broken",
        "list",
        "circle",
        "./pipe.js",
        "/etc/passwd",
        "file:///etc/passwd",
        "big",
        "huge",
        "./" + "x" * 5000,
        "loop",
        "./" + "a/" * 3000 + "b.js",
    ]
    text = "const seen = []; for (const name of curfew.params[0]) { try { seen.push((await import(name)).default ?? 'nothing') } catch (e) { seen.push(e.name) } } export default seen"
    with open(os.path.join(folder, "try.mjs"), "w", encoding="utf-8") as file:
        file.write(text)
    for words in ([], ["--isolate", "process"]):
        report, _ = context.report(
            "--timeout", "5s", *words, os.path.join(folder, "try.mjs"), "--params", json.dumps([names])
        )
        expect_equal("outcome", report["outcome"], "ok")
        for name, seen in zip(names, report["value"]):
            expect(seen.endswith("Error"), f"{name[:50]!r}: {seen}")


@test
def run_time_imports_are_counted(context):
    # Claim L48: each file that is opened at run time is a host call.
    folder = make(
        context,
        {
            "main.mjs": "for (let i = 0; i < 100; i++) await import('./f' + i + '.mjs')",
            **{f"f{i}.mjs": "" for i in range(100)},
        },
    )
    report, _ = context.report("--host-calls", "50", os.path.join(folder, "main.mjs"))
    expect_equal("outcome", report["outcome"], "host_calls")
