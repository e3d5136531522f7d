# SPDX-License-Identifier: Apache-2.0
"""Keeps a program's state between cells."""

import curfew

session = curfew.program("").session()
for cell in ("const rows = [3, 1, 2]", "rows.sort(); rows.length", "rows.map((x) => x * 10)"):
    print(session.eval(cell).value)
