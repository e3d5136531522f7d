# SPDX-License-Identifier: Apache-2.0
"""The commands that talk to a server: their output, their error messages, and how they survive a lost connection."""

import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time

from .cli import expect_error, read_terminal, write
from .harness import EXIT_CODES, Failed, Patience, Test, expect, expect_equal, find_port, make_certificate, shorten
from .server import make_token
from .serving import Server

TESTS = []
ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\n")
NOBODY = "00000000000000000000000000"
# A line every 50 ms.
LINES = "for (let i = 0; i < %d; i++) { console.log('line', i); await new Promise(done => setTimeout(done, 50)); }"


def test(function):
    TESTS.append(function)
    return function


class Client:
    """curfew COMMAND against a server."""

    def __init__(self, context, server, token=None):
        self.context = context
        self.url = server if isinstance(server, str) else f"http://{server.host}:{server.port}"
        self.env = {"CURFEW_SERVER": self.url, "CURFEW_TOKEN": token or ""}

    def ask(self, *words, timeout=30, **options):
        return self.context.command([self.context.curfew, *words], env=self.env, timeout=timeout, **options)

    def good(self, *words, **options):
        """Runs a command that must end with 0 and print nothing on stderr. Returns its standard output."""
        done = self.ask(*words, **options)
        expect(
            done.code == 0 and done.err == b"",
            f"{words}: exit {done.code}, {shorten(done.out.decode(), 300)} {shorten(done.err.decode(), 600)}",
        )
        return done.out.decode()

    def lines(self, *words):
        return [json.loads(line) for line in self.good(*words, "--json").splitlines()]

    def submit(self, source, *words, name="a.js"):
        text = self.good("submit", write(self.context, name, source), *words)
        expect(ID.fullmatch(text), f"no id: {text!r}")
        return text.strip()

    def spawn(self, *words, **options):
        return self.context.spawn(
            [self.context.curfew, *words],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def finish(self, process, timeout=30):
        return self.context.finish(process, process.args, time.monotonic(), timeout)


def read_until(process, text, seconds=20):
    """The stdout of a process up to the given text, once it was printed."""
    seen, patience = b"", Patience(seconds)
    os.set_blocking(process.stdout.fileno(), False)
    while text not in seen:
        if patience.is_over() or process.poll() is not None:
            raise Failed(f"no {text!r} in what is printed: {seen!r}, exit {process.poll()}")
        seen += process.stdout.read() or b""
        time.sleep(0.01)
    os.set_blocking(process.stdout.fileno(), True)
    return seen


# ---- submit -------------------------------------------------------------------------------------------------------


@test
def submit(context):
    with Server(context) as server:
        client = Client(context, server)
        run = client.submit(
            "console.log('x'); 6 * 7",
            "--user",
            "ada",
            "--priority",
            "7",
            "--retry",
            "2",
            "--timeout",
            "2s",
            "--memory",
            "32MiB",
            "--loops",
            "10M",
        )
        seen = server.wait_for(run)
        expect_equal(
            "run",
            (seen["report"]["value"], seen["user"], seen["priority"], seen["retry"], seen["durable"]),
            (42, "ada", 7, 2, True),
        )
        expect_equal(
            "limits",
            [seen["limits"][key] for key in ("timeout_us", "memory_bytes", "loops", "fuel")],
            [2000000, 32 << 20, 10**7, None],
        )
        (answer,) = client.lines(
            "submit", write(context, "b.mjs", "export default (a, b) => a + b"), "--params", "[2, 3]"
        )
        expect_equal("module", server.wait_for(answer["id"])["report"]["value"], 5)
        expect_equal(
            "arguments",
            server.wait_for(client.submit("curfew.params", "--", "a", 'é\n"b'))["report"]["value"],
            ["a", 'é\n"b'],
        )
        expect_equal(
            "call",
            server.wait_for(client.submit("function f(x) { return x * 2 }", "--call", "f", "--params", "[4]"))[
                "report"
            ]["value"],
            8,
        )
        delayed = server.get(client.submit("1", "--delay", "1h", "--not-durable"))
        expect_equal("delayed", (delayed["state"], delayed["durable"]), ("scheduled", False))
        piped = client.good("submit", "-", "--lang", "js", "--wait", "--print", stdin=b"'pi' + 'ped'")
        expect_equal("standard input", piped, '"piped"\n')
        fixed = [
            client.good("submit", "--deterministic", "--wait", "--print", write(context, "r.js", "Math.random()"))
            for _ in range(2)
        ]
        expect_equal("deterministic", fixed[0], fixed[1])


@test
def submit_typescript(context):
    text = "enum E { A = 41 }\nexport default (n: number): number => E.A + n"
    # The first runs load the remover of types, which takes seconds on a busy machine.
    slow = ["--timeout", "60s"]
    with Server(context) as server:
        client = Client(context, server)
        path = write(context, "t.ts", text)
        (answer,) = client.lines("submit", *slow, path, "--params", "[1]")
        expect_equal("by its ending", server.wait_for(answer["id"])["report"]["value"], 42)
        piped = client.good(
            "submit", *slow, "-", "--lang", "mts", "--wait", "--print", "--params", "[2]", stdin=text.encode()
        )
        expect_equal("by --lang", piped, "43\n")
        client.good("programs", "put", "typed.ts", path)
        seen = server.wait_for(client.lines("submit", *slow, "--program", "typed.ts", "--params", "[3]")[0]["id"])
        expect_equal("stored", (seen["report"]["value"], seen["report"]["program"]["kind"]), (44, "js"))
        (answer,) = client.lines(
            "submit", *slow, write(context, "n.js", "import { join } from 'node:path'; export default join('a', 'b')")
        )
        expect_equal("a module of Node's", server.wait_for(answer["id"])["report"]["value"], "a/b")


@test
def fuel_as_time(context):
    """The server's machine counts, not the client's."""
    with Server(context) as server:
        client = Client(context, server)
        for name, source, more in (("a.js", "1", []), ("a.wat", '(module (func (export "f")))', ["--call", "f"])):
            done = client.ask("submit", "--fuel", "3ms", *more, write(context, name, source), timeout=60)
            expect(
                done.code == 0 and (b"measures once" in done.err) == (name == "a.js"), f"exit {done.code}, {done.err}"
            )
            known = server.ask("GET", "/v1/calibration")["calibration"]
            per_ms = known["fuel_per_ms"]["javascript"] if name == "a.js" else known["webassembly_fuel_per_ms"]
            expect_equal(name, server.get(done.out.decode().strip())["limits"]["fuel"], 3 * per_ms)
        expect_error(client.ask("submit", "--fuel", "9999999h", write(context, "a.js", "1")), 2, "--fuel")


@test
def webassembly(context):
    text = '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'
    binary = bytes.fromhex("0061736d0100000001050160017f017f03020100070701036e6567000009")[:8]
    with Server(context) as server:
        client = Client(context, server)
        expect_equal(
            "text",
            client.good(
                "submit", "--wait", "--print", "--call", "add", "--params", "[2,3]", write(context, "a.wat", text)
            ),
            "5\n",
        )
        expect_equal("binary", client.good("submit", "--wait", write(context, "a.wasm", binary)), "")
        exits = '(module (import "wasi_snapshot_preview1" "proc_exit" (func $e (param i32))) (memory (export "memory") 1) (func (export "_start") (call $e (i32.const 42))))'
        done = client.ask("submit", "--wait", write(context, "e.wat", exits))
        expect_equal("its own exit code", (done.code, done.out, done.err), (42, b"", b""))
        given = (
            '(module (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32))) '
            '(import "wasi_snapshot_preview1" "proc_exit" (func $e (param i32))) (memory (export "memory") 1) '
            '(func (export "_start") (drop (call $sizes (i32.const 0) (i32.const 4))) (call $e (i32.load (i32.const 0)))))'
        )
        expect_equal(
            "arguments, with its name",
            client.ask("submit", "--wait", write(context, "g.wat", given), "--", "x", "y").code,
            3,
        )


@test
def idempotency(context):
    with Server(context) as server:
        client = Client(context, server)
        path = write(context, "a.js", "1")
        ids = {client.good("submit", "--idempotency-key", "k 1", path) for _ in range(3)}
        expect_equal("one run", (len(ids), len(server.ask("GET", "/v1/runs")["runs"])), (1, 1))
        expect(client.good("submit", path) not in ids, "without a key it is another run")
        expect_error(
            client.ask("submit", "--idempotency-key", "k 1", write(context, "a.js", "2")), 2, "Idempotency-Key"
        )
        expect_error(client.ask("submit", "--idempotency-key", "", path), 2, "--idempotency-key")
        expect_error(client.ask("submit", "--idempotency-key", "é", path), 2, "--idempotency-key")


OUTCOMES = (
    ("ok", "console.log('o'); console.error('e'); ({a: 1})", []),
    ("threw", "console.log('o'); throw new TypeError('no')", []),
    ("bad_program", "let a = ;\n", []),
    ("fuel", "for(;;);", ["--fuel", "100k"]),
    ("loops", "for(;;);", ["--loops", "100"]),
    ("host_calls", "for(;;) curfew.progress(1)", ["--host-calls", "5"]),
    ("timers", "for(;;) setTimeout(() => {}, 1e5)", []),
    ("deadline", "function f() { for(;;); }\nf()", ["--timeout", "50ms"]),
    ("memory", "const a = []; for(;;) a.push(new Array(1000).fill(1))", ["--timeout", "60s"]),
    ("stack", '(module (func $f (export "f") (result i32) (i32.add (call $f) (i32.const 1))))', ["--call", "f"]),
    ("cpu", "for(;;);", ["--cpu", "50ms"]),
    ("output", "for(;;) console.log('x')", ["--output", "100"]),
)


def without_numbers(text):
    """The first line of a description without the parts that differ from run to run. Frames may be of any moment."""
    first = text.decode().partition("\n")[0]
    return re.sub(r"\d+(\.\d+)?( (us|ms|s|KiB|MiB))?", "N", first).replace(", N late", "")


@test
def wait_is_as_run(context):
    """The exit code, the output and the message of a stop."""
    with Server(context) as server:
        client = Client(context, server)
        for outcome, source, options in OUTCOMES:
            path = write(context, "program.wat" if outcome == "stack" else "program.js", source)
            here, there = (
                context.run(*options, path, timeout=60),
                client.ask("submit", "--wait", *options, path, timeout=60),
            )
            expect_equal(f"{outcome}: exit", (there.code, here.code), (EXIT_CODES[outcome], EXIT_CODES[outcome]))
            expect_equal(f"{outcome}: stdout", there.out, here.out)
            expect_equal(f"{outcome}: stderr", without_numbers(there.err), without_numbers(here.err))
            expect(b"source.js" not in there.err, f"{outcome}: not the file's name: {there.err}")
            done = client.ask("submit", "--wait", "--json", *options, path, timeout=60)
            report = context.check_report(done.out, done)
            expect_equal(f"{outcome}: --json", (report["outcome"], done.err), (outcome, b""))
        for code in (0, 1, 7, 124, 255):
            path = write(context, "a.js", f"console.log('end'); setTimeout(() => curfew.exit({code}))")
            for words in ((), ("--json",), ("--retry", "1")):
                done = client.ask("submit", "--wait", *words, path)
                expect_equal(f"exit({code}) {words}", (done.code, done.err), (code, b""))
        done = client.ask("submit", "--wait", "--quiet", write(context, "a.js", "throw 1"))
        expect_equal("--quiet", (done.code, done.out, done.err), (1, b"", b""))
        done = client.ask("submit", "--wait", "--print", write(context, "a.js", "console.log('a'); [1]"))
        expect_equal("--print", (done.code, done.out, done.err), (0, b"a\n[1]\n", b""))
        done = client.ask("submit", "--wait", write(context, "a.js", LINES % 5))
        expect_equal("as it comes", done.out, b"".join(b"line %d\n" % i for i in range(5)))


def interrupt_waiting(context, source, *options):
    """SIGINT at submit --wait: the end of the process and of the run."""
    with Server(context) as server:
        client = Client(context, server)
        process = client.spawn("submit", "--wait", *options, write(context, "a.js", source))
        read_until(process, b"begun")
        process.send_signal(signal.SIGINT)
        done = client.finish(process)
        (run,) = server.ask("GET", "/v1/runs")["runs"]
        return done, server.wait_for(run["id"])


@test
def interrupt_cancels(context):
    done, run = interrupt_waiting(context, "console.log('begun'); for (;;);", "--timeout", "60s")
    expect_equal("exit and outcome", (done.code, run["outcome"]), (130, "cancelled"))
    expect(b"cancelled" in done.err, f"what it says: {done.err}")


@test
def interrupt_twice_leaves(context):
    source = "console.log('begun'); for (;;) { await new Promise(done => setTimeout(done, 10)); }"
    with Server(context) as server:
        client = Client(context, server)
        process = client.spawn("submit", "--wait", "--grace", "30s", "--timeout", "60s", write(context, "a.js", source))
        read_until(process, b"begun")
        (run,) = server.ask("GET", "/v1/runs")["runs"]
        process.send_signal(signal.SIGINT)
        server.wait_for(run["id"], "stopping")
        expect(process.poll() is None, "one signal is not to leave")
        process.send_signal(signal.SIGINT)
        done = client.finish(process, 10)
        expect(
            done.code == 130 and run["id"].encode() in done.err and b"curfew logs -f" in done.err,
            f"exit {done.code}, {done.err}",
        )
        server.ask("DELETE", f"/v1/runs/{run['id']}")


@test
def closed_output(context):
    """The reader has disconnected, so the run is cancelled."""
    with Server(context) as server:
        client = Client(context, server)
        process = client.spawn(
            "submit",
            "--wait",
            "--timeout",
            "60s",
            write(
                context, "a.js", "for (;;) { console.log('x'.repeat(100)); await new Promise(d => setTimeout(d, 5)); }"
            ),
        )
        read_until(process, b"x")
        process.stdout.close()
        process.stdout = None
        done = client.finish(process)
        (run,) = server.ask("GET", "/v1/runs")["runs"]
        expect_equal("exit and outcome", (done.code, server.wait_for(run["id"])["outcome"]), (141, "cancelled"))


@test
def full_server(context):
    """submit tries again for a while."""
    with Server(context, "--workers", "1", "--concurrency", "1", "--max-queue", "1") as server:
        client = Client(context, server)
        first = client.submit("for (;;);", "--timeout", "60s")
        server.wait_for(first, "running")
        client.submit("1")
        process = client.spawn("submit", write(context, "a.js", "2"))
        time.sleep(1)
        expect(process.poll() is None, "it is to try again")
        expect_equal("cancel", client.good("cancel", first), f"{first} cancelled\n")
        done = client.finish(process)
        expect(
            done.code == 0 and ID.fullmatch(done.out.decode()) and b"queue is full" in done.err,
            f"exit {done.code}, {done.out} {done.err}",
        )


# ---- ps -----------------------------------------------------------------------------------------------------------


@test
def ps(context):
    with Server(context) as server:
        client = Client(context, server)
        server.ask("PUT", "/v1/programs/hello", b"1", 201)
        expect_equal("nothing", client.good("ps").split(), ["ID", "PROGRAM", "STATE", "TIME", "AGE"])
        expect_equal("nothing", client.good("ps", "--json"), "")
        ended = [client.submit("1"), client.submit("throw 1")]
        for run in ended:
            server.wait_for(run)
        named = client.good("submit", "--program", "hello", "--wait", "--json")
        running, delayed = client.submit("for (;;);", "--timeout", "60s"), client.submit("1", "--delay", "1h")
        server.wait_for(running, "running")
        table = [line.split() for line in client.good("ps").splitlines()[1:]]
        expect_equal(
            "going on",
            [line[:3] for line in table],
            [[delayed, "source.js", "scheduled"], [running, "source.js", "running"]],
        )
        expect_equal("as JSON", [run["id"] for run in client.lines("ps")], [delayed, running])
        table = [line.split() for line in client.good("ps", "--all").splitlines()[1:]]
        expect_equal(
            "all",
            [(line[0], line[2]) for line in table],
            [
                (delayed, "scheduled"),
                (running, "running"),
                (json.loads(named)["id"], "ok"),
                (ended[1], "threw"),
                (ended[0], "ok"),
            ],
        )
        expect_equal("of one state", [run["state"] for run in client.lines("ps", "--state", "done")], ["done"] * 3)
        expect_equal(
            "of a program", [run["program"] for run in client.lines("ps", "-a", "--program", "hello")], ["hello"]
        )
        expect_equal("none of a program", client.lines("ps", "--all", "--program", "no/such&x=1"), [])
        expect_equal("limit", [run["id"] for run in client.lines("ps", "-n", "1")], [delayed])
        expect_equal(
            "limit of all", [run["id"] for run in client.lines("ps", "-a", "--limit", "2")], [delayed, running]
        )
        for words in (["--limit", "0"], ["--limit", "x"], ["--state", "gone"], ["--all", "--state", "done"], ["extra"]):
            expect_error(client.ask("ps", *words), 2, words[0])
        client.good("cancel", running)


@test
def many_pages(context):
    with Server(context) as server:
        client = Client(context, server)
        ids = sorted((server.submit("1", durable=False)["id"] for _ in range(450)), reverse=True)
        server.wait_for(ids[0])
        expect_equal(
            "all of them",
            [line.split()[0] for line in client.good("ps", "--all", "--limit", "unlimited").splitlines()[1:]],
            ids,
        )
        expect_equal("all as JSON", [run["id"] for run in client.lines("ps", "--all", "--limit", "unlimited")], ids)
        done = client.ask("ps", "--all")
        expect_equal("the newest", (done.code, len(done.out.splitlines()), b"--limit" in done.err), (0, 51, True))
        expect_equal("so many", len(client.lines("ps", "-a", "-n", "250")), 250)


# ---- logs ---------------------------------------------------------------------------------------------------------


@test
def logs(context):
    with Server(context) as server:
        client = Client(context, server)
        run = client.submit("console.log('out\\u001b[31m'); console.error('err'); console.log('ende')")
        server.wait_for(run)
        for words in ([], ["-f"]):
            done = client.ask("logs", *words, run)
            expect_equal(f"logs {words}", (done.code, done.out, done.err), (0, b"out\x1b[31m\nende\n", b"err\n"))
        events = client.lines("logs", run)
        expect_equal(
            "events",
            [event["event"] for event in events if event["event"] != "state"],
            ["output", "output", "output", "report"],
        )
        expect_equal("a failed run", client.ask("logs", "-f", client.submit("console.log(1); throw 1")).code, 0)
        going = client.submit("console.log('now'); await new Promise(d => setTimeout(d, 60000))", "--timeout", "60s")
        server.wait_for(going, "running")
        context.until("its output does not come", lambda: client.good("logs", going) == "now\n")
        expect(client.good("logs", "--json", going).endswith('"text":"now\\n"}}\n'), "its events so far")
        expect_equal("one that waits", client.good("logs", client.submit("1", "--delay", "1h")), "")
        client.good("cancel", going)


@test
def logs_of_much(context):
    """The report has the output that the stream has dropped, and output that is only on disk."""
    source = "for (let i = 0; i < 12000; i++) console.log(i)"
    expected = "".join(f"{i}\n" for i in range(12000))
    data = os.path.join(context.directory(), "data")
    with Server(context, data=data) as server:
        client = Client(context, server)
        run = client.submit(source)
        server.wait_for(run)
        expect_equal("of one in memory", client.good("logs", run), expected)
        expect_equal("while waiting", client.good("submit", "--wait", write(context, "a.js", source)), expected)
    with Server(context, data=data) as server:
        expect_equal("of one on disk", Client(context, server).good("logs", "-f", run), expected)


@test
def killed_server(context):
    """logs -f and submit --wait continue after the server's restart, and report the end of the run."""
    data, listen = os.path.join(context.directory(), "data"), f"127.0.0.1:{find_port()}"
    path = write(context, "a.js", LINES % 1200)
    with Server(context, data=data, listen=listen) as server:
        client = Client(context, server)
        waiting = client.spawn("submit", "--wait", "--timeout", "60s", path)
        begun = read_until(waiting, b"line 3\n")
        run = server.ask("GET", "/v1/runs")["runs"][0]["id"]
        following = client.spawn("logs", "-f", run)
        seen = read_until(following, b"line 5\n")
        server.kill()
    time.sleep(1)
    with Server(context, data=data, listen=listen) as server:
        report = server.wait_for(run)["report"]
        expect_equal("outcome", report["outcome"], "crashed")
        followed, waited = client.finish(following), client.finish(waiting)
        for what, done, first, code in (
            ("logs -f", followed, seen, 0),
            ("submit --wait", waited, begun, EXIT_CODES["crashed"]),
        ):
            out = (first + done.out).decode()
            expect_equal(f"{what}: exit", done.code, code)
            expect(
                out == "".join(f"line {i}\n" for i in range(out.count("\n"))),
                f"{what}: a line is missing or there twice: {shorten(out)}",
            )
            expect(
                out.startswith(report["stdout"]),
                f"{what}: the report has more: {shorten(out)}, {shorten(report['stdout'])}",
            )
            expect(b"is lost" in done.err, f"{what}: what it says: {done.err}")


@test
def killed_server_runs_it_again(context):
    """A run with --retry starts again, and so does its output."""
    data, listen = os.path.join(context.directory(), "data"), f"127.0.0.1:{find_port()}"
    with Server(context, data=data, listen=listen) as server:
        client = Client(context, server)
        process = client.spawn(
            "submit", "--wait", "--retry", "1", "--timeout", "60s", write(context, "a.js", LINES % 20)
        )
        first = read_until(process, b"line 3\n")
        server.kill()
    with Server(context, data=data, listen=listen):
        done = client.finish(process)
        out = (first + done.out).decode()
        expect(
            done.code == 0 and out.endswith("".join(f"line {i}\n" for i in range(20))),
            f"exit {done.code}: {shorten(out)} {done.err}",
        )


@test
def interrupted_logs(context):
    """Ending logs -f does not affect the run."""
    with Server(context) as server:
        client = Client(context, server)
        run = client.submit(LINES % 1200, "--timeout", "60s")
        process = client.spawn("logs", "-f", run)
        read_until(process, b"line 1\n")
        process.send_signal(signal.SIGINT)
        expect_equal("exit", client.finish(process, 10).code, 130)
        expect_equal("the run", server.get(run)["state"], "running")
        client.good("cancel", run)


# ---- cancel -------------------------------------------------------------------------------------------------------


@test
def cancel(context):
    with Server(context) as server:
        client = Client(context, server)
        going, waiting = client.submit("for (;;);", "--timeout", "60s"), client.submit("1", "--delay", "1h")
        ended = client.submit("1")
        server.wait_for(ended)
        expect_equal(
            "cancel",
            client.good("cancel", going, waiting, ended),
            f"{going} cancelled\n{waiting} cancelled\n{ended} had ended: ok\n",
        )
        expect_equal("outcomes", [server.get(run)["outcome"] for run in (going, waiting)], ["cancelled"] * 2)
        reports = [context.check_report(line) for line in client.good("cancel", "--json", going, ended).splitlines()]
        expect_equal("reports", [report["outcome"] for report in reports], ["cancelled", "ok"])
        done = client.ask("cancel", NOBODY, ended)
        expect_equal("one that is not there", (done.code, done.out.decode()), (1, f"{ended} had ended: ok\n"))
        expect(NOBODY.encode() in done.err, f"{done.err}")
        for words in ([], ["x"], [ended, "../x"]):
            expect_error(client.ask("cancel", *words), 2)


# ---- programs -----------------------------------------------------------------------------------------------------


@test
def programs(context):
    with Server(context) as server:
        client = Client(context, server)
        path = write(context, "add.mjs", "export default (a, b) => a + b")
        expect_equal("put", client.good("programs", "put", "add", path), "add stored\n")
        expect_equal("again", client.good("programs", "put", "add", path), "add is up to date\n")
        other = write(context, "other.mjs", "export default (a, b) => b + a")
        expect_equal("another", client.good("programs", "put", "add", other), "add replaced\n")
        expect_equal("back as JSON", client.lines("programs", "put", "add", path)[0].get("replaced"), True)
        expect_equal("language", server.ask("GET", "/v1/programs/add")["lang"], "mjs")
        expect_equal("run", client.good("submit", "--program", "add", "--wait", "--print", "--params", "[2,3]"), "5\n")
        expect_equal(
            "fuel",
            client.ask("submit", "--program", "add", "--wait", "--fuel", "1ms", "--params", "[2,3]").code in (0, 121),
            True,
        )
        client.good("programs", "put", "b", "-", "--lang", "wat", stdin=b"(module)")
        for words in (["programs"], ["programs", "list"]):
            expect_equal("list", [line.split()[0] for line in client.good(*words).splitlines()], ["NAME", "add", "b"])
            expect_equal("list as JSON", [program["kind"] for program in client.lines(*words)], ["js", "module"])
        expect("kind     js\n" in client.good("programs", "get", "add"), "get")
        expect_equal("get as JSON", client.lines("programs", "get", "b")[0]["lang"], "wat")
        expect_equal("stored as JSON", client.lines("programs", "put", "c", path)[0]["name"], "c")
        expect_equal("remove", client.good("programs", "remove", "add", "c"), "add removed\nc removed\n")
        expect_equal("remove as JSON", client.lines("programs", "remove", "b"), [{"name": "b", "removed": True}])
        expect_error(client.ask("programs", "remove", "add"), 1, "add")
        expect_error(client.ask("programs", "get", "add"), 1, "add")
        expect_error(client.ask("submit", "--program", "add"), 3, "add")
        expect_error(client.ask("programs", "put", "x", write(context, "x.js", "let = =")), 3, "line 1")
        expect_error(client.ask("programs", "put", "x", "/no/such.js"), 3, "/no/such.js")
        for words in (
            ["put", "x"],
            ["put", "../x", path],
            ["get"],
            ["remove"],
            ["list", "x"],
            ["give"],
            ["put", "x", "-"],
        ):
            expect_error(client.ask("programs", *words), 2)


# ---- schedules ----------------------------------------------------------------------------------------------------


@test
def schedules(context):
    with Server(context) as server:
        client = Client(context, server)
        path = write(context, "a.js", "6 * 7")
        submit = ["submit", path, "--schedule"]
        expect_equal(
            "named", client.good(*submit, "0 3 * * 1-5", "--zone", "Asia/Tokyo", "--name", "nightly"), "nightly\n"
        )
        expect_equal("again", client.good(*submit, "0 4 * * *", "--name", "nightly", "--overlap", "allow"), "nightly\n")
        name = client.lines(*submit, "@daily", "--json")[0]["name"]
        shown = server.ask("GET", "/v1/schedules/nightly")
        expect_equal("stored", (shown["schedule"], shown["zone"], shown["overlap"]), ("0 4 * * *", "UTC", "allow"))
        for words in (["schedules"], ["schedules", "list"]):
            expect_equal(
                "list", [line.split()[0] for line in client.good(*words).splitlines()], ["NAME", name, "nightly"]
            )
            expect_equal("list as JSON", [one["name"] for one in client.lines(*words)], [name, "nightly"])
        expect("schedule 0 4 * * *\n" in client.good("schedules", "get", "nightly"), "get")
        expect_equal("pause", client.good("schedules", "pause", "nightly", name), f"nightly paused\n{name} paused\n")
        expect("paused" in client.good("schedules"), "list")
        expect_equal("resume", client.lines("schedules", "resume", "nightly")[0]["paused"], False)
        expect_equal("remove", client.good("schedules", "remove", "nightly"), "nightly removed\n")
        expect_equal("remove as JSON", client.lines("schedules", "remove", name), [{"name": name, "removed": True}])
        for action in ("get", "pause", "resume", "remove"):
            expect_error(client.ask("schedules", action, "nightly"), 1, "nightly")
        expect_error(client.ask(*submit, "0 25 * * *"), 2, 'hour "25"')
        expect_error(client.ask(*submit, "@daily", "--zone", "Nowhere"), 2, "Nowhere")
        for words in (["get"], ["pause"], ["remove", "../x"], ["list", "x"], ["give"]):
            expect_error(client.ask("schedules", *words), 2)
        for words, text in (
            (["--zone", "UTC"], "--zone needs"),
            (["--name", "x"], "--name needs"),
            (["--overlap", "skip"], "--overlap needs"),
            (["--schedule", "@daily", "--wait"], "--wait does not go with"),
            (["--schedule", "@daily", "--delay", "1s"], "--delay does not go with"),
            (["--schedule", "@daily", "--name", "../x"], "../x"),
            (["--webhook-secret", "x"], "--webhook-secret x"),
        ):
            expect_error(client.ask("submit", path, *words), 2, text)


@test
def webhook(context):
    with Server(context, "--allow-webhook", "127.0.0.1:9") as server:
        client = Client(context, server)
        path = write(context, "a.js", "1")
        run = client.good("submit", path, "--webhook", "http://127.0.0.1:9/x").strip()
        expect_equal("webhook", server.get(run)["webhook"]["url"], "http://127.0.0.1:9/x")
        expect_error(client.ask("submit", path, "--webhook", "http://example.com/"), 125, "allow-webhook")
        expect_error(client.ask("submit", path, "--webhook", "x"), 2, "http")


# ---- Errors -------------------------------------------------------------------------------------------------------

EVERY = (["ps"], ["programs"], ["schedules"], ["logs", NOBODY], ["logs", "-f", NOBODY], ["cancel", NOBODY])


def every(context):
    return (*EVERY, ["submit", write(context, "a.js", "1")], ["submit", "--wait", write(context, "a.js", "1")])


@test
def usage(context):
    client = Client(context, "http://127.0.0.1:1")
    path = write(context, "a.js", "1")
    for words in (
        ["submit"],
        ["submit", path, "--program", "x"],
        ["submit", "-"],
        ["submit", "--program", "x", "--lang", "js"],
        ["submit", path, "--timeout", "0"],
        ["submit", path, "--priority", "10"],
        ["submit", path, "--retry", "11"],
        ["submit", path, "--delay", "5"],
        ["submit", path, "--params", "{}"],
        ["submit", path, "--print"],
        ["logs"],
        ["logs", "x"],
        ["logs", NOBODY, NOBODY],
        ["logs", NOBODY.lower() + "x"],
        ["ps", "--server", "ftp://x"],
        ["ps", "--server", "http://me:word@x"],
        ["ps", "--server", "x y"],
        ["ps", "--server", "http://"],
        ["ps", "--token-file", "/no/such"],
        ["ps", "--token-file", path + "x"],
        ["ps", "--token-file", write(context, "t", "a b\n")],
        ["ps", "--token-file", write(context, "t", "")],
        ["ps", "--ca-file", "/no/such"],
        ["ps", "--token", "x"],
    ):
        expect_error(client.ask(*words), 2)
    expect_error(client.ask("submit", "/no/such.js"), 3, "/no/such.js")
    for command in ("submit", "ps", "logs", "cancel", "programs", "schedules"):
        expect(client.good(command, "--help").startswith(f"Usage: curfew {command} "), f"{command} --help")


@test
def unreachable(context):
    with Server(context) as server:
        client = Client(context, server)
        client.env["http_proxy"] = "http://127.0.0.1:1"
        expect_equal("no proxy for this machine", client.good("ps", "--json"), "")
    url = f"http://127.0.0.1:{find_port()}"
    client = Client(context, url)
    for words in every(context):
        expect_error(client.ask(*words), 125, url, "refused")
    expect_error(client.ask("ps", "--server", "http://nowhere.invalid"), 125, "nowhere.invalid")


@test
def unknown_run(context):
    with Server(context) as server:
        client = Client(context, server)
        for words in (["logs", NOBODY], ["logs", "-f", "--json", NOBODY], ["cancel", NOBODY]):
            expect_error(client.ask(*words), 1, NOBODY)


@test
def access(context):
    data = os.path.join(context.directory(), "data")
    both, read, run = (
        make_token(context, data, "--name", name, "--scopes", name, *more)
        for name, more in (("run,read", ("--timeout", "5s")), ("read", ()), ("run", ()))
    )
    with Server(context, data=data) as server:
        for words in every(context):
            expect_error(Client(context, server).ask(*words), 125, "needs a token", "CURFEW_TOKEN")
            expect_error(Client(context, server, "curfew_no").ask(*words), 125, "does not know this token")
        path = write(context, "a.js", "1")
        expect_error(Client(context, server, read).ask("submit", path), 125, "scope run")
        expect_error(Client(context, server, run).ask("ps"), 125, "scope read")
        done = Client(context, server, run).ask("submit", "--wait", path)
        expect(done.code == 125 and b"scope read" in done.err, f"exit {done.code}, {done.err}")
        client = Client(context, server, both)
        run = client.submit("1")
        expect_equal("its own", [one["id"] for one in client.lines("ps", "--all")], [run])
        expect_error(client.ask("submit", "--timeout", "6s", path), 2, "/limits/timeout")
        file = write(context, "token", both + "\n")
        expect_equal("--token-file", len(Client(context, server).lines("ps", "--all", "--token-file", file)), 1)
    expect(both not in server.log(), "the token is in the log")


@test
def private_certificate(context):
    key, cert = make_certificate(context.directory())
    with Server(context, "--tls-cert", cert, "--tls-key", key) as server:
        client = Client(context, f"https://{server.host}:{server.port}")
        expect_error(client.ask("ps"), 125, client.url)
        expect_equal(
            "--ca-file",
            client.good("submit", "--ca-file", cert, "--wait", "--print", write(context, "a.js", "7")),
            "7\n",
        )


class Strange(http.server.BaseHTTPRequestHandler):
    """A server of another kind. Its class attributes define its answers."""

    status, kind, body, headers_more = 200, "text/html", b"<h1>hello</h1>", {}

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send()

    def send(self):
        self.send_response(self.status)
        for name, value in {
            "Content-Type": self.kind,
            "Content-Length": str(len(self.body)),
            **self.headers_more,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST = do_DELETE = do_PUT = answer

    def log_message(self, *words):
        pass


def with_strange(answers, use):
    """answers: the class's attributes, or a class."""
    kind = type("Answers", (Strange,), answers) if isinstance(answers, dict) else answers
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.handle_error = lambda *_: None  # clients may disconnect when they have what they need
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        use(f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@test
def strange_servers(context):
    def refused(url):
        for words in every(context):
            done = Client(context, url).ask(*words)
            expect(
                done.code == 125 and url.encode() in done.err and b"\x1b" not in done.err,
                f"{words}: exit {done.code}, {done.err}",
            )

    with_strange({"status": 404}, refused)
    with_strange({"status": 200}, refused)
    with_strange({"status": 200, "kind": "application/json", "body": b"{}"}, refused)
    with_strange({"status": 500}, refused)
    with_strange({"status": 302, "headers_more": {"Location": "http://127.0.0.1:1/"}}, refused)
    problem = {"type": "x", "title": "x", "detail": "no\x1b[31m\r\nred", "pointer": "/a\x07"}
    with_strange({"status": 418, "kind": "application/problem+json", "body": json.dumps(problem).encode()}, refused)
    problem["detail"] = "come later"

    def later(url):
        expect_error(Client(context, url).ask("ps"), 125, "come later", "try again in 70 s")
        expect_error(
            Client(context, url).ask("submit", write(context, "a.js", "1")), 125, "come later", "try again in 70 s"
        )

    with_strange(
        {
            "status": 429,
            "kind": "application/problem+json",
            "body": json.dumps(problem).encode(),
            "headers_more": {"Retry-After": "70"},
        },
        later,
    )

    def hostile(url):
        for words in (["ps", "--all"], ["ps"], ["programs"], ["schedules"]):
            done = Client(context, url).ask(*words)
            expect(
                done.code == 0
                and not re.search(rb"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", done.out.replace("é".encode(), b"")),
                f"{words}: {done}",
            )

    name = "\x1b]0;owned\x07\r\x9b31mé" + "x" * 300
    run = {
        "id": name,
        "state": name,
        "outcome": name,
        "program": name,
        "created_ms": 10**18,
        "report": {"used": {"wall_us": -5}},
    }
    listed = {
        "runs": [run, 5, "x", None, {}],
        "next": name,
        "programs": [{"name": name, "kind": name, "size": -1, "updated_ms": -1, "sha256": name}, 7],
        "schedules": [{"name": name, "schedule": name, "zone": name, "next_ms": 10**18, "runs": -1}, 7],
    }
    with_strange({"kind": "application/json", "body": json.dumps(listed, ensure_ascii=False).encode()}, hostile)
    with_strange({"kind": "application/json", "body": b"[" * 100000}, lambda url: Client(context, url).ask("ps"))


@test
def cut_submission(context):
    """A request is sent again with the same key and body. If the connection is refused, it is not sent again."""
    seen = []

    class Cuts(Strange):
        def do_POST(self):
            seen.append((self.headers["Idempotency-Key"], self.rfile.read(int(self.headers["Content-Length"]))))
            if len(seen) < 3:
                self.close_connection = True
                return
            self.status, self.kind, self.body = 202, "application/json", json.dumps({"id": NOBODY}).encode()
            self.send()

    def submits(url):
        done = Client(context, url).ask("submit", write(context, "a.js", "1"))
        expect_equal("exit and id", (done.code, done.out.decode()), (0, NOBODY + "\n"))
        expect(done.err.count(b"\n") == 1 and b"trying again" in done.err, f"what it says: {done.err}")
        expect(len(seen) == 3 and len(set(seen)) == 1, f"what is sent: {seen}")

    with_strange(Cuts, submits)


@test
def stream_in_pieces(context):
    """Events arrive byte by byte, and then stop. Each new connection asks for the events after the last one."""
    report, _ = context.report(write(context, "a.js", "console.log('ab')"))
    asked = []
    parts = [
        ': ping\r\n\r\nid: 1\r\nevent: state\r\ndata: {"state":"running"}\r\n\r\nid:2\nevent:output\ndata:{"stream":"stdout","text":"a"}\n\nid: 3\nevent: out',
        'id: 3\nevent: output\ndata: {"stream":"stdout","text":"b\\n"}\n\nid: 4\nevent: strange\ndata: 5\n\nid: 5\nevent: output\ndata: nonsense\n\n',
        f'id: 5\nevent: report\ndata: {json.dumps(report)}\n\nid: 6\nevent: output\ndata: {{"stream":"stdout","text":"too late"}}\n\n',
    ]

    class Pieces(Strange):
        def do_GET(self):
            if not self.path.endswith("/events"):
                self.kind, self.body = (
                    "application/json",
                    b'{"state":"running","attempt":1,"limits":{"timeout_us":null},"used":null}',
                )
                self.send()
                return
            asked.append(self.headers["Last-Event-ID"])
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for byte in parts[len(asked) - 1].encode():
                self.wfile.write(bytes([byte]))
            self.close_connection = True

    def follows(url):
        asked.clear()
        done = Client(context, url).ask("logs", "-f", NOBODY)
        expect_equal("output", (done.code, done.out, done.err), (0, b"ab\n", b""))
        expect_equal("where it goes on", asked, [None, "2", "4"])
        asked.clear()
        events = Client(context, url).lines("logs", "-f", NOBODY)
        expect_equal(
            "events",
            [(event["id"], event["event"]) for event in events],
            [(1, "state"), (2, "output"), (3, "output"), (4, "strange"), (5, "report")],
        )

    with_strange(Pieces, follows)


# ---- A terminal ---------------------------------------------------------------------------------------------------


@test
def terminal(context):
    with Server(context) as server:
        os.environ.setdefault("TERM", "xterm")
        words = ["env", f"CURFEW_SERVER=http://{server.host}:{server.port}", "TERM=xterm", context.curfew]
        path = write(context, "a.js", "curfew.progress({ at: 7 }); for (;;);")
        code, seen = read_terminal(context, [*words, "submit", "--wait", "--timeout", "2500ms", path], 10)
        expect_equal("exit", code, 124)
        before = seen.partition("curfew: ")[0]
        expect(
            "2.5 s" in before and '{"at":7}' in before and "cpu" in before,
            f"the live line shows no limit or progress: {seen!r}",
        )
        expect(re.search(r"\x1b\[\d*K|\r *\r", before), f"the live line is not taken away: {seen!r}")
        run = server.submit("1", delay="3s")["id"]
        code, seen = read_terminal(context, [*words, "logs", "-f", run], 10)
        expect(code == 0 and "scheduled" in seen and seen.endswith("\r\x1b[K"), f"exit {code}: {seen!r}")


ALONE = {terminal}


def tests(context):
    return [Test("client", function.__name__, function, function in ALONE) for function in TESTS]
