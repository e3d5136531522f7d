# SPDX-License-Identifier: Apache-2.0
"""The groups of tests and what they share."""
