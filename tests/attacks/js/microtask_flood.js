// expect: deadline memory
// SPDX-License-Identifier: Apache-2.0
(function twice() { queueMicrotask(twice); queueMicrotask(twice) })()
