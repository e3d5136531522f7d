# SPDX-License-Identifier: Apache-2.0
"""Imports as in Node: packages, CommonJS, JSON, and hostile packages."""

import json
import os
import tarfile

from .harness import Test, expect, expect_equal, tiers

_tests = []


def test(function):
    _tests.append(function)
    return function


def tests(context):
    return [Test("cli", "modules_" + function.__name__, function) for function in _tests]


def make(context, files):
    """Creates a directory with these files, whose content is text or JSON. Returns its name."""
    directory = context.directory()
    for name, content in files.items():
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
    return directory


def value(context, files, *words, main="main.mjs"):
    directory = make(context, files)
    report, _ = context.report(*words, os.path.join(directory, main))
    expect(report["outcome"] == "ok", f"{report['outcome']}: {report['error']}")
    return report["value"]


def refusal(context, files, *words, main="main.mjs"):
    """The message, and the file, line and column of the first frame."""
    directory = make(context, files)
    report, _ = context.report(*words, os.path.join(directory, main))
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
    for words in tiers(context):
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
    directory = make(
        context,
        {
            **PACKAGES,
            "src/deep/main.mjs": "import { name } from 'plain'; import up from '../up.js'; export default [name, up, import.meta.url, import.meta.dirname, import.meta.filename]",
            "src/up.js": "export default 'up';",
        },
    )
    main = os.path.join(directory, "src", "deep", "main.mjs")
    expected = ["plain", "up", "file:///src/deep/main.mjs", "/src/deep", "/src/deep/main.mjs"]
    for words in tiers(context):
        report, _ = context.report("--import-dir", directory, *words, main)
        expect_equal("with --import-dir", report["value"], expected)
    report, _ = context.report(main)
    expect(
        "--import-dir" in report["error"]["message"] and report["error"]["stack"][0]["line"] == 1, f"{report['error']}"
    )
    image = os.path.join(directory, "image.curfew")
    done = context.command([context.curfew, "compile", "--import-dir", directory, main, "-o", image])
    expect(done.code == 0, f"{done}")
    os.rename(os.path.join(directory, "node_modules"), os.path.join(directory, "gone"))
    report, _ = context.report(image)
    expect_equal("from an image, without the files", report["value"], expected)
    done = context.run("--import-dir", os.path.join(directory, "gone"), main)
    expect(done.code == 2 and b"it must hold" in done.err, f"{done}")
    done = context.run("--import-dir", os.path.join(directory, "nowhere"), main)
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
        ("import './lib'", ["directory", "did you mean './lib/index.js'?"]),
        ("import 'lodash'", ["npm install lodash", "only relative"]),
        ("import '../x.js'", ["outside", "--import-dir"]),
        ("import 'node:child'", ["Node has no such module"]),
        ("import '@x'", ["name of a package"]),
        ("import ''", ["it is empty"]),
        ("import 'https://example.com/a.js'", ["https"]),
        ("import { b } from './lib/a.js'", ["Could not find export 'b'"]),
        ("export { b as c } from './lib/a.js'", ["Could not find export 'b'"]),
    ):
        message, place = refusal(context, {**files, "main.mjs": "1;\n  " + text})
        for part in parts:
            expect(part in message, f"{text}: {message}")
        column = 3 + text.index("'")
        expect(text == "import ''" or place == ("main.mjs", 2, column), f"{text}: {place}")
    message, place = refusal(
        context,
        {"main.mjs": "import './b.mjs'", "b.mjs": "\nimport { x, y } from './c.mjs'", "c.mjs": "export const x = 1"},
    )
    expect("'y'" in message and place == ("b.mjs", 2, 22), f"{message} {place}")
    for text in ("import './lib/a.js\\0.js'", "await import('./lib/a.js\\0.js')", "export * from './lib/a.js\\0'"):
        directory = make(context, {**files, "main.mjs": text})
        report, _ = context.report(os.path.join(directory, "main.mjs"))
        expect("a NUL follows" in report["error"]["message"], f"{text}: {report['error']}")
    message, place = refusal(context, {**files, "main.mjs": "import './b.mjs'"})
    expect_equal(message, place, ("b.mjs", 3, 8))


@test
def errors_of_dynamic_imports_say_where(context):
    files = {
        "lib/one.js": "\nexport const load = async (name) => {\n\tawait null;\n\treturn await import(name);\n};",
        "lib/static.js": "\nimport './nowhere.js'",
        "lib/lacks.js": "\nimport { x, y } from './has.js'",
        "lib/has.js": "export const x = 1",
        "bad.js": "\n\nlet let = 1",
        "data.json": "1",
        "bad.json": "{",
        "throws.js": "\nthrow new RangeError('own')",
    }
    here = None  # at the word import
    for text, part, at in (
        ("await import('./none.js')", "no such file", here),
        ("await import(`./no${'ne'}.js`)", "no such file", here),
        ("export default import('lodash')", "npm install lodash", here),
        ("import('../x.js').then(() => 1)", "--import-dir", here),
        ("await import('./data.json')", "{ type: 'json' }", here),
        ("await import('./data.json', { with: { type: 'css' } })", "no type of modules", here),
        ("await Promise.all(['./lib', './none'].map((name) => import(name)))", "it is a directory", here),
        ("await (await import('./lib/one.js')).load('./two.js')", "no such file", ("lib/one.js", 4, 15)),
        # What is wrong in the imported file is there.
        ("await import('./lib/static.js')", "no such file", ("lib/static.js", 2, 8)),
        ("await import('./lib/lacks.js')", "'y'", ("lib/lacks.js", 2, 22)),
        ("await import('./bad.js')", "variable name", ("bad.js", 3, 5)),
        ("await import('./throws.js')", "own", ("throws.js", 2, 7)),
    ):
        directory = make(context, {**files, "main.mjs": "'use strict';\n\n " + text})
        report, _ = context.report(os.path.join(directory, "main.mjs"))
        expect(report["outcome"] == "threw" and part in report["error"]["message"], f"{text}: {report['error']}")
        frame = report["error"]["stack"][0]
        at = at or ("main.mjs", 3, 2 + text.rindex("import("))
        expect_equal(f"{text}: {report['error']}", (frame["file"], frame["line"], frame["column"]), at)
    # A failure of one import says nothing of another; what a program catches has the place as well.
    text = """const failed = async (name) => { try { await import(name); } catch (error) { return error.stack.split('\\n').slice(0, 2); } };
export default [await failed('./lib/lacks.js'), await failed('./none.js'), await failed('./lib/lacks.js')];"""
    lacks = ["SyntaxError: Could not find export 'y' in module 'lib/has.js'", "    at lib/lacks.js:2:22"]
    none = ["ReferenceError: Cannot find module './none.js': no such file", "    at main.mjs:1:46"]
    expect_equal("caught", value(context, {**files, "main.mjs": text}), [lacks, none, lacks])


@test
def modules_are_as_they_are(context):
    files = {"tool.mjs": "#!/usr/bin/env node\nexport const a = 1"}
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
    directory = make(
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
    os.symlink(os.path.join(outside, "secret.js"), os.path.join(directory, "link.js"))
    os.symlink(outside, os.path.join(directory, "node_modules", "linked"))
    os.symlink("self", os.path.join(directory, "node_modules", "self"))
    os.symlink("main.mjs", os.path.join(directory, "inside.mjs"))
    os.mkfifo(os.path.join(directory, "pipe.js"))
    with open(os.path.join(directory, "node_modules", "huge"), "w", encoding="ascii"):
        pass
    os.makedirs(os.path.join(directory, "node_modules", "big"))
    with open(os.path.join(directory, "node_modules", "big", "package.json"), "wb") as file:
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
    with open(os.path.join(directory, "try.mjs"), "w", encoding="utf-8") as file:
        file.write(text)
    for words in tiers(context):
        report, _ = context.report(
            "--timeout", "5s", *words, os.path.join(directory, "try.mjs"), "--params", json.dumps([names])
        )
        expect_equal("outcome", report["outcome"], "ok")
        for name, seen in zip(names, report["value"]):
            expect(seen.endswith("Error"), f"{name[:50]!r}: {seen}")


@test
def what_is_no_file(context):
    """A FIFO, and links that lead to each other: no run waits for them, and the message says why, and where it was."""
    directory = make(
        context,
        {
            **{f"require_{name}.cjs": f"\nrequire('./{name}.js')" for name in ("pipe", "circle")},
            **{f"import_{name}.mjs": f"\nimport './{name}.js'" for name in ("pipe", "circle")},
        },
    )
    os.mkfifo(os.path.join(directory, "pipe.js"))
    os.symlink("circle.js", os.path.join(directory, "other.js"))
    os.symlink("other.js", os.path.join(directory, "circle.js"))
    for program, verb in (("require_{}.cjs", "require"), ("import_{}.mjs", "import")):
        for name in ("pipe", "circle"):
            file = program.format(name)
            done = context.run(os.path.join(directory, file))
            message, place = f"cannot {verb} './{name}.js': it is not a JavaScript file", f"{file}:2:"
            expect(message.encode() in done.err and place.encode() in done.err, f"{file}: {done}")


@test
def run_time_imports_are_counted(context):
    # Claim L48: each file that is opened at run time is a host call.
    directory = make(
        context,
        {
            "main.mjs": "for (let i = 0; i < 100; i++) await import('./f' + i + '.mjs')",
            **{f"f{i}.mjs": "" for i in range(100)},
        },
    )
    report, _ = context.report("--host-calls", "50", os.path.join(directory, "main.mjs"))
    expect_equal("outcome", report["outcome"], "host_calls")


@test
def queries(context):
    """As in Node, a file becomes a separate module for each query or fragment that it is imported with, and its errors
    show that."""
    files = {
        "main.mjs": "import * as a from './lib/count.mjs'; import * as b from './lib/count.mjs?b/c'; import * as again from './lib/count.mjs?b/c';\n"
        "import * as c from './lib/count.mjs#c'; import * as bare from './lib/count.mjs?';\n"
        "a.add(); b.add(); b.add();\n"
        "const d = await import('./lib/count.mjs?b/c');\n"
        "export default [a.count, b.count, c.count, d === b, again === b, bare === a, b.url, c.url, b.file, b.other]",
        "lib/count.mjs": "import other from './other.cjs?x'; export let count = 0; export const add = () => ++count;\n"
        "export const { url, filename: file } = import.meta; export { other }; export const fail = () => { throw new Error('no') }",
        "lib/other.cjs": "module.exports = { of: 'common' }",
        "fails.mjs": "import { fail } from './lib/count.mjs?why'; fail()",
    }
    expected = [1, 2, 0, True, True, True, "file:///lib/count.mjs?b/c", "file:///lib/count.mjs#c", "/lib/count.mjs"]
    for words in tiers(context):
        expect_equal("modules", value(context, files, *words), [*expected, {"of": "common"}])
    directory = make(context, files)
    report, _ = context.report(os.path.join(directory, "fails.mjs"))
    expect_equal("a frame", report["error"]["stack"][0]["file"], "lib/count.mjs?why")


MAPPED = {
    "src/main.mjs": "import lib from 'lib'; import part from 'parts/one.mjs?x'; import inner from '../inner/i.mjs'; import path from 'paths';\n"
    "import plain from 'plain'; const late = await import('late');\n"
    "export default [lib, part, inner, path.sep, plain, late.default, import.meta.resolve('parts/two.mjs')]",
    "vendor/lib.mjs": "export default 'mapped lib'",
    "vendor/other.mjs": "export default 'scoped lib'",
    "vendor/parts/one.mjs": "export default import.meta.url",
    "vendor/parts/two.mjs": "",
    "vendor/late.mjs": "export default 'late'",
    "inner/i.mjs": "export { default } from 'lib'",
    "node_modules/plain/index.js": "module.exports = 'plain'",
    "maps/map.json": {
        "imports": {
            "lib": "../vendor/lib.mjs",
            "parts/": "../vendor/parts/",
            "paths": "node:path",
            "late": "/vendor/late.mjs",
        },
        "scopes": {"../inner/": {"lib": "../vendor/other.mjs"}},
    },
}


@test
def import_maps(context):
    directory = make(context, MAPPED)
    main, path = os.path.join(directory, "src", "main.mjs"), os.path.join(directory, "maps", "map.json")
    expected = [
        "mapped lib",
        "file:///vendor/parts/one.mjs?x",
        "scoped lib",
        "/",
        "plain",
        "late",
        "file:///vendor/parts/two.mjs",
    ]
    words = ["--import-dir", directory, "--import-map", path]
    for more in tiers(context, ["--fuel", "1G"]):
        report, _ = context.report(*words, *more, main)
        expect_equal(f"{more}: {report['error']}", report["value"], expected)
    image = os.path.join(directory, "image.curfew")
    done = context.command([context.curfew, "compile", *words, main, "-o", image])
    expect(done.code == 0, f"{done}")
    done = context.command([context.curfew, "inspect", "--json", *words, main])
    expect(done.code == 0 and json.loads(done.out)["exports"], f"{done}")
    # The map is in another directory: its addresses begin at the top.
    outside = make(context, {"m.json": {"imports": {"lib": "./vendor/lib.mjs"}}, "x/y": ""})
    text = make(context, {"a.mjs": "export { default } from 'lib'", "vendor/lib.mjs": "export default 7"})
    report, _ = context.report("--import-map", os.path.join(outside, "m.json"), os.path.join(text, "a.mjs"))
    expect_equal("a map from elsewhere", report["value"], 7)


@test
def import_maps_that_are_wrong(context):
    """Claim L643."""
    cases = [
        ("{", "is not JSON"),
        ([], "must be a JSON object"),
        ({"import": {}}, "'import' is unknown: an import map has imports and scopes"),
        ({"integrity": {}}, "'integrity' is unknown"),
        ({"imports": []}, "imports: must be an object"),
        ({"imports": {"a": 1}}, "imports: 'a' must be mapped to a string"),
        ({"imports": {"a": "b"}}, "'a' is mapped to 'b', which is not a URL"),
        ({"imports": {"a\n": "b\u001b[31m"}}, "'a?' is mapped to 'b?[31m'"),
        ({"imports": {"a/": "./b"}}, "'a/' ends in a slash"),
        ({"imports": {"": "./b"}}, "a key is empty"),
        ({"scopes": {"/x/": "y"}}, "scopes: '/x/': must be an object"),
        ({"scopes": {"/x/": {"a": "b"}}}, "scopes: '/x/': 'a' is mapped to 'b'"),
        ('{"imports": ' + "[" * 200000 + "]" * 200000 + "}", "is not JSON"),
        (" " * (1 << 20) + "{}", "larger than 1 MiB"),
    ]
    directory = make(context, {f"{i}.json": map for i, (map, _) in enumerate(cases)} | {"a.js": "1"})
    for i, (_, message) in enumerate(cases):
        done = context.run("--import-map", os.path.join(directory, f"{i}.json"), os.path.join(directory, "a.js"))
        expect(done.code == 2 and done.err.count(b"\n") <= 2 and message in done.err.decode(), f"{message}: {done}")
        expect(b"\x1b" not in done.err, f"{message}: {done.err}")
    done = context.run("--import-map", os.path.join(directory, "none.json"), os.path.join(directory, "a.js"))
    expect(done.code == 2 and b"No such file" in done.err, f"{done}")
    for target, parts in (
        ("./gone.mjs", ["the import map sends it to '/gone.mjs'", "no such file"]),
        ("https://example.com/a.mjs", ["https"]),
        ("node:child", ["Node has no such module"]),
        ("file:///..%2fx.mjs", ["encoded slash"]),
    ):
        message, place = refusal(
            context, {"main.mjs": "1;\nimport 'a'", "m.json": {"imports": {"a": target}}},
            "--import-map", make(context, {"m.json": {"imports": {"a": target}}}) + "/m.json",
        )  # fmt: skip
        expect(all(part in message for part in parts) and place == ("main.mjs", 2, 8), f"{target}: {message} {place}")
    message, _ = refusal(
        context, {"main.mjs": "import 'p/../../x.mjs'", "x.mjs": ""},
        "--import-map", make(context, {"m.json": {"imports": {"p/": "./lib/p/"}}}) + "/m.json",
    )  # fmt: skip
    expect("leads out of that" in message, message)


@test
def an_error_shows_the_line_of_the_file_it_was_in(context):
    directory = make(
        context,
        {
            "main.mjs": "import { fail } from './lib/fail.mjs';\nfail();\n",
            "lib/fail.mjs": "// one\nexport function fail() {\n\tthrow new RangeError('deep');\n}\n",
            "main.cjs": "require('./lib/fail.cjs')();\n",
            "lib/fail.cjs": "module.exports = () => {\n\tnull.x;\n};\n",
            "main.ts": "import { fail } from './lib/fail.ts';\nfail(1);\n",
            "lib/fail.ts": "export function fail(x: number): never {\n\tthrow new Error(`x is ${x as number}`);\n}\n",
        },
    )
    for name, line in (
        ("main.mjs", "\tthrow new RangeError('deep');"),
        ("main.cjs", "\tnull.x;"),
        ("main.ts", "\tthrow new Error(`x is ${x as number}`);"),
    ):
        for words in tiers(context):
            report, _ = context.report(*words, os.path.join(directory, name))
            told = (report["outcome"], report["error"]["source_line"])
            expect_equal(f"{name} {words}", told, ("threw", line))


@test
def files_of_typescript(context):
    """In TypeScript a specifier may have the ending of the compiled file, or none."""
    files = {
        "main.ts": "import a from './lib/a.js'; import b from './lib/b'; import c from './lib'; import d from './lib/d.mjs'; import e from '#inner/a.js';"
        " const f = await import('./lib/b'); import g from './plain'; import { h } from './h.cjs'; import js from './lib/js.js'; export default [a, b, c, d, e, f.default, g, h, js];",
        "package.json": {"type": "module", "imports": {"#inner/*": "./lib/*"}},
        "lib/a.ts": "export default 'a' as string;",
        "lib/b.ts": "export default 'b' as string;",
        "lib/index.ts": "export { default } from './c';",
        "lib/c.mts": "export default 'c' as string;",
        "lib/d.mts": "export default 'd' as string;",
        "lib/js.js": "export default 'js';",
        "lib/js.ts": "export default 'not this one';",
        "plain.js": "export default 'plain';",
        "h.cts": "const { i }: { i: string } = require('./lib/i'); exports.h = i",
        "lib/i.cts": "exports.i = 'i'",
    }
    expected = ["a", "b", "c", "d", "a", "b", "plain", "i", "js"]
    for words in tiers(context):
        expect_equal("values", value(context, files, *words, main="main.ts"), expected)
    message, place = refusal(context, {**files, "main.mjs": "import './lib/b'"})
    expect("did you mean './lib/b.ts'?" in message, f"JavaScript is resolved as in Node: {message}")
    expect_equal("the place", place, ("main.mjs", 1, 8))
    message, _ = refusal(context, {**files, "main.ts": "import './lib/none.js'"}, main="main.ts")
    expect("no such file" in message, message)


@test
def advice(context):
    """A wrong import is told where it is, and not told of a package that cannot exist."""
    message, place = refusal(
        context, {"main.mjs": "\nimport x from './x.json' with { type: 'json' };", "x.json": '{"a":1,}'}
    )
    expect(message.startswith("/x.json is not JSON: "), message)
    expect_equal("the place of the import", place, ("main.mjs", 2, 15))
    message, _ = refusal(context, {"main.mjs": "import 'fs/promise'"})
    expect("Node has no such module" in message and "npm install" not in message, message)


@test
def images_with_dynamic_imports(context):
    directory = make(
        context,
        {
            "curfew-bundle.json": {"entry": "main.mjs"},
            "main.mjs": "const seen = []; for (const load of [() => import('./a.ts'), () => import('dep'), () => import('./d.json', { with: { type: 'json' } }), () => import(['./', 'a.ts'].join('')),"
            " () => import('./broken.mjs'), () => import(['./', 'b.mjs'].join(''))]) seen.push(await load().then((m) => m.default, (e) => e.message)); export default seen;",
            "a.ts": "export default 'a' as string; export const b = () => import('./b.mjs');",
            "b.mjs": "export default 'b';",
            "broken.mjs": "export default (;",
            "never.mjs": "export default 'never';",
            "d.json": {"d": 1},
            "node_modules/dep/index.js": "module.exports = 'dep'",
        },
    )
    bundle, images = os.path.join(context.directory(), "app.tar"), context.directory()
    with tarfile.open(bundle, "w") as tar:
        tar.add(directory, arcname=".")
    for name, program in (("file", os.path.join(directory, "main.mjs")), ("bundle", bundle)):
        done = context.command([context.curfew, "compile", program, "-o", os.path.join(images, name)])
        expect(done.code == 0, f"{done}")
    os.rename(directory, directory + "-gone")
    for name in os.listdir(images):
        report, _ = context.report(os.path.join(images, name))
        expect_equal(f"{name}: {report['error']}", report["outcome"], "ok")
        values = report["value"]
        expect_equal(name, [*values[:4], *values[5:]], ["a", "dep", {"d": 1}, "a", "b"])
        expect("broken.mjs" in values[4] or "Unexpected token" in values[4], values[4])


@test
def getters_of_commonjs(context):
    """Names are found only of getters that return a variable or its property. Importing calls no others."""
    library = """Object.defineProperty(exports, 'a', { enumerable: true, get: function () { return made.a; } });
Object.defineProperty(exports, 'b', { enumerable: true, get() { return made['b']; } });
Object.defineProperty(exports, 'c', { get: () => made.c });
Object.defineProperty(exports, 'd', { value: 4 });
Object.defineProperty(exports, 'Loud', { get() { console.log('called'); return 5; } });
const made = { a: 1, b: 2, c: 3 };
"""
    main = (
        "import * as x from './lib.cjs';\nimport { a, b, c, d } from './lib.cjs';\nexport default [a, b, c, d, x.Loud];"
    )
    expect(value(context, {"lib.cjs": library, "main.mjs": main}) == [1, 2, 3, 4, None], "names")


@test
def undici_without_webassembly(context):
    """undici compiles WebAssembly while it is loaded, and does not handle that this failed."""
    library = """async function lazyllhttp() { return WebAssembly.compile(new Uint8Array()); }
let llhttpPromise = lazyllhttp();
llhttpPromise.catch();
exports.parse = async () => await llhttpPromise;
"""
    files = {
        "node_modules/undici/package.json": '{"main": "lib/client.js"}',
        "node_modules/undici/lib/client.js": library,
    }
    main = "const { parse } = require('undici');\nmodule.exports = () => parse().catch((error) => error.name);"
    expect(value(context, {**files, "main.cjs": main}, main="main.cjs") == "ReferenceError", "loaded")
