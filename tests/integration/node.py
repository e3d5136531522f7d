# SPDX-License-Identifier: Apache-2.0
"""Node's modules in programs, and TypeScript."""

import json
import os

from .harness import Test, expect, expect_equal, tiers
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


def documented_names():
    """The modules of node_names.txt, each with its names."""
    with open(os.path.join(os.path.dirname(__file__), "node_names.txt"), encoding="utf-8") as file:
        parts = file.read().split("## ")[1:]
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1].split() for part in parts}


@test
def every_documented_name(context):
    modules = documented_names()
    imports = [
        f"import {{ {', '.join(f'{name} as _{i}_{j}' for j, name in enumerate(names))} }} from 'node:{module}';"
        for i, (module, names) in enumerate(modules.items())
    ]
    source = """
        const missing = {};
        for (const [module, names] of Object.entries(curfew.params[0])) {
            const found = await import('node:' + module).catch((error) => ({ error })), lacks = names.filter((name) => !(name in found));
            if (lacks.length > 0)
                missing[module] = found.error?.message ?? lacks;
        }
        export default missing;
    """
    expect("there are names", len(modules) > 55 and sum(map(len, modules.values())) > 1400)
    expect_equal("missing names", value(context, {"main.mjs": source}, "--params", json.dumps([modules])), {})
    # An import of a name that does not exist is an error of syntax.
    expect_equal("static imports", value(context, {"main.mjs": "\n".join(imports) + "\nexport default 'all';"}), "all")


@test
def what_is_not_here_fails_when_called(context):
    source = """
        const tried = [['net', 'connect'], ['tls', 'connect'], ['dgram', 'createSocket'], ['dns', 'lookup'], ['dns/promises', 'lookup'], ['http2', 'connect'], ['http2', 'performServerHandshake'], ['child_process', 'spawn'],
            ['cluster', 'fork'], ['cluster', 'Worker'], ['worker_threads', 'Worker'], ['vm', 'createContext'], ['vm', 'SourceTextModule'], ['v8', 'getHeapSnapshot'], ['v8', 'GCProfiler'], ['repl', 'start'], ['inspector', 'Session'],
            ['inspector/promises', 'Session'], ['trace_events', 'createTracing'], ['wasi', 'WASI'], ['sqlite', 'DatabaseSync'], ['test', 'run'], ['test/reporters', 'spec'], ['crypto', 'X509Certificate'],
            ['crypto', 'createDiffieHellman'], ['module', 'register'], ['process', 'dlopen'], ['fs', 'watch'], ['async_hooks', 'createHook']];
        const wrong = [];
        for (const [module, name] of tried) {
            const action = (await import('node:' + module))[name];
            try {
                await (/^[A-Z]/.test(name) ? new action() : action());
                wrong.push([module, name, 'works']);
            } catch (error) {
                if (error.code !== 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' || !/ is not here/.test(error.message))
                    wrong.push([module, name, error.code, error.message]);
            }
        }
        export default wrong;
    """
    expect_equal("wrong answers", value(context, {"main.mjs": source}), [])


@test
def tests_of_a_program(context):
    source = """
        import { test, describe, it, before, after, beforeEach, mock } from 'node:test';
        import assert from 'node:assert';
        const seen = [];
        test('good', async (t) => {
            await t.test('inner', () => {});
            await t.test('left out', (t) => t.skip('why'));
        });
        test('callback', (t, done) => setImmediate(done));
        test('planned', { todo: true }, (t) => { t.plan(2); t.assert.ok(true); });
        describe('suite', () => {
            before(() => seen.push('before'));
            after(() => seen.push('after'));
            beforeEach(() => seen.push('each'));
            it('one', () => seen.push('one'));
            it('two', async () => assert.strictEqual(1, BROKEN));
        });
        test('order, and mocks', () => {
            assert.deepStrictEqual(seen, ['before', 'each', 'one', 'each', 'after']);
            const called = mock.fn((a) => a + 1), object = { m() { return 1; } };
            called(1);
            mock.method(object, 'm', () => 5);
            assert.deepStrictEqual([called.mock.calls[0].result, called.mock.callCount(), object.m()], [2, 1, 5]);
            mock.restoreAll();
            assert.strictEqual(object.m(), 1);
        });
    """
    for broken, code, counts in (("1", 0, (6, 0)), ("2", 1, (5, 1))):
        directory = make(context, {"main.mjs": source.replace("BROKEN", broken)})
        report, done = context.report("--node", os.path.join(directory, "main.mjs"))
        expect_equal("exit code", done.code, code)
        output = report["stdout"]
        for text in (
            f"# pass {counts[0]}\n",
            f"# fail {counts[1]}\n",
            "# skipped 1\n",
            "# todo 1\n",
            "1..5\n",
            "    ok 2 - left out # SKIP why\n",
        ):
            expect(text in output, f"{text!r} is not in {output}")
        expect(("not ok 4 - suite" in output) == (code == 1), output)


@test
def names_only_with_a_prefix(context):
    files = {
        "node_modules/test/index.js": "module.exports = 'a package';",
        "main.mjs": "import own from 'test'; import { test } from 'node:test'; import { isBuiltin, builtinModules } from 'node:module';"
        " export default [own, typeof test, isBuiltin('test'), isBuiltin('node:test'), isBuiltin('fs'), builtinModules.includes('test')];",
    }
    expect_equal("values", value(context, files), ["a package", "function", False, True, True, False])


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
    for words in tiers(context):
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
        for (const call of [() => readFileSync('x'), () => net.connect(1), () => spawn('ls'), () => new Worker('x'), () => http.createServer().listen(1)]) {
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


# ---- Standard input, and servers ----------------------------------------------------------------------------------


READS = """
import fs from 'node:fs';
const [how] = process.argv.slice(2), status = fs.fstatSync(0);
const read = { descriptor: () => fs.readFileSync(0, 'utf8'), path: () => fs.readFileSync('/dev/stdin', 'utf8'),
	pieces() { const piece = Buffer.alloc(3), got = []; for (let n; (n = fs.readSync(0, piece, 0, 3, null)) > 0;) got.push(piece.toString('utf8', 0, n)); return got.join(''); },
	async stream() { let all = ''; for await (const chunk of fs.createReadStream(null, { fd: 0 })) all += chunk; return all; },
	async promise() { return fs.promises.readFile('/dev/stdin', 'utf8'); }, nothing: () => fs.writeFileSync('/dev/stdout', 'written') ?? '' };
console.log(await read[how](), status.isFile() || status.isFIFO() || status.isCharacterDevice() || status.isSocket(), fs.existsSync('/dev/stdin'));
"""


@test
def standard_input_at_once(context):
    program = os.path.join(make(context, {"main.mjs": READS}), "main.mjs")
    for more in tiers(context):
        for how in ("descriptor", "path", "pieces", "stream", "promise"):
            done = context.run("--node", *more, program, how, stdin=b"one\ntwo")
            expect_equal(f"{more} {how}: {done}", done.out, b"one\ntwo true true\n")
    done = context.run("--node", program, "nothing")
    expect_equal(f"{done}", done.out, b"written true true\n")


@test
def input_that_never_comes_is_stopped(context):
    program = os.path.join(make(context, {"main.mjs": READS}), "main.mjs")
    reader, writer = os.pipe()
    try:
        report, _ = context.report("--node", "--timeout", "300ms", program, "descriptor", stdin_file=reader)
        expect_equal("outcome", report["outcome"], "deadline")
    finally:
        os.close(reader)
        os.close(writer)


@test
def rejections_that_are_captured(context):
    expect_equal(
        "what came of them",
        value(
            context,
            {
                "main.mjs": """
        import EventEmitter, { errorMonitor } from 'node:events';
        const seen = [], settled = () => new Promise((resolve) => setTimeout(resolve, 1));
        const plain = new EventEmitter({ captureRejections: true });
        plain.on('x', async () => { throw new Error('lost'); }).on('error', (e) => seen.push(e.message)).on(errorMonitor, (e) => seen.push('watched ' + e.message));
        plain.emit('x');
        const own = new EventEmitter({ captureRejections: true });
        own[Symbol.for('nodejs.rejection')] = (e, name, ...args) => seen.push([e.message, name, args]);
        own.on('y', async () => { throw new Error('taken'); }).emit('y', 1, 2);
        await settled();
        EventEmitter.captureRejections = true;
        const later = new EventEmitter(); later.on('z', async () => { throw new Error('by default'); }).on('error', (e) => seen.push(e.message)).emit('z');
        await settled();
        EventEmitter.captureRejections = false;
        for (const wrong of [() => new EventEmitter({ captureRejections: 1 }), () => { EventEmitter.captureRejections = 'x'; }, () => new EventEmitter().emit('error', { a: 1 })])
            try { wrong(); } catch (e) { seen.push(e.code); }
        export default [...seen, Object.keys(new (class extends EventEmitter {})()).length];
    """
            },
        ),
        [
            "watched lost",
            "lost",
            ["taken", "y", [1, 2]],
            "by default",
            "ERR_INVALID_ARG_TYPE",
            "ERR_INVALID_ARG_TYPE",
            "ERR_UNHANDLED_ERROR",
            3,
        ],
    )


@test
def handlers_of_requests(context):
    """Requests and responses work without a socket, as light-my-request and Express use them."""
    expect_equal(
        "answers",
        value(
            context,
            {
                "main.mjs": """
        import http, { createServer, IncomingMessage, ServerResponse } from 'node:http';
        import https from 'node:https';
        import { Writable } from 'node:stream';
        import { inherits } from 'node:util';
        const server = createServer({ keepAliveTimeout: 1 }, async (q, r) => {
            let body = ''; for await (const chunk of q) body += chunk;
            if (q.url === '/pieces') { r.write('a'); r.write(body); return r.end('c'); }
            r.setHeader('X-A', ['1', '2']); r.statusCode = q.method === 'GET' ? 200 : 201; r.end(q.method + body);
        });
        // light-my-request calls the constructors for objects of its own.
        function Answer(request) { ServerResponse.call(this, request); }
        inherits(Answer, ServerResponse);
        const ask = (method, url, body) => new Promise((resolve) => {
            const request = Object.assign(new IncomingMessage(null), { method, url, headers: {} }), answer = new Answer(request); let raw = '';
            answer.assignSocket(new Writable({ write(chunk, encoding, done) { raw += chunk; done(); } }));
            answer.sendDate = false;
            answer.on('finish', () => resolve(raw));
            server.emit('request', request, answer);
            if (body) request.push(body); request.push(null);
        });
        const failed = []; for (const wrong of [() => server.listen(80), () => https.createServer({}, () => {}).listen(), () => { const r = new ServerResponse({}); r.writeHead(200); r.setHeader('a', 'b'); },
            () => new ServerResponse({}).setHeader('a b', 'c'), () => new ServerResponse({}).setHeader('a', 'b\\n'), () => new ServerResponse({}).writeHead(99)])
            try { wrong(); } catch (e) { failed.push(e.code); }
        export default [await ask('GET', '/'), await ask('POST', '/', 'xy'), await ask('POST', '/pieces', 'b'), await ask('HEAD', '/'), failed, server instanceof http.Server, server.address()];
    """
            },
        ),
        [
            "HTTP/1.1 200 OK\r\nX-A: 1\r\nX-A: 2\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nGET",
            "HTTP/1.1 201 Created\r\nX-A: 1\r\nX-A: 2\r\nConnection: keep-alive\r\nContent-Length: 6\r\n\r\nPOSTxy",
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n",
            "HTTP/1.1 201 Created\r\nX-A: 1\r\nX-A: 2\r\nConnection: keep-alive\r\n\r\n",
            ["ERR_FEATURE_UNAVAILABLE_ON_PLATFORM"] * 2
            + ["ERR_HTTP_HEADERS_SENT", "ERR_INVALID_HTTP_TOKEN", "ERR_INVALID_CHAR", "ERR_HTTP_INVALID_STATUS_CODE"],
            True,
            None,
        ],
    )


@test
def zlib_called_for_another_object(context):
    """A package such as pngjs calls the class for an object of its own, and uses internals of Node's class."""
    expect_equal(
        "unpacked",
        value(
            context,
            {
                "main.mjs": """
        import zlib from 'node:zlib'; import { inherits } from 'node:util'; import { Buffer } from 'node:buffer';
        function Own(options) { zlib.Inflate.call(this, options); }
        inherits(Own, zlib.Inflate);
        const packed = zlib.deflateSync(Buffer.from('abc'.repeat(1000))), own = new Own({ chunkSize: 1024 }), pieces = [];
        for (let at = 0; ;) {
            own._handle.writeSync(zlib.constants.Z_FINISH, packed, at, packed.length - at, own._outBuffer, 0, 1024);
            const [room, left] = own._writeState; at = packed.length - left;
            pieces.push(own._outBuffer.toString('latin1', 0, 1024 - room));
            if (room > 0) break;
        }
        export default [pieces.join('').length, pieces.join('').slice(-3), zlib.Gunzip()._processChunk(zlib.gzipSync('x'), zlib.constants.Z_FINISH).toString(), zlib.Inflate() instanceof zlib.Inflate,
            new (class extends zlib.Deflate {})() instanceof zlib.Deflate];
    """
            },
        ),
        [3000, "abc", "x", True, True],
    )


@test
def what_is_required_again_asks_the_host_nothing(context):
    files = {
        "node_modules/p/package.json": "{}",
        "node_modules/p/index.js": "for (let i = 0; i < 3000; i++) exports.x = require('./a').x;",
    }
    files["node_modules/p/a.js"] = "exports.x = require('./b/c').x;"
    files["node_modules/p/b/c.js"] = "exports.x = 7;"
    files["main.mjs"] = "import p from 'p'; export default p.x;"
    report, _ = context.report(os.path.join(make(context, files), "main.mjs"))
    expect_equal(f"{report['error']}", [report["value"], report["used"]["host_calls"]], [7, 0])


# ---- TypeScript ---------------------------------------------------------------------------------------------------

TYPED = """import type { Missing } from './missing.ts';
import { double, type Count } from './lib.ts';
import data from './data.json' with { type: 'json' };
enum Colour { Red, Green = 5, Blue = 'b' }
enum Mixed { Text = 'a' + 'b', Same = Text, Long = `${Text}-c`, 'a b' = 'x' + Text, Size = Text.length, 'c d' = 1 << 3, Next }
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
export default async (n: Count): Promise<unknown> => [double(n), Colour.Green, Colour[5], Colour.Blue, new Square('s', 3).area(), new Square('s').name, over(4), cut, await arrow(<number>6), data.a, Mixed];
"""
LIBRARY = "export type Count = number;\nexport function double(n: Count): Count { return n * 2; }\n"


@test
def typescript(context):
    files = {"main.ts": TYPED, "lib.ts": LIBRARY, "data.json": {"a": 1}}
    mixed = {
        "Text": "ab",
        "Same": "ab",
        "Long": "ab-c",
        "a b": "xab",
        "Size": 2,
        "2": "Size",
        "c d": 8,
        "8": "c d",
        "Next": 9,
        "9": "Next",
    }
    expected = [42, 5, "Green", "b", 9, "s", 4, 2, 6, 1, mixed]
    for words in tiers(context):
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
    expect_equal("frames", frames, [(2, 56), (3, 40)])
    refused = "use a module instead"
    for text, part, place in (
        ("let a = 1;\nnamespace N { export const b = 1 }", refused, (2, 1)),
        ("interface I { a: 1 }\nnamespace N { export const b = 1 }", refused, (2, 1)),
        ("type T = 1\nexport namespace N.M { function f() {} }", refused, (2, 8)),
        ("namespace N { export namespace M {\n export namespace O { export let x = 1 } } }", refused, (2, 9)),
        ("declare module 'x';\nnamespace N { class C {} }", refused, (2, 1)),
        ("declare namespace D { const a: 1 }\nnamespace N { enum E { A } }", refused, (2, 1)),
        ("let x: = 1", "Unexpected token", (1, 8)),
        ("\n\nlet y: number = ;", "", (3, 17)),
        ("class A {\n  @d m() {}\n}", "", (2, 3)),
    ):
        message, where = refusal(context, {"main.ts": text}, main="main.ts")
        expect(part in message and where == ("main.ts", *place), f"{text!r}: {message} at {where}")
    types = "declare namespace A { namespace B { const x: number } }\ndeclare module 'x' { namespace C { function f(): 1 } }\n"
    types += "declare global { namespace D { let y: 1 } }\nnamespace E { export interface F { const: 1 } export type G = 1 }\n"
    types += "namespace H { declare const z: 1 }\ninterface I { namespace: 1 }\nlet namespace = 1, module = 2;"
    files = {"main.ts": types + "export default namespace + module"}
    expect_equal("types alone", value(context, files, main="main.ts"), 3)


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


@test
def standard_input_is_a_stream(context):
    """What Node's programs do with process.stdin: read it, wait for it, pause it, use it as any stream."""
    directory = make(
        context,
        {
            "readable.mjs": "let text = ''; process.stdin.on('readable', () => { let part; while ((part = process.stdin.read()) !== null) text += part; })"
            ".on('end', () => console.log(text));",
            "array.mjs": "console.log(Buffer.concat(await process.stdin.toArray()).toString());",
            "steps.mjs": "console.log((await process.stdin.setEncoding('utf8').flatMap((text) => text.split('')).filter((c) => c !== '-').toArray()).join(''));",
            "class.mjs": "import { Readable } from 'node:stream'; console.log(process.stdin instanceof Readable ? 'one-two' : 'other');",
            "pipe.mjs": "import { pipeline } from 'node:stream/promises'; await pipeline(process.stdin, async function* (all) { for await (const part of all) yield part; }, process.stdout);",
        },
    )
    for name, expected in (
        ("readable", b"one-two\n"),
        ("array", b"one-two\n"),
        ("steps", b"onetwo\n"),
        ("class", b"one-two\n"),
        ("pipe", b"one-two"),
    ):
        done = context.run("--node", os.path.join(directory, name + ".mjs"), stdin=b"one-two")
        expect_equal(name, (done.code, done.out), (0, expected))


@test
def a_paused_input_is_not_awaited(context):
    reader, writer = os.pipe()
    try:
        os.write(writer, b"first\n")
        program = make(
            context,
            {
                "main.mjs": "process.stdin.once('data', (data) => { console.log(String(data)); process.stdin.pause(); });"
            },
        )
        report, _ = context.report("--node", os.path.join(program, "main.mjs"), stdin_file=reader)
        expect_equal("outcome", (report["outcome"], report["stdout"]), ("ok", "first\n\n"))
    finally:
        os.close(reader)
        os.close(writer)


@test
def directories_in_order(context):
    directory = make(context, {"d/b/c/x": "1", "d/b/y": "2", "d/a": "3", "d/z/q": "4"})
    program = make(
        context,
        {
            "main.mjs": "import fs from 'node:fs'; export default [fs.readdirSync('/d', { recursive: true }), await fs.promises.readdir('/d', { recursive: true })];"
        },
    )
    report, _ = context.report("--dir", os.path.join(directory, "d") + "::/d", os.path.join(program, "main.mjs"))
    expect_equal("by levels, as in Node", report["value"], [["a", "b", "z", "b/c", "b/y", "z/q", "b/c/x"]] * 2)
