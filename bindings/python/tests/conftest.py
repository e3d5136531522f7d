# SPDX-License-Identifier: Apache-2.0
import pytest

import curfew


@pytest.fixture
def engine():
    with curfew.Engine(threads=2) as made:
        yield made


def add(a, b):
    return a + b


ADD_WAT = '(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))'
FOREVER = {"timeout": "10m"}
SHORT = {"timeout": "100ms"}
