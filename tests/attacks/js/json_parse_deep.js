// expect: threw stack memory
// SPDX-License-Identifier: Apache-2.0
JSON.parse('['.repeat(2e6))
