# SPDX-License-Identifier: Apache-2.0
"""Node's modules in programs, and TypeScript."""

import os

from .harness import Test, expect, expect_equal
from .modules import make, refusal, value

_tests = []


def test(function):
    _tests.append(function)
    return function


def tests(context):
    return [Test("cli", "node_" + function.__name__, function) for function in _tests]


# ---- Node's modules -----------------------------------------------------------------------------------------------


@test
def modules_by_both_names(context):
    expect_equal(
        "values",
        value(
            context,
            {
                "main.mjs": """
        import { Buffer } from 'node:buffer';
        import EventEmitter, { once } from 'events';
        import path, { join } from 'node:path';
        import { promisify, inspect, isDeepStrictEqual, types, format, parseArgs } from 'util';
        import assert from 'node:assert/strict';
        import url, { fileURLToPath, pathToFileURL } from 'node:url';
        import qs from 'querystring';
        import { StringDecoder } from 'node:string_decoder';
        import { setTimeout as sleep } from 'timers/promises';
        import os from 'os';
        import { createRequire, isBuiltin, builtinModules } from 'module';
        import { channel } from 'diagnostics_channel';
        import { randomUUID, randomBytes, timingSafeEqual } from 'crypto';
        const emitter = new EventEmitter();
        setTimeout(() => emitter.emit('x', 7), 1);
        const [seven] = await once(emitter, 'x');
        await sleep(1);
        let told; channel('c').subscribe((m) => { told = m; }); channel('c').publish('hello');
        const require = createRequire(import.meta.url);
        const decoder = new StringDecoder('utf8');
        let refused; try { assert.deepEqual({ a: [1] }, { a: ['1'] }); } catch (e) { refused = e.code; }
        export default [
            Buffer.from('aGk', 'base64url').toString('hex'), Buffer.byteLength('é'), Buffer.concat([Buffer.from('a'), Buffer.from('b')]).toString(), seven,
            join('a', '..', '/b'), path.posix.extname('x.tar.gz'), await promisify((a, done) => done(null, a + 1))(1), inspect({ a: [1] }),
            isDeepStrictEqual(new Map([[{ a: 1 }, new Set([1])]]), new Map([[{ a: 1 }, new Set([1])]])), types.isRegExp(/x/), format('%s-%d-%j', 'a', 1, {}), refused,
            fileURLToPath('file:///a%20b'), pathToFileURL('/a b').href, url.parse('http://u@h:1/p?q=1#f').pathname, qs.parse('a=1&a=2&b=%20'),
            decoder.write(Buffer.from([0xc3])) + decoder.write(Buffer.from([0xa9])), os.EOL, os.platform(), isBuiltin('node:fs'), builtinModules.includes('stream'), require('path') === path, told,
            randomUUID().length, randomBytes(5).length, timingSafeEqual(Buffer.from('a'), Buffer.from('a')), parseArgs({ args: ['-v', '--n=1', 'x'], options: { v: { type: 'boolean', short: 'v' }, n: { type: 'string' } }, allowPositionals: true }),
        ];
    """
            },
        ),
        [
            "6869",
            2,
            "ab",
            7,
            "b",
            ".gz",
            2,
            "{ a: [ 1 ] }",
            True,
            True,
            "a-1-{}",
            "ERR_ASSERTION",
            "/a b",
            "file:///a%20b",
            "/p",
            {"a": ["1", "2"], "b": " "},
            "é",
            "\n",
            "linux",
            True,
            True,
            True,
            "hello",
            36,
            5,
            True,
            {"values": {"v": True, "n": "1"}, "positionals": ["x"]},
        ],
    )


@test
def without_a_directory(context):
    report, _ = context.report(
        "--lang",
        "js",
        "-",
        stdin=b"import { join } from 'path'; import { format } from 'node:util'; export default join('a', format('%s', 'b'))",
    )
    expect_equal("from standard input", report["value"], "a/b")


@test
def streams(context):
    directory = make(
        context,
        {
            "main.mjs": """
        import { Readable, Transform, Writable } from 'node:stream';
        import { pipeline } from 'node:stream/promises';
        const seen = [];
        await pipeline(Readable.from(['a', 'b']), new Transform({ transform(chunk, encoding, done) { done(null, chunk.toString().toUpperCase()); } }),
            new Writable({ write(chunk, encoding, done) { seen.push(chunk.toString()); done(); } }));
        process.stdout.write('written\\n');
        for await (const chunk of process.stdin) seen.push(chunk.toString());
        export default seen;
    """
        },
    )
    for words in ([], ["--isolate", "process"]):
        report, _ = context.report("--node", *words, os.path.join(directory, "main.mjs"), stdin=b"piped")
        expect_equal("outcome", report["outcome"], "ok")
        expect_equal("what passed", (report["value"], report["stdout"]), (["A", "B", "piped"], "written\n"))


@test
def crypto_and_zlib(context):
    expect_equal(
        "values",
        value(
            context,
            {
                "main.mjs": """
        import { createHash, createHmac, createCipheriv, createDecipheriv, pbkdf2Sync, hkdfSync, hash } from 'node:crypto';
        import zlib, { gzipSync, gunzipSync, deflateRawSync, inflateRawSync, createGzip, crc32 } from 'node:zlib';
        import { promisify } from 'node:util';
        import { Readable } from 'node:stream';
        const key = Buffer.alloc(32, 1), iv = Buffer.alloc(12, 2);
        const cipher = createCipheriv('aes-256-gcm', key, iv); cipher.setAAD(Buffer.from('aad'));
        const sealed = Buffer.concat([cipher.update('secret', 'utf8'), cipher.final()]), tag = cipher.getAuthTag();
        const open = createDecipheriv('aes-256-gcm', key, iv); open.setAAD(Buffer.from('aad')).setAuthTag(tag);
        const forged = createDecipheriv('aes-256-gcm', key, iv).setAuthTag(tag); let refused; try { forged.update(sealed); forged.final(); } catch (e) { refused = e.message; }
        const cbc = createCipheriv('aes-128-cbc', key.subarray(0, 16), key.subarray(0, 16));
        const pieces = []; for await (const piece of Readable.from(['a'.repeat(1000)]).pipe(createGzip())) pieces.push(piece);
        let damaged; try { gunzipSync(Buffer.from('nonsense')); } catch (e) { damaged = e.code; }
        const sum = createHash('sha256').update('a'); const copy = sum.copy().update('b').digest('hex');
        export default [createHash('md5').update('abc').digest('hex'), createHash('sha1').update('abc').digest('base64'), sum.digest('hex').slice(0, 8), copy.slice(0, 8), hash('sha512', 'abc').slice(0, 8),
            createHmac('sha256', 'k').update('abc').digest('hex').slice(0, 8), pbkdf2Sync('p', 's', 2, 8, 'sha512').toString('hex'), Buffer.from(hkdfSync('sha256', 'k', 's', 'i', 4)).toString('hex'),
            Buffer.concat([open.update(sealed), open.final()]).toString(), refused, (cbc.update('x', 'utf8', 'hex') + cbc.final('hex')).length,
            gunzipSync(gzipSync('hello')).toString(), inflateRawSync(deflateRawSync(Buffer.alloc(100000))).length, gunzipSync(Buffer.concat(pieces)).length, damaged, crc32('hello'), (await promisify(zlib.unzip)(gzipSync('u'))).toString()];
    """
            },
            "--node",
        ),
        [
            "900150983cd24fb0d6963f7d28e17f72",
            "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
            "ca978112",
            "fb8e20fc",
            "ddaf35a1",
            "342e519c",
            "848f74be9002da07",
            "02b0929a",
            "secret",
            "Unsupported state or unable to authenticate data",
            32,
            "hello",
            100000,
            1000,
            "Z_DATA_ERROR",
            907060870,
            "u",
        ],
    )


@test
def process_and_globals(context):
    text = "import process from 'node:process'; export default [process.argv.slice(2), process.env.A, process.platform, process.cwd(), typeof globalThis.process, typeof globalThis.Buffer]"
    expect_equal(
        "imported",
        value(context, {"main.mjs": text}, "--env", "A=1"),
        [[], "1", "linux", "/", "undefined", "undefined"],
    )
    directory = make(
        context,
        {
            "main.mjs": "export default (...words) => [process.argv.slice(2), words, Buffer.from('a').length, typeof setImmediate, global === globalThis]"
        },
    )
    report, _ = context.report("--node", os.path.join(directory, "main.mjs"), "x", "--y")
    expect_equal("with --node", report["value"], [["x", "--y"], ["x", "--y"], 1, "function", True])
    report, done = context.report(
        "--node", "-e", "process.on('exit', (code) => console.log('bye', code)); process.exit(7)"
    )
    expect_equal("process.exit", (report["outcome"], done.code, report["stdout"]), ("exited", 7, "bye 7\n"))
    expect_equal(
        "where CommonJS is loaded",
        value(
            context,
            {
                "main.mjs": "import a from './a.cjs'; export default a",
                "a.cjs": "const t = setTimeout(() => {}, 1e6); t.unref(); module.exports = [typeof process.nextTick, typeof Buffer, typeof t.ref]",
            },
        ),
        ["function", "function", "function"],
    )
    report, done = context.report(
        "--node", "-e", "process.on('exit', (code) => console.log('end', code)); process.exitCode = 3; 1"
    )
    expect_equal("process.exitCode", (report["outcome"], done.code, report["stdout"]), ("exited", 3, "end 3\n"))
    report, _ = context.report("--node", "-e", "new Promise((done) => setImmediate(done, 5))")
    expect_equal("setImmediate", report["value"], 5)


@test
def what_cannot_be(context):
    expect_equal(
        "at the call, not at the import",
        value(
            context,
            {
                "main.mjs": """
        import fs, { readFileSync } from 'node:fs';
        import { readFile } from 'node:fs/promises';
        import net from 'net'; import { spawn } from 'child_process'; import { Worker, isMainThread } from 'worker_threads'; import http from 'http';
        const told = [];
        for (const call of [() => readFileSync('x'), () => net.connect(1), () => spawn('ls'), () => new Worker('x'), () => http.createServer()]) {
            try { call(); } catch (e) { told.push(e.code); }
        }
        await readFile('x').catch((e) => told.push(e.code));
        export default [told, fs.existsSync('x'), isMainThread, http.STATUS_CODES[404]];
    """
            },
        ),
        [["ENOENT"] + ["ERR_FEATURE_UNAVAILABLE_ON_PLATFORM"] * 4 + ["ENOENT"], False, True, "Not Found"],
    )
    message, _ = refusal(context, {"main.mjs": "import 'node:nothing'"})
    expect("Node has no such module" in message, message)


@test
def nothing_is_paid_that_is_not_used(context):
    report, _ = context.report("-e", "typeof process + typeof Buffer + typeof global + typeof require")
    expect_equal("no globals", report["value"], "undefined" * 4)


# ---- TypeScript ---------------------------------------------------------------------------------------------------

TYPED = """import type { Missing } from './missing.ts';
import { double, type Count } from './lib.ts';
import data from './data.json' with { type: 'json' };
enum Colour { Red, Green = 5, Blue = 'b' }
interface Shape { area(): number }
abstract class Base<T extends object = {}> implements Shape {
	private readonly parts: Map<string, T> = new Map<string, T>();
	declare ghost: number;
	constructor(public name: string, protected size?: number) {}
	abstract area(): number;
}
class Square extends Base { area(): number { return (this.size as number)! ** 2; } }
function over(a: string): string;
function over(a: number): number;
function over(a: any): any { return a satisfies unknown; }
let cut = 1
type Alias = string
;[cut] = [2]
const arrow = async <T,>(x: T): Promise<T> => x;
export default async (n: Count): Promise<unknown> => [double(n), Colour.Green, Colour[5], Colour.Blue, new Square('s', 3).area(), new Square('s').name, over(4), cut, await arrow(<number>6), data.a];
"""
LIBRARY = "export type Count = number;\nexport function double(n: Count): Count { return n * 2; }\n"


@test
def typescript(context):
    files = {"main.ts": TYPED, "lib.ts": LIBRARY, "data.json": {"a": 1}}
    expected = [42, 5, "Green", "b", 9, "s", 4, 2, 6, 1]
    for words in ([], ["--isolate", "process"]):
        expect_equal("value", value(context, files, *words, "--params", "[21]", main="main.ts"), expected)
    directory = make(context, files)
    image = os.path.join(directory, "image.curfew")
    done = context.command([context.curfew, "compile", os.path.join(directory, "main.ts"), "-o", image])
    expect(done.code == 0, f"{done}")
    report, _ = context.report(image, "--params", "[21]")
    expect_equal("from an image", report["value"], expected)
    report, _ = context.report("--lang", "ts", "-", stdin=b"let x: number = 41; x + 1")
    expect_equal("a script from standard input", report["value"], 42)
    report, _ = context.report("--lang", "ts", "-e", "const f = (x: string): number => x.length; f('abc')")
    expect_equal("from the command line", report["value"], 3)
    expect_equal(
        "CommonJS",
        value(
            context,
            {"main.cts": "const { a }: { a: number } = require('./a.cts'); a + 1", "a.cts": "exports.a = 41 as number"},
            main="main.cts",
        ),
        42,
    )
    expect_equal(
        "a module in any case",
        value(context, {"main.mts": "export default import.meta.filename as string"}, main="main.mts"),
        "/main.mts",
    )


@test
def typescript_positions(context):
    report, _ = context.report(
        os.path.join(
            make(
                context,
                {
                    "main.ts": "type A = string;\nfunction f<T>(x: T, y?: Map<string, T>): never { throw new Error('é') }\nconst q: number = 1; /* 𝒳 */ (f as any)(q as unknown);"
                },
            ),
            "main.ts",
        )
    )
    frames = [(frame["line"], frame["column"]) for frame in report["error"]["stack"]]
    expect_equal("frames", frames, [(2, 56), (3, 30)])
    for text, part, place in (
        ("let a = 1;\nnamespace N { export const b = 1 }", "use a module instead", (2, 1)),
        ("let x: = 1", "Unexpected token", (1, 8)),
        ("\n\nlet y: number = ;", "", (3, 17)),
        ("class A {\n  @d m() {}\n}", "", (2, 3)),
    ):
        message, where = refusal(context, {"main.ts": text}, main="main.ts")
        expect(part in message and where == ("main.ts", *place), f"{text!r}: {message} at {where}")


@test
def typescript_is_bounded(context):
    # Claim T521.
    deep = "type A = " + "{ a: " * 20000 + "1" + " }" * 20000
    for name, text in (
        ("one long type", "type A = " + " | ".join(f"'{i}'" for i in range(300000)) + ";\n1"),
        ("a deep type", deep),
        ("a long line", "let a: number = " + "1 + " * 300000 + "1"),
    ):
        report, done = context.report("--timeout", "2s", "--lang", "ts", "-", stdin=text.encode(), timeout=20)
        expect(
            report["outcome"] in ("ok", "deadline", "memory", "bad_program", "stack")
            and done.seconds < 2 + context.bound(1),
            f"{name}: {report['outcome']} after {done.seconds:.1f} s",
        )
        if report["outcome"] == "deadline":
            expect_equal(name, report["stop"]["while"], "compiling")
