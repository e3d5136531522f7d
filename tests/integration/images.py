# SPDX-License-Identifier: Apache-2.0
"""Images of WebAssembly programs. They run without a compiler where they were made, and with one anywhere else."""

import os

from .cli import expect_program_error, write
from .harness import Test, expect, expect_equal, tiers

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
    """Compiled code that another user made is not executed. The program in the image is compiled again."""
    _, image = compile_triple(context)
    report = run(context, image, env={"XDG_CACHE_HOME": context.directory()})
    expect_equal("value", (report["outcome"], report["value"]), ("ok", 42))


def poly1305(message, key):
    """RFC 8439, section 2.5."""
    r, s, total = (
        int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF,
        int.from_bytes(key[16:], "little"),
        0,
    )
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    return ((total + s) & ((1 << 128) - 1)).to_bytes(16, "little")


@test
def wasm_image_forged(context):
    # Claim T6.
    """Changed code with a corrected checksum is not executed either."""
    _, image = compile_triple(context)
    with open(image, "rb") as file:
        data = bytearray(file.read())
    data[-200:-100] = bytes(100)
    covered = 8 + 16 + 24 + 16
    data[8:24] = poly1305(bytes(data[covered:]), b"finds damage, and nothing else.\0")
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
def image_cut_short(context):
    """However little is left of an image, it does not become a program of another kind."""
    _, image = compile_triple(context)
    with open(image, "rb") as file:
        data = file.read()
    for length in 0, 1, 7:
        with open(image, "wb") as file:
            file.write(data[:length])
        for isolate in tiers(context):
            expect_program_error(context.run(*isolate, image), "triple.curfew is not an image")


class Layout:
    """The offsets of the fields of an image's head."""

    def __init__(self, covered, sha256, lengths, head):
        self.covered, self.sha256, self.lengths, self.head = covered, sha256, lengths, head


LAYOUTS = {"js": Layout(40, 96, (72, 80, 88), 168), "wat": Layout(72, 72, (144, 152, 160, 168), 240)}


def forge(data, layout, at, bytes_):
    """The image with other bytes at an offset, and a corrected checksum."""
    import hashlib

    forged = bytearray(data)
    forged[at : at + len(bytes_)] = bytes_
    forged[8:40] = hashlib.sha256(forged[layout.covered :]).digest()
    return bytes(forged)


def forgeries(data, layout):
    """Every field that describes the program, with an invalid value."""
    yield "SHA-256 of control characters", forge(data, layout, layout.sha256, b"\x1b[2J" + b"not a sum".ljust(60, b"."))
    yield (
        "SHA-256 in capitals",
        forge(data, layout, layout.sha256, data[layout.sha256 : layout.sha256 + 64].upper().replace(b"0", b"A")),
    )
    yield "SHA-256 too short", forge(data, layout, layout.sha256 + 63, b"\0")
    yield "SHA-256 without an end", forge(data, layout, layout.sha256 + 64, b"a")
    yield "what is reserved", forge(data, layout, layout.sha256 + 68, b"x")
    yield "a NUL in the name", forge(data, layout, layout.head + 1, b"\0")
    yield "a control character in the name", forge(data, layout, layout.head + 1, b"\x1b")
    yield "a name of the engine's", forge(data, layout, layout.head, b"curfew:")
    for field in layout.lengths:
        for value in 0xFFFFFFFFFFFFFFFF, 1 << 63, 1 << 32, int.from_bytes(data[field : field + 8], "little") + 1:
            yield f"length {value:x} at {field}", forge(data, layout, field, value.to_bytes(8, "little"))


@test
def image_with_forged_fields(context):
    # Claims T6, T47.
    """Invalid descriptions in an image are refused before they can reach a report, in process and in a confined
    process."""
    for kind, text in ("js", "export default 42"), ("wat", TRIPLE):
        source = write(context, f"a-long-name.{kind}", text)
        image = source + ".curfew"
        done = context.command([context.curfew, "compile", source, "-o", image])
        expect_equal("compile", (done.code, done.err), (0, b""))
        with open(image, "rb") as file:
            data = file.read()
        for what, forged in forgeries(data, LAYOUTS[kind]):
            expect(forged != data, f"{kind}: {what}: nothing was changed")
            with open(image, "wb") as file:
                file.write(forged)
            for isolate in tiers(context):
                done = context.run(*isolate, image)
                expect(
                    done.code == 3 and b"damaged" in done.err and b"\x1b" not in done.err,
                    f"{kind} {isolate}: {what}: exit {done.code}, {done.err!r}",
                )


@test
def what_an_image_was_doing(context):
    """The report of a stop says the same whether the program came from its source or from its image."""
    for text, doing in (
        ("for (;;);", "running"),
        ("await new Promise((resolve) => setTimeout(resolve, 1e6));", "waiting"),
    ):
        source = write(context, "program.mjs", text)
        expect_equal("compile", context.command([context.curfew, "compile", source]).code, 0)
        for path in source, source.replace(".mjs", ".curfew"):
            report, _ = context.report("--timeout", "500ms", path)
            expect_equal(path, report["stop"]["while"], doing)


@test
def wasm_image_of_nothing(context):
    source = write(context, "bad.wat", '(module (func (export "run") (call 7)))')
    done = context.command([context.curfew, "compile", source])
    expect_program_error(done, "bad_program")
    expect(not os.path.exists(source.replace(".wat", ".curfew")), "an image was left behind")


def tests(context):
    return [Test("cli", function.__name__, function) for function in TESTS]
