// SPDX-License-Identifier: Apache-2.0
// A name that programs of other systems expect: the report says where it is. The program sees the plain message.
// outcome: threw
// stdout: Buffer is not defined
// error.message: process is not defined (--node defines it, and so does import process from 'node:process')
try {
	Buffer.from('a');
} catch (error) {
	console.log(error.message);
}
process.exit(1);
