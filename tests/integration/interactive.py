# SPDX-License-Identifier: Apache-2.0
"""curfew repl and curfew mcp: commands that run what they read from standard input."""

import json
import os
import select
import signal
import subprocess

from .harness import Failed, Test, expect, expect_equal, open_terminal, shorten

TESTS = []


def test(function):
    TESTS.append(function)
    return function


# ---- curfew repl --------------------------------------------------------------------------------------------------


def repl(context, text, *options, code=0):
    done = context.command([context.curfew, "repl", *options], stdin=text.encode(), timeout=30)
    expect_equal("exit", done.code, code)
    return done.out.decode(), done.err.decode()


@test
def repl_keeps_the_state(context):
    text = (
        "const a = 5; let b = 1\nfunction f(x) {\n\n  return x * a\n}\nf(8)\n({}).x\nnull\n`tpl\nline`\n"
        "await new Promise(r => setTimeout(() => r('waited'), 5))\n/* of two\nlines */ const a = 6\na\n"
        "console.log('out'); 7\nimport('node:path').then(p => p.join('a', 'b'))\n"
    )
    out, err = repl(context, text)
    expect_equal(
        "stdout",
        out.splitlines(),
        ["undefined", "undefined", "40", "undefined", "null", '"tpl\\nline"', '"waited"', "undefined", "6"]
        + ["out", "7", '"a/b"'],
    )
    expect_equal("stderr", err, "")


@test
def repl_continues_after_errors(context):
    out, err = repl(
        context, "let n = 1\nfor (;;) n++\nn > 1\nthrow new TypeError('no')\n'open\nn = 2\nif (n) {\n", "--loops", "50k"
    )
    expect_equal("stdout", out.splitlines(), ["undefined", "true", "2"])
    for part in ("curfew: loops: stopped after 50 k", "curfew: threw: TypeError: no", "at cell 4:1:7"):
        expect(part in err, f"{part} is not in {err}")
    expect_equal("malformed cells", err.count("curfew: bad_program: SyntaxError"), 2)


@test
def repl_refuses_what_is_no_text(context):
    """A cell that is not UTF-8 or has a NUL is refused like any other that is malformed."""
    done = context.command([context.curfew, "repl"], stdin=b"let a = 1\n'\xff'\na\0a\na\n", timeout=30)
    expect_equal("exit", (done.code, done.out), (0, b"undefined\n1\n"))
    expect_equal("complaints", done.err.count(b"curfew: "), 2)


@test
def repl_begins_anew(context):
    out, err = repl(context, "let a = 1\nlet list = []; for (;;) list.push('x'.repeat(1e6) + list.length)\ntypeof a\n")
    expect_equal("stdout", out.splitlines(), ["undefined", '"undefined"'])
    expect("curfew: memory: " in err and "the state was lost" in err, err)
    out, _ = repl(context, "let a = 1\n.reset\ntypeof a\n.exit\n2\n")
    expect_equal("after .reset, until .exit", out.splitlines(), ["undefined", '"undefined"'])
    repl(context, "curfew.exit(7)\n1\n", code=7)


@test
def repl_has_options(context):
    secret = ("--user", "ann", "--secret", "TOKEN=hunter2hunter2", "--env", "A=1", "--timezone", "Europe/Berlin")
    out, _ = repl(
        context,
        "[curfew.user, curfew.env.A, secrets.get('TOKEN'), new Date(0).getHours()]\n.limits\n",
        *secret,
        "--fuel",
        "90M",
    )
    expect_equal("what it was given", json.loads(out.splitlines()[0]), ["ann", "1", "[secret TOKEN]", 1])
    expect("  fuel       90M\n" in out and "  timeout    10s\n" in out, out)
    _, err = repl(context, "for (;;);\n", "--fuel", "1M")
    expect("curfew: fuel: stopped after 1 M" in err, err)
    for words in (["x"], ["--timeout", "0"], ["--timezone", "Mars/X"], ["--allow-fetch", "http://x"]):
        done = context.command([context.curfew, "repl", *words])
        expect(done.code == 2 and done.err.count(b"\n") == 1 and done.out == b"", f"{words}: {done}")


@test
def repl_on_a_terminal(context):
    """Prompts; SIGINT cancels a cell, and at the prompt drops what was typed."""
    leader, follower = open_terminal()
    process = context.spawn([context.curfew, "repl"], stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    seen = ""

    def expect_text(text):
        nonlocal seen
        patience = context.patience(30)
        while text not in seen:
            if patience.is_over():
                raise Failed(f"no {text!r} in {shorten(seen)!r}")
            if select.select([leader], [], [], 0.1)[0]:
                seen += os.read(leader, 4096).decode()
        seen = seen.split(text, 1)[1]

    try:
        expect_text("> ")
        os.write(leader, b"let a = [1,\n")
        expect_text("... ")
        os.write(leader, b"2]; a\n")
        expect_text("[1,2]")
        os.write(leader, b"console.log('begun'); for (;;);\n")
        expect_text("begun\r\n")
        process.send_signal(signal.SIGINT)
        expect_text("curfew: cancelled:")
        os.write(leader, b"if (a) {\n")
        expect_text("... ")
        process.send_signal(signal.SIGINT)
        expect_text(".exit")
        os.write(leader, b"a.length\n")
        expect_text("2\r\n")
        os.write(leader, b"\x04")
        expect_equal("exit", process.wait(context.socket_timeout(10)), 0)
    except subprocess.TimeoutExpired:
        raise Failed("it does not end") from None
    finally:
        process.kill()
        process.wait()
        os.close(leader)


# ---- curfew mcp ---------------------------------------------------------------------------------------------------


class Client:
    """A client of the Model Context Protocol, as far as the tests need one."""

    def __init__(self, context, *options):
        self.context = context
        self.process = context.spawn(
            [context.curfew, "mcp", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def send(self, message):
        text = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(text + b"\n")
        self.process.stdin.flush()

    def receive(self):
        expect(
            select.select([self.process.stdout], [], [], self.context.socket_timeout(30))[0] != [], "there is no answer"
        )
        line = self.process.stdout.readline()
        answer = json.loads(line)
        expect_equal("version", answer["jsonrpc"], "2.0")
        expect(("result" in answer) != ("error" in answer), f"{answer}")
        return answer

    def start(self, method, **params):
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        return self.number

    def ask(self, method, **params):
        number = self.start(method, **params)
        answer = self.receive()
        expect_equal("id", answer["id"], number)
        return answer

    def call(self, **arguments):
        return self.ask("tools/call", name="run", arguments=arguments)

    def run(self, **arguments):
        result = self.call(**arguments)["result"]
        self.context.check_report(json.dumps(result["structuredContent"]))
        (content,) = result["content"]
        expect_equal("type", content["type"], "text")
        expect_equal("isError", result["isError"], result["structuredContent"]["outcome"] != "ok")
        return content["text"], result["structuredContent"]


@test
def mcp_initializes(context):
    for asked, given in (("2025-06-18", "2025-06-18"), ("2024-11-05", "2024-11-05"), ("1999-01-01", "2025-06-18")):
        with Client(context) as client:
            result = client.ask(
                "initialize", protocolVersion=asked, capabilities={}, clientInfo={"name": "test", "version": "1"}
            )["result"]
            expect_equal("version", result["protocolVersion"], given)
            expect("tools" in result["capabilities"] and result["serverInfo"]["name"] == "curfew", f"{result}")
            client.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
            expect_equal("ping", client.ask("ping")["result"], {})
            (tool,) = client.ask("tools/list")["result"]["tools"]
            expect_equal("tool", (tool["name"], tool["inputSchema"]["required"]), ("run", ["source"]))
            limits = tool["inputSchema"]["properties"]["limits"]["properties"]
            expect("at most, 10s" in limits["timeout"]["description"], f"{limits}")


@test
def mcp_runs_programs(context):
    with Client(context, "--env", "A=1", "--timeout", "30s") as client:
        expect_equal("a value", client.run(source="6 * 7")[0], "value: 42\n")
        text, report = client.run(source="console.log('é'); console.error('e'); ({ a: curfew.env.A })")
        expect_equal("all of it", text, 'é\nstderr:\ne\nvalue: {"a":"1"}\n')
        expect_equal("report", (report["stdout"], report["value"]), ("é\n", {"a": "1"}))
        expect_equal("a call", client.run(source="export default (a, b) => a + b", params=[1, 2])[0], "value: 3\n")
        wat = '(module (func (export "f") (param i32) (result i32) local.get 0))'
        expect_equal("WebAssembly", client.run(source=wat, lang="wat", call="f", params=[9])[0], "value: 9\n")
        expect_equal("TypeScript", client.run(source="const a: number = 1; a", lang="ts")[0], "value: 1\n")
        expect_equal("nothing", client.run(source="")[0], "no output and no value\n")
        note = client.run(source="() => 1")[0]
        expect_equal("no value", note, "value: null: the value is a function, which has no JSON\n")
        text, report = client.run(source="throw new Error('x')")
        expect(text.startswith("curfew: threw: Error: x\n    at program.js:1:7\n"), text)
        text, report = client.run(source="for (;;);", limits={"loops": 1000, "host_calls": "5"})
        expect(text.startswith("curfew: loops: stopped after 1000 loops"), text)
        expect_equal("limits", (report["limits"]["host_calls"], report["limits"]["timeout_us"]), (5, 30_000_000))


@test
def mcp_refuses(context):
    with Client(context, "--timeout", "5s") as client:
        for arguments, words in (
            ({}, "source is missing"),
            ({"source": 5}, "source must be a string"),
            ({"source": "1", "foo": 1}, '"foo" is not an argument'),
            ({"source": "1", "limits": {"timeout": "60s"}}, "at most 5s"),
            ({"source": "1", "limits": {"timeout": "0s"}}, "must be more than 0"),
            ({"source": "1", "limits": {"timeout": True}}, "must be a string"),
            ({"source": "1", "limits": {"x": "1"}}, '"x" is not a limit'),
            ({"source": "1", "limits": 5}, "limits must be an object"),
            ({"source": "1", "lang": "wasm"}, "lang must be"),
            ({"source": "1", "params": {}}, "must be a JSON array"),
        ):
            answer = client.call(**arguments)
            expect_equal("code", answer.get("error", {}).get("code"), -32602)
            expect(words in answer["error"]["message"], f"{answer}")
        expect_equal("another tool", client.ask("tools/call", name="x", arguments={})["error"]["code"], -32602)
        expect_equal("another method", client.ask("resources/list")["error"]["code"], -32601)
        for message, code, number in (
            (b"{", -32700, None),
            (b"[]", -32600, None),
            (b"5", -32600, None),
            ({"id": 1, "method": "ping"}, -32600, 1),
            ({"jsonrpc": "2.0", "id": None, "method": "ping"}, -32600, None),
            ({"jsonrpc": "2.0", "id": {}, "method": "ping"}, -32600, None),
            ({"jsonrpc": "2.0", "id": "a", "method": 5}, -32600, "a"),
            ({"jsonrpc": "2.0", "id": 3, "method": "ping", "params": []}, -32600, 3),
        ):
            client.send(message)
            answer = client.receive()
            expect_equal(f"{message}", (answer["error"]["code"], answer["id"]), (code, number))
        # Notifications and answers have no answer.
        client.send({"jsonrpc": "2.0", "method": "notifications/unknown"})
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}})
        client.send({"jsonrpc": "2.0", "id": 7, "result": {}})
        client.send(b"")
        expect_equal("then", client.ask("ping")["result"], {})


@test
def mcp_cancels(context):
    """Calls proceed at the same time. One that its client cancels has no answer, and its id is free again."""
    with Client(context, "--timeout", "unlimited") as client:
        first = client.start("tools/call", name="run", arguments={"source": "for (;;);"})
        expect_equal("beside it", client.run(source="2")[0], "value: 2\n")
        again = {"jsonrpc": "2.0", "id": first, "method": "ping"}
        client.send(again)
        expect_equal("the same id", client.receive()["error"]["code"], -32600)
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": first}})
        client.send(again)
        expect_equal("the id again", client.receive(), {"jsonrpc": "2.0", "id": first, "result": {}})
        client.process.stdin.close()
        expect_equal("exit", client.process.wait(context.socket_timeout(20)), 0)
        expect_equal("no other answer", client.process.stdout.read(), b"")
        client.process.stdin = None


@test
def mcp_ends_with_its_input(context):
    """What is in progress at the end of the input is answered; the last line may lack its end."""
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    request["params"] = {"name": "run", "arguments": {"source": "new Promise(r => setTimeout(() => r(5), 100))"}}
    done = context.command([context.curfew, "mcp"], stdin=json.dumps(request).encode())
    answer = json.loads(done.out)
    expect_equal("answer", answer["result"]["content"][0]["text"], "value: 5\n")
    expect_equal("exit", (done.code, done.err), (0, b""))
    expect_equal("nothing", context.command([context.curfew, "mcp"], stdin=b"").out, b"")
    expect_equal("an argument", context.command([context.curfew, "mcp", "x"]).code, 2)


def tests(context):
    return [Test("cli", function.__name__, function) for function in TESTS]
