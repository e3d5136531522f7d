# SPDX-License-Identifier: Apache-2.0
"""The names that documents and comments mention exist: functions, macros, enum values and files. Every claim of
docs/THREAT_MODEL.md and docs/LIMITS.md is cited by a test that would fail if it were false."""

import os
import re

from .harness import ROOT, Test, expect, read

C_FILES = re.compile(r"\.(c|h|S)$")
COMMENTED = re.compile(r"\.(c|h|S|rs|js|mjs)$")
SOURCES = re.compile(r"\.(c|h|S|rs|js|mjs|py|go|build|in|wat|wit)$")
# Comments, and strings, which may look like comments.
PIECES = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

# ---- Names --------------------------------------------------------------------------------------------------------


def project_files(context):
    done = context.command(["git", "-C", ROOT, "ls-files"], timeout=60)
    return [
        name
        for name in done.out.decode().split("\n")
        if name and os.path.isfile(os.path.join(ROOT, name)) and not os.path.islink(os.path.join(ROOT, name))
    ]


def is_source(name):
    return (
        SOURCES.search(name)
        or name.startswith("scripts/")
        or os.path.basename(name) in ("adapt_engine", "Makefile", "run")
    )


def read_source(name):
    try:
        return read(name)
    except UnicodeDecodeError:
        return ""


def without_comments(text):
    """The code alone, and its comments as (line, text)."""
    comments = []

    def take(match):
        if not match[0].startswith(("/*", "//")):
            return match[0]
        comments.append((text.count("\n", 0, match.start()) + 1, match[0]))
        return " "

    return PIECES.sub(take, text), comments


class Known:
    """Every name in the project's code, and the places where texts mention names."""

    def __init__(self, context):
        files = project_files(context)
        self.paths = set(files)
        self.base_names = {os.path.basename(name) for name in files}
        self.identifiers = set()
        self.texts = []
        for name in files:
            if name.endswith(".md"):
                self.texts += [(f"{name}:{number}", line) for number, line in enumerate(read(name).split("\n"), 1)]
            if not is_source(name):
                continue
            code, comments = without_comments(read_source(name)) if COMMENTED.search(name) else (read_source(name), [])
            self.identifiers.update(re.findall(r"\w+", code))
            self.texts += [
                (f"{name}:{number}", line)
                for start, text in comments
                for number, line in enumerate(text.split("\n"), start)
            ]
        # The lists in the header define these.
        for name in re.findall(r"X\((\w+), \d+,", read("include/curfew.h")):
            self.identifiers.update((f"CURFEW_OUTCOME_{name}", f"CURFEW_{name}"))

    def has_name(self, name, is_beginning):
        if name in self.identifiers or f"{name}.js" in self.base_names:
            return True
        return (is_beginning or name.endswith("_")) and any(known.startswith(name) for known in self.identifiers)

    def has_file(self, path):
        return (
            path in self.paths
            or os.path.basename(path) in self.base_names
            or path.startswith(("linux/", "sys/"))
            or path == "wasm.h"
        )

    def unknown_in(self, text):
        if text.startswith("#include"):
            return
        for match in re.finditer(r"(?<![\w.-])(curfew_+[a-z_]+|CURFEW_+[A-Z_]+)(?![A-Za-z0-9])(\*)?", text):
            if not self.has_name(match[1], bool(match[2])):
                yield match[1]
        for match in re.finditer(r"(?<![\w/.*-])((?:[\w.-]+/)*[\w-]+\.(?:c|h|rs|S|md))(?![\w(])", text):
            if not self.has_file(match[1]):
                yield match[1]


def check_names(context):
    known = Known(context)
    bad = [f"{place}: there is no {name}" for place, text in known.texts for name in known.unknown_in(text)]
    expect(not bad, "\n".join(bad))


def check_capitals(context):
    """Capitalised names in the code spans of documents are part of a name in the code: a state, a macro, an enum
    value."""
    known = Known(context)
    words = "\n".join(known.identifiers)
    bad = []
    for place, text in known.texts:
        if not re.match(r"(docs/(ARCHITECTURE|LIMITS|THREAT_MODEL)|tests/README)\.md:", place):
            continue
        for name in re.findall(r"`([A-Z][A-Z_]{3,})`", text):
            if not re.search(rf"(^|_){name}($|_)", words, re.M):
                bad.append(f"{place}: there is no {name}")
    expect(not bad, "\n".join(bad))


# ---- Claims -------------------------------------------------------------------------------------------------------

DOCUMENTS = {"T": "docs/THREAT_MODEL.md", "L": "docs/LIMITS.md"}
CLAIM = re.compile(r"\[([TL]\d+)\]")
# These sections have people, assumptions and advice. The testable parts of them have an id as well.
NOT_PROMISED = {"## Who is not trusted", "## Who is trusted", "## What is left"}
# The beginning of a row of a table, a list item or a paragraph. Each is a claim.
HEADS = re.compile(r"^(#|\||-|\d+\. |$)")


def blocks_of(text):
    """Rows, list items and paragraphs, each as (line, text)."""
    blocks, start, block = [], 0, []
    in_code = False

    def finish():
        if block:
            blocks.append((start, "\n".join(block)))
        block.clear()

    for number, line in enumerate(text.split("\n"), 1):
        in_code ^= line.startswith("```")
        if in_code or line.startswith("```"):
            continue
        if HEADS.match(line):
            finish()
        if line.startswith("#") or not line:
            continue
        if not block:
            start = number
        block.append(line)
    finish()
    return blocks


def is_claim(text):
    """Whether a block can be true or false. Heads of tables and lines before a list cannot."""
    return not re.match(r"\|[-| ]+\|$|\| (attempt|taken away|what|kind|limit) \|", text) and not text.rstrip().endswith(
        ":"
    )


def check_claims(context):
    # Claim T3.
    cited = {}
    for name in project_files(context):
        if name.startswith("tests/") and not name.endswith(".md") or "/src/tests" in name:
            for claim in re.findall(
                r"\b[TL]\d+\b", " ".join(re.findall(r"\bclaims? ((?:[TL]\d+(?:, | and )?)+)", read_source(name), re.I))
            ):
                cited.setdefault(claim, name)
    bad, seen = [], set()
    for letter, path in DOCUMENTS.items():
        lines = read(path).split("\n")
        for line, block in blocks_of("\n".join(lines)):
            claims = CLAIM.findall(block)
            heading = next((text for text in reversed(lines[:line]) if text.startswith("#")), "")
            if not claims and is_claim(block) and heading not in NOT_PROMISED:
                bad.append(f"{path}:{line}: a claim without an id: {block[:80]!r}")
            for claim in claims:
                if claim in seen or claim[0] != letter:
                    bad.append(f"{path}:{line}: {claim} is there twice, or of another document")
                seen.add(claim)
                if claim not in cited:
                    bad.append(f"{path}:{line}: no test cites {claim}: {block[:80]!r}")
    bad += [f"{cited[claim]}: it cites {claim}, which no document has" for claim in sorted(set(cited) - seen)]
    expect(not bad, "\n".join(bad))


# ---- Results ------------------------------------------------------------------------------------------------------


def check_compatibility(context):
    """The results in COMPATIBILITY.md are those of the tests."""
    command = [os.path.join(ROOT, "scripts", "compatibility"), "--build", os.path.abspath(context.build)]
    done = context.command(command, timeout=120)
    expect(done.code == 0, (done.out + done.err).decode())


def tests(context):
    checks = {
        "names": check_names,
        "capitals": check_capitals,
        "claims": check_claims,
        "compatibility": check_compatibility,
    }
    return [Test("docs", name, run) for name, run in checks.items()]
