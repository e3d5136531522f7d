# SPDX-License-Identifier: Apache-2.0
"""docs/RECIPES.md: for each section a directory is made with the files that it shows. Its commands must print there
what it shows."""

import os
import re
import shutil
import subprocess

from .harness import ROOT, Skipped, Test, expect, expect_equal, read
from .serving import Server
from .shown import plain

PATH = "docs/RECIPES.md"
FILE = re.compile(r"`([\w./-]+)`:\n```(\w+)\n(.*?)^```", re.M | re.S)
COMMANDS = re.compile(r"^```\n(\$ .*?)^```", re.M | re.S)


def sections():
    parts = re.split(r"^## (.*)\n", read(PATH), flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


def commands(text):
    """(command, the lines under it), in order."""
    for block in COMMANDS.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, rest = part.partition("\n")
            yield command, rest.splitlines()


def is_version(command, least):
    """Whether a command has this version or a newer one."""
    done = subprocess.run([command, "version"], capture_output=True, text=True)
    said = re.search(r"(\d+)\.(\d+)", done.stdout)
    return said is not None and tuple(map(int, said.groups())) >= tuple(map(int, least.split(".")))


def needs(text):
    """The requirements that a recipe names (commands, npm packages, other files), each with its path; None: absent."""
    said = re.search(r"\bNeeds\s(.*?)(?:[.;]\s| \(|, packages)", text, re.S)
    for name, least in re.findall(r"`([^`]+)`(?:, ([\d.]+) or newer)?", said[1]) if said else []:
        if least and shutil.which(name) and not is_version(name, least):
            yield f"{name} {least}", None
            continue
        given = os.path.join(os.environ.get("CURFEW_RECIPES", ""), name)
        is_file = "/" in name or name.endswith(".wasm")
        yield name, (given if os.path.exists(given) else None) if is_file else shutil.which(name)


def follow(context, text, environment, address):
    directory = context.directory()
    for name, place in needs(text):
        if place is None:
            raise Skipped(f"there is no {name}")
        target = os.path.join(directory, name.partition("/")[0])
        if os.path.lexists(target):
            continue
        if name.startswith("node_modules/"):
            # Links out of the directory of imports are refused.
            source = os.path.join(os.environ["CURFEW_RECIPES"], "node_modules")
            shutil.copytree(source, target, symlinks=True)
        elif name.endswith(".wasm"):
            os.symlink(os.path.abspath(place), target)
    for target in re.findall(r"`rustup target add (\S+)`", text):
        done = subprocess.run(["rustc", "--print", "target-libdir", "--target", target], capture_output=True, text=True)
        if not os.path.isdir(done.stdout.strip()):
            raise Skipped(f"there is no target {target} of rustc")
    for name, _, content in FILE.findall(text):
        os.makedirs(os.path.dirname(os.path.join(directory, name)), exist_ok=True)
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(content)
    for command, shown in commands(text):
        words = ["bash", "-c", command.replace("127.0.0.1:7433", address)]
        done = context.command(words, cwd=directory, env=environment, stderr=subprocess.STDOUT, timeout=30)
        expect_equal(command, plain(done.out.decode().splitlines()), plain(shown))


def check(context, text):
    path = os.path.dirname(os.path.abspath(context.curfew)) + ":" + os.environ["PATH"]
    if not re.search(r"\b(submit|programs|curl)\b", text):
        follow(context, text, {"PATH": path}, "")
        return
    with Server(context) as server:
        address = f"{server.host}:{server.port}"
        follow(context, text, {"PATH": path, "CURFEW_SERVER": f"http://{address}"}, address)


def check_all(context):
    """No section is left out because of its format."""
    text = read(PATH)
    expect_equal("files", len(FILE.findall(text)), len(re.findall(r"^```\w+$", text, re.M)))
    expect_equal(
        "commands", sum(1 for _, part in sections() for _ in commands(part)), len(re.findall(r"^\$ ", text, re.M))
    )
    expect(len(sections()) >= 8, f"only {len(sections())} recipes in {os.path.join(ROOT, PATH)}")


def tests(context):
    return [Test("docs", "recipes", check_all)] + [
        Test("docs", "recipes: " + name, lambda context, text=text: check(context, text)) for name, text in sections()
    ]
