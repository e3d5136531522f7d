// SPDX-License-Identifier: Apache-2.0
// As engines throw it when there is no memory for an error.
// outcome: threw
// error.message: null
throw null;
