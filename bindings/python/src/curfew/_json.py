# SPDX-License-Identifier: Apache-2.0
"""Decodes JSON that a program made, which may be nested deeper than the interpreter's recursion limit."""

from __future__ import annotations

import json
import re
from json.decoder import scanstring
from typing import Any, List, Union

_decode = json.JSONDecoder().decode
_WORD = re.compile(r'[^\s,:\[\]{}"]+')


def decode(data: Union[str, bytes]) -> Any:
    """The value of the text, however deeply it is nested."""
    text = data if isinstance(data, str) else data.decode("utf-8")
    try:
        return _decode(text)
    except RecursionError:
        return _decode_deep(text)


def _decode_deep(text: str) -> Any:
    """Decodes valid JSON without a call for each level."""
    top: List[Any] = []
    into: Any = top
    around: List[Any] = []  # the containers of each open array or object
    name: Any = None
    at = 0
    while at < len(text):
        letter = text[at]
        at += 1
        if letter in "]}":
            into = around.pop()
            continue
        if letter in "[{":
            value: Any = [] if letter == "[" else {}
        elif letter == '"':
            value, at = scanstring(text, at)
            if isinstance(into, dict) and name is None:
                name = value
                continue
        elif letter in ",: \t\r\n":
            continue
        else:
            word = _WORD.match(text, at - 1)
            value, at = _decode(word[0]), word.end()  # type: ignore[index,union-attr]
        if isinstance(into, dict):
            into[name] = value
        else:
            into.append(value)
        if letter in "[{":
            around.append(into)
            into = value
        name = None
    return top[0]
