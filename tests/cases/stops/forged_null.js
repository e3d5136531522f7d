// SPDX-License-Identifier: Apache-2.0
// Engines throw null if there is no memory for an error.
// outcome: threw
// error.message: null
throw null;
