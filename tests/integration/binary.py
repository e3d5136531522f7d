# SPDX-License-Identifier: Apache-2.0
"""WebAssembly files that tests and benchmarks assemble byte by byte (core specification, section 5)."""

HEADER = b"\0asm\1\0\0\0"


def leb(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def section(number, content):
    return bytes([number]) + leb(len(content)) + content


def custom(name, content):
    return section(0, leb(len(name)) + name.encode() + content)


def module(bodies, *more):
    """Functions without parameters, the first of which is exported as f, with one memory and one global."""
    count = leb(len(bodies))
    code = b"".join(leb(len(body) + 2) + b"\0" + body + b"\x0b" for body in bodies)
    return (
        HEADER
        + section(1, b"\1\x60\0\0")
        + section(3, count + b"\0" * len(bodies))
        + section(5, b"\1\0\1")
        + section(6, b"\1\x7f\1\x41\0\x0b")
        + section(7, b"\1\1f\0\0")
        + section(10, count + code)
        + b"".join(more)
    )
