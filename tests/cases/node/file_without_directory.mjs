// SPDX-License-Identifier: Apache-2.0
// A program without directories is told of --dir.
// outcome: threw
// stdout: ENOENT: no such file or directory, open '/a'
// error.message~: open '/b' \(a program sees only the directories of --dir HOST::GUEST\)$
import fs from 'node:fs';
try {
	fs.readFileSync('/a');
} catch (error) {
	console.log(error.message);
}
fs.readFileSync('/b');
