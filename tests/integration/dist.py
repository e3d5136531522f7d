# SPDX-License-Identifier: Apache-2.0
"""The results of make dist, used like their users do: in an empty root, in a bare Debian, from other languages. Skipped
if there is no dist/."""

import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import threading

from .harness import ROOT, Skipped, Test, expect, expect_equal, make_certificate, read, shorten

DIST = os.path.join(ROOT, "dist")
HOSTILE = os.path.join(ROOT, "examples/hostile.js")


def made(pattern):
    found = glob.glob(os.path.join(DIST, pattern))
    if not found:
        raise Skipped("make dist was not run")
    expect_equal(f"files like {pattern}", len(found), 1)
    return found[0]


def run(context, *command, timeout=300, **options):
    done = context.command(list(command), timeout=timeout, **options)
    expect(
        done.code == 0,
        f"exit {done.code}: {' '.join(command)}\n{shorten((done.out + done.err).decode(errors='replace'), 3000)}",
    )
    return done.out.decode()


def need_root():
    if os.geteuid() != 0:
        raise Skipped("only root can change its root directory")


# ---- All of it ------------------------------------------------------------------------------------------------------


def check_sums(context):
    lines = dict(
        reversed(line.split("  ", 1)) for line in open(made("SHA256SUMS"), encoding="utf-8").read().splitlines()
    )
    expect_equal("files", sorted(lines), sorted(set(os.listdir(DIST)) - {"SHA256SUMS"}))
    for name, digest in lines.items():
        expect_equal(name, hashlib.sha256(open(os.path.join(DIST, name), "rb").read()).hexdigest(), digest)


def check_spdx(context):
    document = json.load(open(made("*.spdx.json"), encoding="utf-8"))
    expect_equal("version", document["spdxVersion"], "SPDX-2.3")
    ids = [package["SPDXID"] for package in document["packages"]]
    expect_equal("ids given twice", len(ids), len(set(ids)))
    names = {package["name"] for package in document["packages"]}
    for name in ("curfew", "wasmtime", "rquickjs-sys", "curl-sys", "libsodium-dev", "@codemirror/view"):
        expect(name in names, f"{name} is not in the list")
    expect(
        {row["relatedSpdxElement"] for row in document["relationships"]} == set(ids),
        "what is related is not what is listed",
    )


# ---- The static command ---------------------------------------------------------------------------------------------


def unpack(context):
    place = context.directory()
    run(context, "tar", "-xJf", made("curfew-*-linux-x86_64.tar.xz"), "-C", place)
    return glob.glob(os.path.join(place, "curfew-*"))[0]


def check_static(context):
    """In an empty root: no library, no /proc, no /etc."""
    need_root()
    root = unpack(context)
    size = os.path.getsize(os.path.join(root, "bin/curfew"))
    expect(size <= 32_000_000, f"curfew has {size} bytes, more than 32 MB")
    for name in ("bin/curfew", "libexec/curfew-compiler"):
        described = run(context, "readelf", "-ld", os.path.join(root, name))
        expect("GNU_RELRO" in described, f"{name} has lost its read-only parts")
        expect("INTERP" not in described and "(NEEDED)" not in described, f"{name} needs a dynamic linker")
        expect(
            ".symtab" not in run(context, "readelf", "-S", "-W", os.path.join(root, name)), f"{name} is not stripped"
        )
    shutil.copy(HOSTILE, root)
    with open(os.path.join(root, "add.wat"), "w", encoding="utf-8") as file:
        file.write('(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))')
    curfew = ["chroot", root, "/bin/curfew"]
    expect("curfew " in run(context, *curfew, "--version"), "no version")
    expect_equal("value", run(context, *curfew, "run", "--print", "--lang", "js", "-", stdin=b"6 * 7"), "42\n")
    expect_equal(
        "value", run(context, *curfew, "run", "--print", "--call", "add", "--params", "[40,2]", "/add.wat"), "42\n"
    )
    done = context.command([*curfew, "run", "--timeout", "300ms", "/hostile.js"])
    expect_equal("exit code", done.code, 124)
    expect(b"hostile.js" in done.err, done.err.decode())
    return 1


def check_static_fetch(context):
    """fetch and name resolution work with the linked-in libraries."""
    need_root()
    root = unpack(context)
    os.mkdir(os.path.join(root, "etc"))
    with open(os.path.join(root, "etc/hosts"), "w", encoding="utf-8") as file:
        file.write("127.0.0.1 here.example\n")
    # Services of another libc's distribution must be ignored.
    with open(os.path.join(root, "etc/nsswitch.conf"), "w", encoding="utf-8") as file:
        file.write("hosts: mymachines resolve [!UNAVAIL=return] myhostname\n")
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"from the server")

        def log_message(self, *unused):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        text = f"fetch('http://here.example:{port}/').then((r) => r.text())".encode()
        out = run(
            context,
            "chroot",
            root,
            "/bin/curfew",
            "run",
            "--print",
            "--allow-fetch",
            f"here.example:{port}",
            "--allow-fetch",
            f"127.0.0.1:{port}",
            "--lang",
            "js",
            "-",
            stdin=text,
        )
        server.shutdown()
    expect_equal("value", out, '"from the server"\n')


def check_static_serve(context):
    """The server, its workers and its page work. TLS is refused with a reason."""
    place = unpack(context)
    curfew = os.path.join(place, "bin/curfew")
    expect_equal(
        "value",
        run(context, curfew, "run", "--isolate", "process", "--print", "--lang", "js", "-", stdin=b"6 * 7"),
        "42\n",
    )
    process = context.spawn(
        [curfew, "serve", "--listen", "127.0.0.1:0", "--data", context.directory()], stderr=subprocess.PIPE, text=True
    )
    try:
        url = next(
            found[0]
            for found in (re.search(r"http://127\.0\.0\.1:\d+", line) for line in iter(process.stderr.readline, ""))
            if found
        )
        out = run(
            context, curfew, "submit", "--wait", "--server", url, HOSTILE.replace("hostile", "hello"), "--", "World"
        )
        expect_equal("output", out, "Hello, World!\n")
    finally:
        process.terminate()
        process.communicate(timeout=60)
    done = context.command([curfew, "serve", "--listen", "127.0.0.1:0", "--store", "postgres://localhost/x"])
    expect(done.code != 0 and b"built without PostgreSQL, as static executables are" in done.err, done.err.decode())
    key, certificate = make_certificate(context.directory())
    done = context.command(
        [
            curfew,
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            context.directory(),
            "--tls-cert",
            certificate,
            "--tls-key",
            key,
        ]
    )
    expect(done.code != 0 and b"tls-cert: this curfew was built without TLS" in done.err, done.err.decode())


# ---- The image ------------------------------------------------------------------------------------------------------


def check_image(context):
    """An OCI layout with correct digests, whose only layer runs as a root."""
    need_root()
    layout, root = context.directory(), context.directory()
    with tarfile.open(made("curfew-*-oci.tar")) as tar:
        tar.extractall(layout)
    expect_equal("layout", json.load(open(os.path.join(layout, "oci-layout"))), {"imageLayoutVersion": "1.0.0"})

    def blob(described):
        data = open(os.path.join(layout, "blobs/sha256", described["digest"].removeprefix("sha256:")), "rb").read()
        expect_equal(
            "digest and size",
            ("sha256:" + hashlib.sha256(data).hexdigest(), len(data)),
            (described["digest"], described["size"]),
        )
        return data

    index = json.load(open(os.path.join(layout, "index.json")))
    manifest = json.loads(blob(index["manifests"][0]))
    config = json.loads(blob(manifest["config"]))
    (layer,) = manifest["layers"]
    archive = os.path.join(layout, "layer.tar.gz")
    with open(archive, "wb") as file:
        file.write(blob(layer))
    import gzip

    expect_equal(
        "diff id", ["sha256:" + hashlib.sha256(gzip.open(archive).read()).hexdigest()], config["rootfs"]["diff_ids"]
    )
    run(context, "tar", "-xzf", archive, "-C", root)
    expect_equal(
        "value",
        run(
            context,
            "chroot",
            root,
            *config["config"]["Entrypoint"],
            "run",
            "--print",
            "--lang",
            "js",
            "-",
            stdin=b"6 * 7",
        ),
        "42\n",
    )


def check_image_in_podman(context):
    podman = shutil.which("podman")
    if podman is None:
        raise Skipped("there is no podman")
    image = "oci-archive:" + made("curfew-*-oci.tar")
    done = context.command([podman, "run", "--rm", "--network=none", image, "--version"], timeout=120)
    if done.code != 0:
        raise Skipped("podman cannot run anything here: " + done.err.decode().strip().split("\n")[-1][:200])
    expect(done.out.startswith(b"curfew "), done.out.decode())


def check_image_in_buildah(context):
    """Where no container may have limits or cgroups of its own, buildah still runs one in another root directory."""
    buildah = shutil.which("buildah")
    if buildah is None:
        raise Skipped("there is no buildah")
    place = context.directory()
    command = [buildah, "--root", f"{place}/root", "--runroot", f"{place}/run", "--storage-driver", "vfs"]
    image = "oci-archive:" + made("curfew-*-oci.tar")
    done = context.command([*command, "from", "--quiet", image], timeout=120)
    if done.code != 0:
        raise Skipped("buildah cannot work here: " + done.err.decode().strip().split("\n")[-1][:200])
    name = done.out.decode().split()[-1]
    inside = [*command, "run", "--isolation=chroot", name, "--", "/usr/bin/curfew"]
    expect_equal("value", run(context, *inside, "run", "--print", "-e", "6 * 7"), "42\n")
    run(context, *command, "rm", name)


# ---- Debian packages ------------------------------------------------------------------------------------------------


def check_lintian(context):
    if shutil.which("lintian") is None:
        raise Skipped("there is no lintian")
    debs = [made(f"{name}_*.deb") for name in ("curfew", "libcurfew0", "libcurfew-dev")]
    done = context.command(
        ["lintian", "--tag-display-limit", "0", "--allow-root", "--fail-on", "error,warning", *debs], timeout=300
    )
    expect(done.code == 0, done.out.decode())


def check_debs(context):
    """Installed in a bare Debian, used as a command and from C, and purged: nothing remains."""
    need_root()
    debs = [made(f"{name}_*.deb") for name in ("libcurfew0", "libcurfew-dev", "curfew")]
    cached = os.environ.get("CURFEW_DEBIAN_ROOT")
    if not cached:
        raise Skipped("CURFEW_DEBIAN_ROOT names no bare Debian 12 (debootstrap) with the packages that ours depend on")
    root = os.path.join(context.directory(), "root")
    run(context, "cp", "-a", "--reflink=auto", cached, root)
    before = files_of(root)
    for path in debs:
        shutil.copy(path, os.path.join(root, "tmp"))
    inside = [
        "chroot",
        root,
        "/usr/bin/env",
        "-i",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "DEBIAN_FRONTEND=noninteractive",
    ]
    run(context, *inside, "dpkg", "--install", *("/tmp/" + os.path.basename(path) for path in debs))
    expect_equal(
        "value", run(context, *inside, "curfew", "run", "--print", "--lang", "js", "-", stdin=b"6 * 7"), "42\n"
    )
    shutil.copy(os.path.join(ROOT, "examples/embed.c"), os.path.join(root, "tmp"))
    if os.path.exists(os.path.join(root, "usr/bin/cc")):
        run(context, *inside, "sh", "-c", "cc /tmp/embed.c $(pkg-config --cflags --libs curfew) -o /tmp/embed")
        expect_equal("embed", run(context, *inside, "/tmp/embed"), 'ok: {"answer":42}\n')
    run(context, *inside, "dpkg", "--purge", "curfew", "libcurfew-dev", "libcurfew0")
    expect_equal("files left behind", sorted(files_of(root) - before), [])


def files_of(root):
    """The files of a root, except the package database."""
    skipped = {"tmp", "proc", "dev", "sys", "var"}
    found = set()
    for name in sorted(set(os.listdir(root)) - skipped):
        for place, _, names in os.walk(os.path.join(root, name)):
            found |= {os.path.relpath(os.path.join(place, each), root) for each in names}
    return found


# ---- Languages ------------------------------------------------------------------------------------------------------


def check_alone(context, directory, names=("libcurfew.so.0", "curfew-compiler")):
    """The only shared libraries that they need are glibc's."""
    for name in names:
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run(context, "readelf", "-d", os.path.join(directory, name)))
        others = [
            each for each in needed if not re.match(r"(libc|libm|libdl|libpthread|libgcc_s|ld-linux-x86-64)\.so", each)
        ]
        expect_equal(f"libraries that {name} needs", others, [])


def check_wheel(context):
    site = context.directory()
    run(
        context,
        "/usr/bin/python3",
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "install",
        "--no-deps",
        "--no-index",
        "--target",
        site,
        made("curfew-*.whl"),
    )
    check_alone(context, os.path.join(site, "curfew/lib"))
    out = run(
        context,
        "/usr/bin/python3",
        "-c",
        "import curfew; print(curfew.run('6*7').value)",
        env={"PYTHONPATH": site},
        cwd=context.directory(),
    )
    expect_equal("value", out, "42\n")


def check_npm(context):
    if shutil.which("npm") is None:
        raise Skipped("there is no npm")
    directory = context.directory()
    run(
        context,
        "npm",
        "install",
        "--silent",
        "--offline",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
        directory,
        made("curfew-*.tgz"),
    )
    check_alone(context, os.path.join(directory, "node_modules/curfew/native"))
    out = run(
        context, "node", "-e", "require('curfew').run('6*7').then((report) => console.log(report.value))", cwd=directory
    )
    expect_equal("value", out, "42\n")


def check_go(context):
    """The module alone makes an executable that needs only glibc."""
    if shutil.which("go") is None:
        raise Skipped("there is no Go")
    directory = context.directory()
    run(context, "tar", "-xJf", made("curfew-go-*.tar.xz"), "-C", directory)
    (module,) = glob.glob(os.path.join(directory, "curfew-go-*"))
    with open(os.path.join(directory, "main.go"), "w", encoding="utf-8") as file:
        file.write(
            'package main\n\nimport (\n"context"\n"curfew"\n"fmt"\n)\n\nfunc main() {\n'
            'report, err := curfew.Run(context.Background(), "6 * 7", curfew.Options{})\n'
            "if err != nil {\npanic(err)\n}\nfmt.Println(string(report.Value))\n}\n"
        )
    environment = {
        "GOCACHE": os.path.expanduser("~/.cache/go-build"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "",
        "PKG_CONFIG_LIBDIR": "/nowhere",
    }
    for words in (
        ["mod", "init", "first"],
        ["mod", "edit", "-require=curfew@v0.0.0", "-replace=curfew=./" + os.path.basename(module)],
        ["build", "-o", "first", "."],
    ):
        run(context, "go", *words, cwd=directory, env=environment)
    expect_equal("value", run(context, os.path.join(directory, "first")), "42\n")
    check_alone(context, directory, ("first",))


def check_crate(context):
    with tarfile.open(made("curfew-*.crate")) as tar:
        names = tar.getnames()
    version = re.search(r'CURFEW_VERSION "(.*)"', read("include/curfew.h"))[1]
    for name in ("Cargo.toml", "src/lib.rs", "build.rs", "README.md"):
        expect(f"curfew-{version}/{name}" in names, f"{name} is not in the crate")


def tests(context):
    if context.is_sanitized:
        return []
    return [
        Test("dist", name, check)
        for name, check in (
            ("sums", check_sums),
            ("spdx", check_spdx),
            ("static", check_static),
            ("static-fetch", check_static_fetch),
            ("static-serve", check_static_serve),
            ("image", check_image),
            ("image-podman", check_image_in_podman),
            ("image-buildah", check_image_in_buildah),
            ("lintian", check_lintian),
            ("debs", check_debs),
            ("wheel", check_wheel),
            ("npm", check_npm),
            ("go", check_go),
            ("crate", check_crate),
        )
    ]
