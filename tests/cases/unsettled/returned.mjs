// SPDX-License-Identifier: Apache-2.0
// outcome: unsettled
// frames: serve returned.mjs:5:*
export default async function serve() {
	await null; await Promise.race([]);
}
