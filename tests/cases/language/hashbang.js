#!/usr/bin/env curfew run
// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: 1
1;
