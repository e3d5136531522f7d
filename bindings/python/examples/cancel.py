# SPDX-License-Identifier: Apache-2.0
"""Cancels a run from another thread."""

import threading

import curfew

run = curfew.program("for (;;);").start(limits={"timeout": "30s"})
threading.Timer(0.1, run.cancel).start()
print(run.wait().outcome)
