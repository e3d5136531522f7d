# SPDX-License-Identifier: Apache-2.0
"""Guests' memory: images that an attacker who knows the engine has modified, and pages of both sizes."""

import hashlib
import mmap
import os
import resource
import struct

from .cli import write
from .harness import Failed, Skipped, Test, expect, expect_equal

TESTS = []

PAGE = 4096
MIB = 1 << 20

# The layout of an image file: magic, checksum, ..., three lengths, ..., then the name, the page numbers, and the pages.
IMAGE_HEAD_BYTES, IMAGE_CHECKSUM_AT, IMAGE_SUMMED_FROM, IMAGE_LENGTHS_AT = 168, 8, 40, 72

# The engine's layout with 32-bit pointers: a string's characters follow a head of this size; an object's fields.
STRING_HEAD_BYTES = 16
OBJECT_FLAGS_AT, OBJECT_CLASS_AT, OBJECT_ARRAY_AT, OBJECT_DATA_AT = 8, 10, 24, 24
OBJECT_EXOTIC, OBJECT_FAST_ARRAY, UINT32_ARRAY_CLASS = 1 << 3, 1 << 4, 28
OBJECT_TAG, NUMBER_ADDEND = 0xFFFFFFFF, 0x7FF8000A << 32
MANY_REFERENCES = 0x10000000

# The parts of a forged program: two numbers that become objects, and a text that makes space for them.
ALL_MEMORY, ELSEWHERE = 3.0625e101, 7.40625e203
ROOM = "ROOM_FOR_FORGED_OBJECTS_"
HEAD = f"const memory = {ALL_MEMORY!r}, room = '{ROOM}{'.' * 700}';\n"


def test(function):
    TESTS.append(function)
    return function


class Image:
    """The pages of a program's image, by their addresses in the guest."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = bytearray(file.read())
        _, pages, name_length = struct.unpack_from("<QQQ", self.data, IMAGE_LENGTHS_AT)
        numbers = struct.unpack_from(f"<{pages}I", self.data, IMAGE_HEAD_BYTES + name_length)
        first = IMAGE_HEAD_BYTES + name_length + 4 * pages
        self.places = {number * PAGE: first + PAGE * i for i, number in enumerate(numbers)}

    def write(self, address, content):
        for i, byte in enumerate(content):
            place = self.places[(address + i) // PAGE * PAGE]
            self.data[place + (address + i) % PAGE] = byte

    def find(self, content):
        """The addresses of these bytes in the pages, even if they span two consecutive pages of the file."""
        found = []
        for address, place in self.places.items():
            at = self.data.find(content, place, place + PAGE + len(content) - 1)
            while 0 <= at < place + PAGE:
                found.append(address + at - place)
                at = self.data.find(content, at + 1, place + PAGE + len(content) - 1)
        return found

    def save(self, path):
        self.data[IMAGE_CHECKSUM_AT:IMAGE_SUMMED_FROM] = hashlib.sha256(self.data[IMAGE_SUMMED_FROM:]).digest()
        with open(path, "wb") as file:
            file.write(self.data)


def object_value(address):
    return struct.pack("<II", address, OBJECT_TAG)


def number_value(number):
    (bits,) = struct.unpack("<Q", struct.pack("<d", number))
    return struct.pack("<Q", (bits - NUMBER_ADDEND) % (1 << 64))


def array_over_all(address):
    """The bytes of an object at this address: a Uint32Array over the whole memory, followed by its parts."""
    parts = bytearray(256)
    struct.pack_into("<HHi", parts, 0, 0xFFFF, 0, MANY_REFERENCES)
    body, array, buffer, data = 8, 72, 136, 200
    struct.pack_into(
        "<BBH", parts, body + OBJECT_FLAGS_AT, OBJECT_EXOTIC | OBJECT_FAST_ARRAY | 2, 0, UINT32_ARRAY_CLASS
    )
    struct.pack_into("<III", parts, body + OBJECT_ARRAY_AT, address - body + array, 0, 0x3FFFFFFF)
    struct.pack_into("<I", parts, array + 12, address - body + buffer)
    struct.pack_into("<I", parts, buffer + OBJECT_DATA_AT, address - body + data)
    return bytes(parts)


def forge(context, source, elsewhere=0):
    """An image of the program in which `memory` is an array over all memory, and ELSEWHERE an object at that
    address."""
    path = write(context, "forged.js", HEAD + source)
    image = path[:-3] + ".curfew"
    done = context.command([context.curfew, "compile", path, "-o", image])
    expect_equal("compile", (done.code, done.err), (0, b""))
    forged = Image(image)
    rooms = [at for at in forged.find(ROOM.encode() + b"." * 100)]
    if not rooms:
        raise Failed("the program's text constant is not in the image")
    place = (rooms[-1] + len(ROOM) + 31) // 16 * 16
    forged.write(place - 8, array_over_all(place))
    for number, address in (ALL_MEMORY, place), (ELSEWHERE, elsewhere):
        for at in forged.find(number_value(number)):
            forged.write(at, object_value(address))
    forged.save(image)
    return image


def call(context, image, address, *options):
    return context.report(*options, "--call", "go", "--params", f"[{address}]", image)[0]


@test
def forged_images_reach_their_memory(context):
    """The control for the tests below: the forgery works with this engine."""
    image = forge(
        context,
        "function go(at) { const before = memory[at / 4]; memory[at / 4] = 4660; return [before, memory[at / 4]]; }",
    )
    report = call(context, image, 65536)
    expect_equal("value", (report["outcome"], report["value"]), ("ok", [0, 4660]))


@test
def nothing_is_written_behind_the_size(context):
    # Claim T17.
    """Accesses below the memory limit, but beyond the current size of the memory."""
    image = forge(context, "function go(at) { memory[at / 4] = 4660; return memory[at / 4]; }")
    for address in (16 * MIB, 60 * MIB):
        report = call(context, image, address)
        expect_equal("outcome", report["outcome"], "trapped")
        expect(report["used"]["memory_peak_bytes"] < 16 * MIB, f"peak: {report['used']['memory_peak_bytes']}")
    report = call(context, forge(context, "function go(at) { return memory[at / 4]; }"), 60 * MIB)
    expect_equal("outcome of reading", report["outcome"], "trapped")


@test
def what_it_grew_into_is_counted(context):
    source = "function go(at) { const own = new ArrayBuffer(40 << 20); memory[at / 4] = 4660; return [own.byteLength, memory[at / 4]]; }"
    report = call(context, forge(context, source), 36 * MIB)
    expect_equal("value", (report["outcome"], report["value"]), ("ok", [40 * MIB, 4660]))
    expect(report["used"]["memory_peak_bytes"] > 40 * MIB, f"peak: {report['used']['memory_peak_bytes']}")


@test
def loops_in_memory_that_it_grew_into_are_stopped(context):
    # Claims T7, T47.
    """An object that is its own prototype: looking up a name in it is a loop in the engine, which never polls."""
    place = 32 * MIB
    source = f"""
function put(at, value) {{ memory[at / 4] = value; }}
function go(at) {{
	const own = new ArrayBuffer(40 << 20), shape = at + 4096;
	put(at - 4, {MANY_REFERENCES});
	put(at + 8, 65538);
	put(at + 12, shape);
	put(shape + 16, 3);
	put(shape + 36, at);
	curfew.checkpoint('looks');
	const object = {ELSEWHERE!r};
	return [object.nothing, own.byteLength];
}}"""
    image = forge(context, source, elsewhere=place)
    for limit, outcome in (("--timeout", "deadline"), ("--cpu", "cpu")):
        report = call(context, image, place, limit, "300ms")
        expect_equal(limit, (report["outcome"], report["partial"]), (outcome, "looks"))


# ---- Sizes of pages -----------------------------------------------------------------------------------------------


def faults(context, *options):
    """The page faults of a run that touches 300 MiB."""
    path = write(
        context,
        "touch.js",
        "const a = new Uint8Array(300 << 20); for (let i = 0; i < a.length; i += 4096) a[i] = 1; a.length",
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    report, _ = context.report("--memory", "400MiB", "--timeout", "60s", *options, path)
    expect_equal("value", (report["outcome"], report["value"]), ("ok", 300 * MIB))
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before


def huge_pages_are_offered():
    directory = "/sys/kernel/mm/transparent_hugepage"
    for name in f"{directory}/hugepages-2048kB/enabled", f"{directory}/enabled":
        try:
            with open(name, encoding="ascii") as file:
                choice = file.read().split("[")[1].split("]")[0]
        except OSError:
            continue
        if choice != "inherit":
            return choice in ("always", "madvise")
    return False


def huge_pages_are_given():
    """Whether the system can give huge pages to this process now. It cannot if its memory is fragmented."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    with mmap.mmap(-1, 300 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for at in range(0, 300 * MIB, 4096):
            memory[at] = 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 300 * MIB // 4096 // 8


def check_faults(context, most, *options):
    seen = faults(context, *options)
    if seen >= most and not huge_pages_are_given():
        raise Skipped("this system has no huge pages left")
    expect(seen < most, f"{seen} page faults with {' '.join(options)}, at most {most} expected")


@test
def hugepages(context):
    if not huge_pages_are_offered():
        raise Skipped("this system offers no huge pages")
    small = faults(context)
    check_faults(context, small / 4, "--hugepages")
    if context.can_confine:
        check_faults(context, small / 2, "--hugepages", "--isolate", "process")


@test
def hugepages_are_stopped_and_reset(context):
    # Claim L44.
    path = write(
        context,
        "loop.js",
        "const a = new Uint8Array(100 << 20); for (;;) for (let i = 0; i < a.length; i += 4096) a[i]++;",
    )
    report, _ = context.report("--hugepages", "--memory", "200MiB", "--timeout", "300ms", path)
    expect_equal("outcome", report["outcome"], "deadline")
    path = write(
        context,
        "fresh.js",
        "const a = new Uint8Array(3 << 20), seen = a.every(x => x === 0); a.fill(1); if (!seen) throw new Error('not fresh')",
    )
    done = context.command([context.curfew, "bench", "--hugepages", "--runs", "20", path])
    expect_equal("bench", (done.code, done.err), (0, b""))


@test
def hugepages_takes_no_value(context):
    done = context.command([context.curfew, "serve", "--hugepages=on"])
    expect_equal("exit", done.code, 2)
    settings = write(context, "settings", "hugepages = many\n")
    done = context.command([context.curfew, "serve", "--config", settings, "--data", os.path.dirname(settings)])
    expect_equal("exit", done.code, 2)
    expect(b"hugepages many: must be on or off" in done.err, f"stderr: {done.err}")


def tests(context):
    # Page faults are counted over all children, so no other test may run at the same time.
    return [Test("cli", "memory/" + function.__name__, function, alone=function is hugepages) for function in TESTS]
