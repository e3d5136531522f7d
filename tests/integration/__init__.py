# SPDX-License-Identifier: Apache-2.0
"""The groups of tests, and the code that they share."""
