# SPDX-License-Identifier: Apache-2.0
"""Images of WebAssembly programs: they run without a compiler where they were made, and anywhere else as well."""
import os

from .cli import expect_program_error, write
from .harness import Test, expect, expect_equal

TESTS = []
TRIPLE = '(module (func (export "run") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))'


def test(function):
    TESTS.append(function)
    return function


def compile_triple(context):
    source = write(context, "triple.wat", TRIPLE)
    image = os.path.join(os.path.dirname(source), "triple.curfew")
    done = context.command([context.curfew, "compile", source, "-o", image])
    expect_equal("compile", (done.code, done.out, done.err), (0, b"", b""))
    return source, image


def run(context, image, *words, **options):
    report, _ = context.report(*words, "--call", "run", "--params", "[14]", image, **options)
    return report


@test
def wasm_image_runs(context):
    source, image = compile_triple(context)
    from_source, from_image = run(context, source), run(context, image)
    for report in from_source, from_image:
        expect_equal("value", (report["outcome"], report["value"]), ("ok", 42))
    expect_equal("program", from_image["program"], from_source["program"])
    metered = [run(context, path, "--fuel", "1M")["used"]["fuel"] for path in (source, image)]
    expect_equal("fuel from the image", metered[1], metered[0])


@test
def wasm_image_elsewhere(context):
    """Compiled code that another user made is not executed; the program in the image is compiled again."""
    _, image = compile_triple(context)
    report = run(context, image, env={"XDG_CACHE_HOME": context.folder()})
    expect_equal("value", (report["outcome"], report["value"]), ("ok", 42))


@test
def wasm_image_forged(context):
    """Code that was changed with its checksum made right again is not executed either."""
    import hashlib
    _, image = compile_triple(context)
    with open(image, "rb") as file:
        data = bytearray(file.read())
    data[-200:-100] = bytes(100)
    covered = 8 + 32 + 32
    data[8:40] = hashlib.sha256(data[covered:]).digest()
    with open(image, "wb") as file:
        file.write(data)
    report = run(context, image)
    expect_equal("value", (report["outcome"], report["value"]), ("ok", 42))


@test
def wasm_image_damaged(context):
    _, image = compile_triple(context)
    with open(image, "rb") as file:
        data = file.read()
    for bad in data[:-1], data[:100], data[:300] + bytes([data[300] ^ 1]) + data[301:]:
        with open(image, "wb") as file:
            file.write(bad)
        done = context.run("--call", "run", image)
        expect_program_error(done, "damaged")


@test
def wasm_image_of_nothing(context):
    source = write(context, "bad.wat", "(module (func (export \"run\") (call 7)))")
    done = context.command([context.curfew, "compile", source])
    expect_program_error(done, "bad_program")
    expect(not os.path.exists(source.replace(".wat", ".curfew")), "an image was left behind")


def tests(context):
    return [Test("cli", function.__name__, function) for function in TESTS]
