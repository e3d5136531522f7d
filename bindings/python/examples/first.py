# SPDX-License-Identifier: Apache-2.0
"""Runs a program, and shows the report of one that never ends."""

import curfew

print(curfew.run("6 * 7").value)
report = curfew.run("for (;;);", limits={"timeout": "500ms"})
print(report, "at line", report.error.stack[0].line)
