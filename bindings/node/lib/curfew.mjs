// SPDX-License-Identifier: Apache-2.0
import curfew from './curfew.js';

export const {
	Engine,
	Program,
	Run,
	Session,
	Report,
	CurfewError,
	ProgramFailed,
	Client,
	Problem,
	LIMITS,
	OUTCOMES,
	version,
	defaultEngine,
	run,
	runSync,
	program,
} = curfew;
export default curfew;
