# SPDX-License-Identifier: Apache-2.0
"""Runs and their reports, as a user of the package sees them."""

import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

import curfew
from conftest import ADD_WAT, FOREVER, SHORT


def test_the_first_line_of_the_readme():
    assert curfew.run("6*7").value == 42


def test_a_report_has_all_that_the_json_has():
    report = curfew.run("console.log('hi'); console.error('oh'); curfew.checkpoint({done: 1}); null.x")
    raw = json.loads(report.to_json())
    assert report.raw == raw and raw["schema"] == "curfew.report/1"
    assert (report.outcome, report.ok, report.exit_code) == ("threw", False, 1)
    assert (report.stdout, report.stderr, report.partial) == ("hi\n", "oh\n", {"done": 1})
    assert report.error.name == "TypeError" and report.error.stack[0].line == 1
    assert report.used.wall_us > 0 and report.used.fuel is None
    with pytest.raises(curfew.ProgramFailed) as raised:
        report.raise_for_outcome()
    assert raised.value.report is report


@pytest.mark.parametrize("timeout", ["100ms", 0.1, timedelta(milliseconds=100)])
def test_a_deadline_stops_what_never_ends(timeout):
    report = curfew.run("for (;;);", limits=curfew.Limits(timeout=timeout))
    assert (report.outcome, report.tripped, report.exit_code) == ("deadline", ["deadline"], 124)
    assert report.limits["timeout_us"] == 100_000
    assert report.stop.mode in ("soft", "hard") and report.error.stack[0].file == "source.js"


def test_every_limit_of_the_library_is_one_of_limits():
    assert set(curfew.Limits.__dataclass_fields__) == set(curfew.LIMIT_TABLE)
    for name, info in curfew.LIMIT_TABLE.items():
        value = "1m" if info.unit == "duration" else max(info.minimum, 1 << 20) if info.unit == "bytes" else 12345
        report = curfew.run("1", limits={name: value})
        expected = {"duration": 60_000_000, "bytes": value, "count": 12345}[info.unit]
        assert report.limits[info.report_key] == expected


def test_every_outcome_has_its_exit_code():
    assert curfew.OUTCOMES["ok"] == 0 and curfew.OUTCOMES["deadline"] == 124 and curfew.OUTCOMES["crashed"] == 134


@pytest.mark.parametrize(
    "limits, exception, words",
    [
        ({"timeout": 0}, curfew.InvalidError, "timeout is 0"),
        ({"timeout": "10"}, curfew.InvalidError, "timeout"),
        ({"memory": 1.5}, TypeError, "memory must be a whole number"),
        ({"memory": True}, TypeError, "memory"),
        ({"fuel": -1}, curfew.InvalidError, "fuel"),
        ({"fuel": float("nan")}, TypeError, "fuel"),
        ({"timeout": float("nan")}, curfew.InvalidError, "timeout"),
        ({"tiemout": "1s"}, curfew.InvalidError, "no limit 'tiemout'"),
        (["1s"], TypeError, "limits must be"),
        ({"memory": 1 << 63}, curfew.InvalidError, "memory"),
    ],
)
def test_a_limit_that_is_none_is_refused_with_its_name(limits, exception, words):
    with pytest.raises(exception, match=words):
        curfew.run("1", limits=limits)


@pytest.mark.parametrize(
    "options, exception",
    [
        ({"params": "[1]"}, TypeError),
        ({"params": 5}, TypeError),
        ({"params": {}}, TypeError),
        ({"params": [object()]}, curfew.InvalidError),
        ({"params": [float("nan")]}, curfew.InvalidError),
        ({"call": 7}, TypeError),
        ({"call": "a\0b"}, curfew.InvalidError),
        ({"allow_fetch": "example.com"}, TypeError),
        ({"allow_fetch": ["http://example.com"]}, curfew.InvalidError),
        ({"secret_for": "example.com:X-Key={A}"}, TypeError),
        ({"secret_for": ["example.com:X-Key={A}"]}, curfew.InvalidError),
        ({"args": "one"}, TypeError),
        ({"args": [1]}, TypeError),
        ({"secrets": {"not a name": "x"}}, curfew.InvalidError),
        ({"secrets": ["x"]}, TypeError),
        ({"env": {"A=B": "x"}}, curfew.InvalidError),
        ({"env": {"": "x"}}, curfew.InvalidError),
        ({"env": {"A": 1}}, TypeError),
        ({"env": ["A=1"]}, TypeError),
        ({"files": {"../a": "x"}}, curfew.InvalidError),
        ({"files": ["a"]}, TypeError),
        ({"dirs": ["/tmp"]}, TypeError),
        ({"functions": [len]}, TypeError),
        ({"stdin": []}, TypeError),
        ({"timezone": "Mars/Base"}, curfew.InvalidError),
        ({"language": "python"}, curfew.InvalidError),
        ({"unknown": 1}, TypeError),
        ({"timeout": "1s"}, TypeError),
        ({"name": 3}, TypeError),
    ],
)
def test_an_option_that_is_wrong_is_an_exception_that_names_it(options, exception):
    name = next(iter(options))
    names = {"secrets": "secret", "functions": "function"}
    with pytest.raises(exception, match=names.get(name, name)):
        curfew.run("export default () => 1", **options)


def test_a_limit_among_the_options_is_told_its_place():
    with pytest.raises(TypeError, match=r"'timeout'; it is a limit: limits=\{'timeout': \.\.\.\}"):
        curfew.run("1", timeout="1s")


def test_parameters_and_calls():
    program = curfew.program("export default (a, b) => a + b; export const twice = (x) => x * 2;", language="mjs")
    assert program.run(1, 2).value == 3
    assert program.run(params=["ü", "\N{SNOWMAN}"]).value == "ü\N{SNOWMAN}"
    assert program.run(21, call="twice").value == 42
    assert program.run(call="nothing").outcome == "bad_program"
    with pytest.raises(TypeError):
        program.run(1, params=[1])


def test_webassembly_text_and_bytes(tmp_path):
    program = curfew.program(ADD_WAT, language="wat")
    assert program.run(40, 2, call="add").value == 42 and program.kind == "module"
    with pytest.raises(curfew.BadProgramError) as raised:
        curfew.program(b"\0asm\1\0\0\0\xff").compile()
    assert raised.value.report.outcome == "bad_program"


def test_files_and_their_imports(tmp_path: Path):
    (tmp_path / "lib.mjs").write_text("export const answer = 42;")
    (tmp_path / "main.mjs").write_text("import { answer } from './lib.mjs'; export default () => answer;")
    assert curfew.run(tmp_path / "main.mjs").value == 42
    with pytest.raises(FileNotFoundError):
        curfew.run(tmp_path / "gone.mjs")


def test_import_maps_languages_and_nodes_globals(tmp_path: Path):
    (tmp_path / "lib.mjs").write_text("export const answer = 42;")
    source = "import { answer } from '#lib'; export default answer;"
    for import_map in ({"imports": {"#lib": "./lib.mjs"}}, '{"imports": {"#lib": "/lib.mjs"}}'):
        assert curfew.run(source, import_dir=tmp_path, import_map=import_map).value == 42
    with pytest.raises(curfew.InvalidError, match="imports: must be an object"):
        curfew.run(source, import_dir=tmp_path, import_map={"imports": []})
    with pytest.raises(curfew.InvalidError):
        curfew.run(source, import_map="")
    assert curfew.run("enum A { B = 6 } const x: number = A.B; x", language="ts").value == 6
    assert curfew.run("typeof Buffer + typeof process", node=True).value == "functionobject"
    assert curfew.run("typeof Buffer").value == "undefined"


def test_imports_of_a_file_are_relative_to_it(tmp_path: Path):
    (tmp_path / "app").mkdir()
    (tmp_path / "lib.mjs").write_text("export const answer = 42;")
    program = tmp_path / "app" / "main.mjs"
    program.write_text("import { answer } from '../lib.mjs'; export default answer;")
    for import_dir in tmp_path, str(tmp_path), tmp_path / "app" / "..":
        report = curfew.run(program, import_dir=import_dir)
        assert report.value == 42 and report.raw["program"]["name"] == "app/main.mjs"
    assert curfew.run(program).outcome == "bad_program"
    with pytest.raises(curfew.InvalidError, match="it must hold"):
        curfew.run(tmp_path / "lib.mjs", import_dir=tmp_path / "app")


def test_images_are_saved_and_loaded(engine):
    image = engine.program("export default (x) => x + 1").compile().save()
    assert engine.load(image).run(41).value == 42
    with pytest.raises(curfew.Error):
        engine.load(image[:-1])
    with pytest.raises(curfew.Error):
        engine.program("1").save()


def test_a_secret_for_requests_is_a_placeholder():
    report = curfew.run(
        "secrets.get('TOKEN')", secrets={"TOKEN": "hunter2-hunter2"}, secret_for=["example.com:X-Key={TOKEN}"]
    )
    assert report.value == "[secret TOKEN]"


def test_secrets_are_given_and_taken_out():
    report = curfew.run(
        "console.log(secrets.get('TOKEN')); secrets.get('TOKEN').length", secrets={"TOKEN": "hunter2-hunter2"}
    )
    assert report.value == 15 and "hunter2" not in report.stdout


def test_files_environment_and_time_zone_reach_javascript():
    source = """export default [await curfew.files['a.txt'].text(), (await curfew.files['b/c'].bytes())[1], curfew.env.A,
        new Date(0).getHours(), await new Response(curfew.stdin).text()]"""
    report = curfew.run(
        source, files={"a.txt": "ä", "b/c": b"\0\xff"}, env={"A": "b"}, timezone="Asia/Kolkata", stdin=b"in"
    )
    assert report.value == ["ä", 255, "b", 5, "in"]
    with pytest.raises(curfew.InvalidError, match="time zone"):
        curfew.run("1", timezone="Mars/Olympus")
    with pytest.raises(curfew.InvalidError, match="relative path"):
        curfew.run("1", files={"../a": ""})


def test_standard_input_arguments_and_environment_reach_wasi(tmp_path):
    # Copies standard input to standard output: fd_read into 8..., fd_write of as much.
    echo = """(module
      (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start")
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1000))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
        (i32.store (i32.const 4) (i32.load (i32.const 16)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"""
    assert curfew.run(echo, language="wat", stdin="from Python").stdout == "from Python"
    report = curfew.run(
        echo, language="wat", stdin=b"x", dirs=[curfew.Dir(tmp_path, "/data")], env={"A": "b"}, args=["c"]
    )
    assert report.stdout == "x"
    with pytest.raises(TypeError):
        curfew.run(echo, language="wat", dirs=[curfew.Dir(3, "/data")])


DEEP = "const deep = n => { let a = 1; while (n-- > 0) a = [a]; return a; };"


def depth_of(value):
    depth = 0
    while value != 1:
        (value,) = value
        depth += 1
    return depth


def test_deep_values_spoil_no_report(engine):
    seen = []
    report = engine.program(f"{DEEP} curfew.checkpoint({{a: deep(3000)}}); curfew.progress(deep(2500)); null.x").run(
        on_event=seen.append
    )
    assert (report.outcome, report.error.name, depth_of(report.partial["a"])) == ("threw", "TypeError", 3000)
    assert [depth_of(event.data) for event in seen if event.kind == "progress"] == [2500]
    assert depth_of(engine.run(f"{DEEP} deep(3000)").value) == 3000


def test_values_that_are_large_or_empty_or_no_unicode_go_there_and_back(engine):
    same = engine.program("export default (...values) => values")
    values = [2**53, 1e308, -0.5, "", "\ud800", "\0", [], {}, None, True]
    assert same.run(*values).value == values
    add = engine.program(
        '(module (func (export "f") (param i64) (result i64) local.get 0 i64.const 1 i64.add))', language="wat"
    )
    assert add.run(2**62 + 1, call="f").value == str(2**62 + 2)
    cycle = []
    cycle.append(cycle)
    for wrong in (cycle, {1: object()}, b"bytes", {1, 2}):
        with pytest.raises(curfew.InvalidError, match="params have no JSON"):
            same.run(wrong)
    source = "[await curfew.files.a.text(), curfew.env.E, await new Response(curfew.stdin).text()]"
    report = engine.run(f"export default {source}", files={"a": b""}, env={"E": ""}, stdin=b"")
    assert report.value == ["", "", ""], str(report)
    with pytest.raises(curfew.InvalidError, match="secret S: the value is empty"):
        engine.run("1", secrets={"S": ""})


def test_a_run_is_cancelled_from_another_thread(engine):
    run = engine.program("for (;;);").start(limits=FOREVER)
    threading.Timer(0.1, run.cancel).start()
    assert run.wait().outcome == "cancelled"
    assert run.done and run.report.outcome == "cancelled"
    run.cancel()  # nothing happens


def test_waiting_may_end_before_the_run_does(engine):
    run = engine.program("new Promise((resolve) => setTimeout(resolve, 1e6))").start(limits=FOREVER)
    assert run.report is None
    with pytest.raises(TimeoutError):
        run.wait(timeout=0.05)
    while run.usage().memory_bytes == 0:
        time.sleep(0.001)
    run.cancel()
    assert run.wait().outcome == "cancelled"


def test_one_run_too_many_is_refused():
    with curfew.Engine(max_runs=1) as engine:
        program = engine.program("new Promise((resolve) => setTimeout(resolve, 1e6))")
        run = program.start(limits=FOREVER)
        with pytest.raises(curfew.OverloadedError):
            program.start(limits=FOREVER)
        run.close()
        assert program.run(limits=SHORT).outcome == "deadline"


def test_many_threads_share_an_engine(engine):
    program = engine.program("export default (x) => x * x")
    values = {}

    def work(x):
        values[x] = [program.run(x).value for _ in range(20)]

    threads = [threading.Thread(target=work, args=(x,)) for x in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == {x: [x * x] * 20 for x in range(8)}


def test_events_as_they_come(engine):
    seen = []
    program = engine.program(
        "console.log('one'); curfew.progress({at: 1}); curfew.checkpoint([2]); console.error('two');"
    )
    assert program.run(on_event=seen.append).ok
    expected = [("stdout", b"one\n"), ("progress", {"at": 1}), ("checkpoint", [2]), ("stderr", b"two\n")]
    assert seen == expected
    assert list(program.start(events=True).events()) == expected
    with pytest.raises(curfew.Error):
        program.start().events()


def test_what_a_listener_raises_ends_the_run_and_is_raised(engine):
    def listen(event):
        raise LookupError("not this one")

    with pytest.raises(LookupError, match="not this one"):
        engine.program("curfew.progress(1); for (;;);").run(on_event=listen, limits=FOREVER)


def test_an_object_that_is_closed_says_so(engine):
    program = engine.program("1")
    program.close()
    program.close()
    with pytest.raises(curfew.Error, match="this program is closed"):
        program.run()


def test_objects_are_collected_in_any_order():
    engine = curfew.Engine()
    run = engine.program("for (;;);").start(limits=SHORT)
    del engine
    gc.collect()
    assert run.wait().outcome == "deadline"
    curfew.Engine().program("for (;;);").start(limits=SHORT)  # nobody keeps it
    gc.collect()


def in_python(code, **options):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300, **options
    )


def test_a_library_that_is_missing_or_older_is_named(tmp_path: Path):
    older = tmp_path / "libcurfew.so.0"
    text = 'const char *curfew_version(void) { return "0.0.1"; }'
    subprocess.run(["cc", "-shared", "-x", "c", "-", "-o", older], input=text, text=True, check=True)
    for place, words in ((tmp_path / "gone.so", "cannot be loaded"), (older, "is older than this package: it has no")):
        done = in_python("import curfew", env={**os.environ, "CURFEW_LIBRARY": str(place)})
        last = done.stderr.strip().splitlines()[-1]
        assert done.returncode == 1 and last.startswith(f"ImportError: curfew: {place} {words}"), done.stderr


def test_use_after_a_fork_is_refused_and_the_child_may_begin_anew():
    done = in_python("""
        import os, curfew
        program = curfew.program("1")
        program.run()
        pid = os.fork()
        if pid == 0:
            try:
                program.run()
            except curfew.Error as error:
                print(error, flush=True)
            print(curfew.run("2").value, flush=True)
            os._exit(0)
        print(os.waitpid(pid, 0)[1], program.run().value)
    """)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["2", "0 1"] and "made before a fork" in done.stdout


def test_the_interpreter_ends_with_runs_going_on():
    done = in_python("""
        import curfew, asyncio
        program = curfew.program("host.tick(); for (;;) host.tick();", functions={"tick": lambda: None})
        runs = [program.start(limits={"timeout": "10m", "host-calls": "unlimited"}) for _ in range(4)]
        waiting = curfew.program("new Promise((done) => setTimeout(done, 1e6))").start(limits={"timeout": "10m"}, events=True)
        print("end")
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_control_c_cancels_the_run():
    code = textwrap.dedent("""
        import curfew, sys
        try:
            curfew.run("curfew.progress(1); for (;;);", limits={"timeout": "10m"}, on_event=lambda event: print("runs", flush=True))
        except KeyboardInterrupt:
            print("interrupted", curfew.default_engine().stats()["runs_active"])
        session = curfew.program("function f() { console.log(1); for (;;); }").session()
        try:
            print("again", flush=True)
            session.call("f", limits={"timeout": "10m"})
        except KeyboardInterrupt:
            print("interrupted")
    """)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    for line in ("runs\n", "interrupted 0\n", "again\n", "interrupted\n"):
        assert process.stdout.readline() == line
        if line in ("runs\n", "again\n"):
            process.send_signal(signal.SIGINT)
    assert process.wait(timeout=300) == 0


def test_a_signal_that_wakes_nobody_is_noticed():
    """A signal may arrive just before the thread sleeps. interrupt_main() is like that every time."""
    done = in_python("""
        import _thread, curfew, threading, time
        endless = curfew.program("function f() { for (;;); } f();")
        session = curfew.program("function f() { for (;;); }").session()
        started = endless.start(limits={"timeout": "10m"})
        ways = [
            lambda: endless.run(limits={"timeout": "10m"}),
            lambda: endless.run(limits={"timeout": "10m"}, on_event=print),
            lambda: session.call("f", limits={"timeout": "10m"}),
            started.wait,
        ]

        def interrupt():
            time.sleep(0.3)
            _thread.interrupt_main()

        for way in ways:
            threading.Thread(target=interrupt).start()
            try:
                way()
            except KeyboardInterrupt:
                print("interrupted")
        print(curfew.default_engine().stats()["runs_active"])
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n" * 4 + "0\n", "")


def test_control_c_at_any_time_leaves_no_run():
    done = in_python("""
        import curfew, signal, time
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        program = curfew.program("for (;;);")
        session = curfew.program("function f() { for (;;); }").session()
        ways = [
            lambda: program.run(limits={"timeout": "10m"}),
            lambda: program.run(limits={"timeout": "10m"}, on_event=print),
            lambda: session.call("f", limits={"timeout": "10m"}),
        ]
        for number in range(150):
            try:
                # In steps of 10 us: before, during and after the start.
                signal.setitimer(signal.ITIMER_REAL, 1e-5 * (number // 3 + 1))
                ways[number % 3]()
            except KeyboardInterrupt:
                if not session.usable:  # the program was stopped inside the engine
                    session.reset()
        for _ in range(1000):
            if not curfew.default_engine().stats()["runs_active"]:
                break
            time.sleep(0.01)
        print(curfew.default_engine().stats()["runs_active"], session.call("f", limits={"timeout": "20ms"}).outcome)
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 deadline\n", "")


def test_control_c_in_a_notebook_cancels_the_run():
    """A kernel of Jupyter calls a cell inside its event loop; one that awaits is a task, which Ctrl-C cancels."""
    code = textwrap.dedent("""\
        import asyncio, curfew, signal
        text = "curfew.progress(1); await new Promise((resolve) => setTimeout(resolve, 1e6));"
        endless = "curfew.progress(1); for (;;);"

        def cell():
            try:
                curfew.run(endless, limits={"timeout": "10m"}, on_event=lambda event: print("runs", flush=True))
            except KeyboardInterrupt:
                print("interrupted", curfew.default_engine().stats()["runs_active"], flush=True)

        async def awaiting_cell():
            told = lambda event: print("waits", flush=True)
            await curfew.program(text, name="cell.mjs").run_async(limits={"timeout": "10m"}, on_event=told)

        async def kernel():
            loop = asyncio.get_running_loop()
            loop.call_soon(cell)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task = loop.create_task(awaiting_cell())
            # As ipykernel does where a cell awaits.
            signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(task.cancel))
            try:
                await task
            except asyncio.CancelledError:
                for _ in range(1000):
                    if not curfew.default_engine().stats()["runs_active"]:
                        break
                    await asyncio.sleep(0.01)
                print("cancelled", curfew.default_engine().stats()["runs_active"], flush=True)

        # Not asyncio.run, which has a Ctrl-C of its own.
        asyncio.new_event_loop().run_until_complete(kernel())
    """)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    for line in ("runs\n", "interrupted 0\n", "waits\n", "cancelled 0\n"):
        assert process.stdout.readline() == line
        if line in ("runs\n", "waits\n"):
            process.send_signal(signal.SIGINT)
    assert process.wait(timeout=300) == 0
