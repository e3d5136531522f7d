// SPDX-License-Identifier: Apache-2.0
// The name is that of the class. The report includes the error's properties.
// outcome: threw
// error.name: ValidationError
// error.message: v
// error.properties: {"code":"E_INPUT","big":"10n"}
class ValidationError extends Error {}
throw Object.assign(new ValidationError('v'), { code: 'E_INPUT', big: 10n, run() {}, name: 'ValidationError' }, { run: undefined });
