# SPDX-License-Identifier: Apache-2.0
"""The README's code prints what it says, and so do the examples."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = {
    "first": "42\ndeadline: the deadline passed at line 1\n",
    "host_function": "['apples']\n",
    "cancel": "cancelled\n",
    "partial_results": "deadline cooperative {'done': True, 'finished': False} True\n['begun']\n",
    "many_at_once": "499500\n",
    "notebook": "None\n3\n[10, 20, 30]\n",
}


def test_the_readme(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) > 7
    names = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
        expected = re.findall(r"# -> (.*)$", block, re.M)
        assert capsys.readouterr().out.splitlines() == expected, block


def test_every_example_is_here():
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / f"{name}.py"], capture_output=True, text=True, timeout=300
    )
    assert (done.stdout, done.stderr, done.returncode) == (EXAMPLES[name], "", 0)
