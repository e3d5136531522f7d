# SPDX-License-Identifier: Apache-2.0
"""The examples in documents: their commands are run, and the output is compared.

Numbers are ignored, and so are the lines of a stop, as long as there is one, and whether the stop was soft or hard. An
output that depends on the machine's speed may match at a later attempt.
"""

import glob
import json
import os
import re
import shlex
import subprocess

from .harness import ROOT, Failed, Test, expect, expect_equal, read
from .isolation import refuse_sanitizer

TRIES = 4


def transcripts(path):
    """(command, the lines shown under it) of the fenced parts of a document."""
    for block in re.findall(r"^```\n(.*?)^```", read(path), re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, rest = re.sub(r"\n> +", " ", part).partition("\n")
            yield command, rest.splitlines()


def select(text, wanted):
    """The result of jq for {key, name: .path.to}, applied to a report."""
    report, made = json.loads(text), {}
    for item in wanted.split(","):
        name, _, place = (word.strip() for word in item.partition(":"))
        value = report
        for key in (place or name).strip(".").split("."):
            value = value[key]
        made[name] = value
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False) + "\n"


def plain(lines):
    made = []
    for line in lines:
        line = re.sub(r'"(soft|hard)"', '"stopped"', re.sub(r"\d+(\.\d+)?( [kM](?!\w))?", "N", line))
        line = re.sub(r"N (B|KiB|MiB|GiB|ns|us|ms|s)\b", "N unit", line)
        line = "    at somewhere" if line.startswith("    at ") else line
        if not (line == "    at somewhere" and made[-1:] == [line]):
            made.append(line)
    return made


def check(context, command, shown):
    command, _, wanted = command.partition("|")
    command, _, status = command.partition(";")
    words = shlex.split(command)
    if "--isolate" in words:
        refuse_sanitizer(context)
    merged = {} if wanted else {"stderr": subprocess.STDOUT}  # as a terminal shows them
    for left in reversed(range(TRIES)):
        done = context.command([context.curfew, *words[1:]], timeout=20 * context.slower, cwd=ROOT, **merged)
        text = done.out.decode()
        if wanted:
            text = select(text, re.search(r"{(.*)}", wanted)[1])
        if "echo $?" in status:
            text += f"{done.code}\n"
            expect_equal("exit", str(done.code), shown[-1])
        if not shown:  # another example of the same stop
            expect_equal("exit", done.code, 124)
            return
        if plain(text.splitlines()) == plain(shown):
            return
        if left == 0:
            raise Failed(f"{command}: shown {plain(shown)}\n         seen {plain(text.splitlines())}")


def shown(context):
    tests = []
    for path in ["README.md", *sorted(glob.glob(os.path.join("docs", "*.md"), root_dir=ROOT))]:
        for command, lines in transcripts(path):
            example = re.search(r"\bexamples/([\w.]+)", command)
            if example and command.startswith("build/curfew run "):
                tests.append(
                    (
                        example[1],
                        f"{os.path.basename(path)}/{len(tests) + 1} {example[1]}",
                        lambda context, command=command, lines=lines: check(context, command, lines),
                    )
                )

    def check_some(context):
        expect(len(tests) >= 6, f"only {len(tests)} commands were found in the documents")

    return {name for name, _, _ in tests}, [Test("examples", name, run) for _, name, run in tests] + [
        Test("examples", "shown", check_some)
    ]
