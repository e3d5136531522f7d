// SPDX-License-Identifier: Apache-2.0
// A text is returned unchanged, whatever characters it contains.
// outcome: ok
// value: "é\u0000\ud800 \ud83d\ude00\n\"\\"
'\xe9\0\ud800 \u{1f600}\n"\\';
