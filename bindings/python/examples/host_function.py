# SPDX-License-Identifier: Apache-2.0
"""Gives a program a host function."""

import curfew

stock = {"apples": 3, "pears": 0}
program = curfew.program(
    "export default (names) => names.filter((name) => host.inStock(name) > 0)",
    functions={"inStock": lambda name: stock.get(name, 0)},
)
print(program.run(["apples", "pears", "plums"]).value)
