# SPDX-License-Identifier: Apache-2.0
"""The build's options, the packages that are needed, and the files that an installation creates and removes."""

import ctypes
import glob
import os
import re
import shlex
import shutil
import struct

from .harness import ROOT, Skipped, Test, expect, expect_equal, read, shorten

# The C library of this process, to ask which names it has.
LIBC = ctypes.CDLL(None)

ALONE = ["-Dserver=false", "-Dconsole=false", "-Dfetch=false", "-Dtests=false"]


def words(name):
    return read(name).split()


# ---- Packages -----------------------------------------------------------------------------------------------------


def missing_packages(context, *arguments, **environment):
    """The packages that scripts/prepare asks for on a machine with none, except those that Debian always has."""
    directory = context.directory()
    with open(os.path.join(directory, "dpkg-query"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexit 0\n")
    os.chmod(os.path.join(directory, "dpkg-query"), 0o755)
    for tool in ("bash", "cat", "grep", "sed", "dirname"):
        os.symlink(shutil.which(tool), os.path.join(directory, tool))
    done = context.command(
        [os.path.join(directory, "bash"), os.path.join(ROOT, "scripts/prepare"), *arguments],
        env={"PATH": directory, **environment},
    )
    expect_equal("exit code", done.code, 1)
    said = done.err.decode()
    expect(said.startswith("curfew: missing packages; run as root: apt-get install "), said)
    return set(said.partition("install ")[2].split())


def check_packages(context):
    all_of_them, for_tests = words("apt-packages.txt"), words("apt-packages-check.txt")
    expect_equal("packages for tests that are not in apt-packages.txt", sorted(set(for_tests) - set(all_of_them)), [])
    expect_equal("with --check", missing_packages(context, "--check"), set(all_of_them))
    needed = missing_packages(context)
    expect_equal("without", needed, set(all_of_them) - set(for_tests))
    expect(
        not needed & {"chromium", "golang-go", "nodejs", "npm", "python3-pytest"}, f"make demo would install {needed}"
    )
    alone = missing_packages(context, CURFEW_OPTIONS=" ".join(ALONE))
    expect_equal(
        "what the options save", needed - alone, {"libmicrohttpd-dev", "libgnutls28-dev", "libcurl4-openssl-dev"}
    )


def check_engine_of_settings(context):
    """The engine that is kept for one set of cargo's settings serves no other."""
    kept = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    own = os.path.join(context.directory(), "curfew-build")
    os.mkdir(own)
    for sources in glob.glob(os.path.join(kept, "curfew-build", "sources-*")):
        os.symlink(sources, os.path.join(own, os.path.basename(sources)))
    places = []
    for level, lto in (("3", "off"), ("s", "off"), ("s", "fat")):
        done = context.command(
            [os.path.join(ROOT, "engine/build"), "--where"],
            env={
                "XDG_CACHE_HOME": os.path.dirname(own),
                "CARGO_PROFILE_RELEASE_OPT_LEVEL": level,
                "CARGO_PROFILE_RELEASE_LTO": lto,
            },
        )
        expect_equal("exit code", done.code, 0)
        places.append(done.out)
    expect_equal("places of three engines", len(set(places)), 3)


# ---- The library alone ----------------------------------------------------------------------------------------------

# Objects of the whole build that the options leave out, and their replacements.
LEFT_OUT = {
    "src/libcurfew_core.a.p": (
        ["host_curl", "host_fetch", "host_fetch_session", "host_resolver", "host_transfer"],
        ["src/host/no_fetch.c"],
    ),
    "curfew.p": (
        ["cli_http", "cli_admin", "cli_serve", "server_*", "meson-generated_*"],
        ["cli/no_http.c", "cli/no_serve.c", "server/config.c"],
    ),
}


def symbols(context, path):
    """The names that an object defines, and those that it needs."""
    rows = [line.split() for line in context.command(["nm", path]).out.decode().splitlines()]
    return {row[-1] for row in rows if row[-2] in "TDBRV"}, {row[-1] for row in rows if row[-2] == "U"}


def check_stand_ins(context, directory, left_out, stand_ins):
    """The replacements define every name that the remaining objects need of the objects that are left out."""
    objects = glob.glob(os.path.join(context.build, directory, "*.o"))
    gone = {
        path for pattern in left_out for path in glob.glob(os.path.join(context.build, directory, pattern + ".c.o"))
    }
    expect(gone and len(objects) > len(gone), f"{directory} has no objects")
    was = set().union(*(symbols(context, path)[0] for path in gone))
    wanted = set().union(*(symbols(context, path)[1] for path in objects if path not in gone))
    has, scratch = set(), context.directory()
    for source in stand_ins:
        out = os.path.join(scratch, os.path.basename(source) + ".o")
        done = context.command(
            [
                "cc",
                "-std=gnu11",
                "-D_GNU_SOURCE",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wno-unused-parameter",
                "-Iinclude",
                "-Isrc",
                "-I.",
                "-c",
                source,
                "-o",
                out,
            ],
            cwd=ROOT,
            timeout=60,
        )
        expect(done.code == 0, done.err.decode())
        has |= symbols(context, out)[0]
    expect_equal(
        f"names of {directory} that nothing defines",
        sorted(name for name in wanted & was - has if not hasattr(LIBC, name)),
        [],
    )


def check_alone(context):
    """The options leave out their dependencies, and the rest is complete."""
    if context.is_sanitized:
        raise Skipped("the same without sanitizers")
    for name, (left_out, stand_ins) in LEFT_OUT.items():
        check_stand_ins(context, name, left_out, stand_ins)
    with open(os.path.join(context.build, "prepared"), encoding="utf-8") as file:
        prepared = file.read().strip()
    directory = context.directory()
    # A machine that has pkg-config files only of these libraries, and no npm.
    known = os.path.join(directory, "pkgconfig")
    os.mkdir(known)
    for name in ("libsodium", "sqlite3", "jansson", "libseccomp"):
        place = context.command(["pkg-config", "--variable=pcfiledir", name]).out.decode().strip()
        os.symlink(os.path.join(place, name + ".pc"), os.path.join(known, name + ".pc"))
    build = os.path.join(directory, "build")
    options = ["-Dprepared=" + prepared, "-Db_lundef=false", "--wrap-mode=nofallback"]
    environment = {"PKG_CONFIG_LIBDIR": known, "PKG_CONFIG_PATH": "", "CMAKE_PREFIX_PATH": "/nowhere"}
    done = context.command(["meson", "setup", build, ROOT, *options, *ALONE], env=environment, timeout=120)
    expect(done.code == 0, shorten(done.out.decode(), 3000))
    built = "".join(
        context.command(["ninja", "-C", build, "-t", tool, "product"], timeout=60).out.decode()
        for tool in ("inputs", "query")
    )
    for part in ("console/", "server/routes.c", "microhttpd", "host/fetch.c", "cli/serve.c", "codemirror", "_test.c"):
        expect(part not in built, f"{part} would be built: {shorten(built)}")
    for part in ("libcurfew.so", "libcurfew.a", "curfew-compiler", "src/host/no_fetch.c"):
        expect(part in built, f"{part} would not be built")


# ---- The console's editor -------------------------------------------------------------------------------------------


def members(text):
    return set(re.findall(r"^\t(?:get )?(\w+)\(.*\) \{$", text, re.M))


def check_plain_editor(context):
    """Without Node the page has a text area with all members that the page uses of its editor."""
    directory, tools = context.directory(), context.directory()
    for tool in ("bash", "cat", "sha256sum", "cut", "dirname", "mkdir", "flock", "rm", "cp", "sort"):
        os.symlink(shutil.which(tool), os.path.join(tools, tool))
    environment = {"PATH": tools, "XDG_CACHE_HOME": os.path.join(directory, "cache")}
    build = [os.path.join(tools, "bash"), os.path.join(ROOT, "console/build")]
    expect_equal("which", context.command([*build, "--which"], env=environment).out.decode(), "plain\n")
    done = context.command([*build, os.path.join(directory, "out")], env=environment)
    expect(done.code == 0, done.err.decode())
    listed = sorted(os.listdir(os.path.join(directory, "out")))
    expect_equal(
        "files", [name for name in listed if name != "list"], sorted(os.listdir(os.path.join(ROOT, "console/web")))
    )
    plain, whole = (
        open(path, encoding="utf-8").read()
        for path in (os.path.join(directory, "out/editor.js"), os.path.join(ROOT, "console/web/editor.js"))
    )
    expect_equal("members", members(plain), members(whole[whole.index("export class Editor") :]))
    expect("codemirror" not in plain, "the plain editor needs the bundle")


# ---- Without Node ---------------------------------------------------------------------------------------------------


def check_empty_packs(context):
    """Without Node a build contains nothing of npm's packages, until there is a Node."""
    directory, tools = context.directory(), context.directory()
    for tool in ("bash", "cat", "sed", "tr", "sha256sum", "cut", "dirname", "mkdir", "flock"):
        os.symlink(shutil.which(tool), os.path.join(tools, tool))
    environment = {"PATH": tools, "XDG_CACHE_HOME": os.path.join(directory, "cache")}
    for part, *locales in (("intl", "en,de"), ("node",)):
        build = [os.path.join(tools, "bash"), os.path.join(ROOT, "guest", part, "build")]
        for name in ("node", "npm"):
            expect_equal(f"{part} --which", context.command([*build, "--which"], env=environment).out, b"none\n")
            out = os.path.join(directory, part + ".pack")
            done = context.command([*build, out, *locales], env=environment)
            expect_equal(part, (done.code, done.err, os.path.getsize(out)), (0, b"", 0))
            os.symlink("/bin/false", os.path.join(tools, name))
        # Now both exist. The name of the pack changes, so it is made now.
        which = context.command([*build, "--which"], env=environment).out.decode()
        expect(which.startswith(environment["XDG_CACHE_HOME"]), which)
        for name in ("node", "npm"):
            os.unlink(os.path.join(tools, name))


def keep_assets(source, target, kept):
    """Copies those assets of a guest.assets (src/js/assets.h) whose names are kept."""
    with open(source, "rb") as file:
        data = file.read()
    (count,) = struct.unpack_from("<I", data)
    entries = [struct.unpack_from("<6I", data, 8 + 24 * i) for i in range(count)]
    chosen = [entry for entry in entries if data[entry[0] : entry[0] + entry[1]].decode() in kept]
    expect_equal("assets", len(chosen), len(kept))
    head, tail = struct.pack("<II", len(chosen), 0), b""
    for name, name_length, at, length, packed, method in chosen:
        place = 8 + 24 * len(chosen) + len(tail)
        head += struct.pack("<6I", place, name_length, place + name_length, length, packed, method)
        tail += data[name : name + name_length] + data[at : at + (packed or length)]
    with open(target, "wb") as file:
        file.write(head + tail)


def link_without_packs(context):
    """The command of a build without Node."""
    directory, parts = context.directory(), os.path.join(context.build, "src")
    keep_assets(os.path.join(parts, "guest.assets"), os.path.join(directory, "assets"), {"modules"})
    files = {
        "IMAGE": os.path.join(parts, "guest.image"),
        "WASM": os.path.join(parts, "guest.packed"),
        "PLAIN": os.path.join(parts, "guest.plain"),
        "METERED": os.path.join(parts, "guest.metered"),
        "ASSETS": os.path.join(directory, "assets"),
    }
    embedded, made = os.path.join(directory, "embedded.o"), os.path.join(directory, "curfew")
    defines = [f'-D{name}="{path}"' for name, path in files.items()]
    done = context.command(["cc", "-c", os.path.join(ROOT, "src/js/embed.S"), *defines, "-o", embedded])
    expect(done.code == 0, done.err.decode())
    # The linker takes the first definition, so the library's own is ignored.
    commands = context.command(["ninja", "-C", context.build, "-t", "commands", "curfew"], timeout=60).out.decode()
    words = shlex.split(commands.strip().split("\n")[-1])
    words[words.index("curfew")] = made
    words.insert(words.index(made) + 1, embedded)
    done = context.command(words, cwd=context.build, timeout=300)
    expect(done.code == 0, shorten(done.err.decode(), 3000))
    os.symlink(os.path.join(context.build, "curfew-compiler"), os.path.join(directory, "curfew-compiler"))
    return made


def check_without_packs(context):
    """A build without Node runs programs, and reports what it lacks."""
    if context.is_sanitized:
        raise Skipped("the same without sanitizers")
    curfew, directory = link_without_packs(context), context.directory()

    def run(text, *options, name="program.mjs"):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)
        done = context.command([curfew, "run", "--print", *options, os.path.join(directory, name)])
        return done.code, done.out.decode(), done.err.decode()

    without = "this curfew was built without it, since node and npm were missing"
    expect_equal("value", run("export default 6 * 7")[:2], (0, "42\n"))
    with open(os.path.join(directory, "other.mjs"), "w", encoding="utf-8") as file:
        file.write("export const n = 42;")
    expect_equal("an import", run("import { n } from './other.mjs'; export default n")[:2], (0, "42\n"))
    text = (
        "export default [typeof Intl, (1234.5).toLocaleString(), 'b'.localeCompare('a'), 'I'.toLocaleLowerCase('tr')]"
    )
    expect_equal("locales", run(text)[:2], (0, '["undefined","1234.5",1,"i"]\n'))
    for what, code, said in (
        ("TypeScript", 3, run("export default (1 as number)", name="program.mts")),
        ("a module of Node's", 3, run("import fs from 'node:fs'; export default fs")),
        ("Node's globals", 1, run("export default process.version", "--node")),
    ):
        expect_equal(f"{what}: exit code", said[0], code)
        expect(without in said[2], f"{what}: {said}")


# ---- The static library -----------------------------------------------------------------------------------------------


def check_static_library(context):
    """It has few sections, which linkers and tools for ELF go through quickly, and its only names are the public ones. What
    cannot be reached from those is not in it."""
    if context.is_sanitized:
        raise Skipped("the same without sanitizers")
    library, directory = os.path.join(context.build, "libcurfew.a"), context.directory()

    def out(*command):
        done = context.command(list(command), timeout=120)
        expect(done.code == 0, done.err.decode())
        return done.out.decode()

    def names(*options):
        return set(re.findall(r"^(\w+)", out("nm", "--defined-only", "--format=posix", *options), re.M))

    with open(os.path.join(ROOT, "src/exported.map"), encoding="utf-8") as file:
        expect("global: curfew_[a-z]*;" in file.read(), "other names are exported")
    shared = names("--dynamic", os.path.join(context.build, "libcurfew.so"))
    expect_equal("public names", names("--extern-only", library) - {"libcurfew"}, shared)
    sections = out("readelf", "--file-header", library)
    expect(int(re.search(r"Number of section headers: *(\d+)", sections)[1]) in range(1, 100), sections)
    size, whole = (os.path.getsize(os.path.join(context.build, name)) for name in ("libcurfew.a", "libcurfew.so"))
    expect(size < 1.5 * whole, f"the static library has {size} bytes, the shared one {whole}")
    program = os.path.join(directory, "embed")
    libraries = ["-lsodium", "-lsqlite3", "-ljansson", "-lz", "-lm", "-ldl", "-lpthread"]
    source = os.path.join(ROOT, "examples/embed.c")
    out("cc", "-I" + os.path.join(ROOT, "include"), source, library, *libraries, "-o", program)
    expect(".eh_frame_hdr" in out("readelf", "--sections", "--wide", program), "debuggers cannot walk its stack")
    expect_equal("embed", out(program), 'ok: {"answer":42}\n')


# ---- Installing -------------------------------------------------------------------------------------------------------


def check_install(context):
    """The installed files work, and make uninstall removes all of them."""
    if context.is_sanitized:
        raise Skipped("the same without sanitizers")
    place = os.path.join(context.directory(), "root")
    done = context.command(
        ["meson", "install", "-C", context.build, "--no-rebuild", "--quiet"], env={"DESTDIR": place}, timeout=120
    )
    expect(done.code == 0, done.err.decode() + done.out.decode())
    files = [
        os.path.relpath(os.path.join(directory, name), place)
        for directory, _, names in os.walk(place)
        for name in names
    ]
    for part in (
        "bin/curfew",
        "include/curfew.h",
        "curfew.pc",
        "libcurfew.a",
        "man1/curfew.1",
        "libexec/curfew-compiler",
    ):
        expect(any(name.endswith(part) for name in files), f"{part} is not installed: {files}")
    expect(not any("test" in name for name in files), f"tests are installed: {files}")
    (curfew,) = [os.path.join(place, name) for name in files if name.endswith("bin/curfew")]
    expect_equal("value", context.command([curfew, "run", "--print", "--lang", "js", "-"], stdin=b"6 * 7").out, b"42\n")
    done = context.command([os.path.join(ROOT, "scripts/uninstall"), context.build])
    expect(done.code == 0, done.err.decode())
    left = [os.path.join(directory, name) for directory, _, names in os.walk(place) for name in names]
    expect_equal("what is left", left, [])
    done = context.command([os.path.join(ROOT, "scripts/uninstall"), context.build])
    expect_equal("a second time", (done.code, done.err.startswith(b"curfew: nothing was installed")), (1, True))


def tests(context):
    return [
        Test("packaging", "packages", check_packages),
        Test("packaging", "engine-of-settings", check_engine_of_settings),
        Test("packaging", "alone", check_alone),
        Test("packaging", "plain-editor", check_plain_editor),
        Test("packaging", "empty-packs", check_empty_packs),
        Test("packaging", "without-packs", check_without_packs),
        Test("packaging", "static-library", check_static_library),
        Test("packaging", "install", check_install),
    ]
