// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message~: ^Symbol
throw Symbol('s');
