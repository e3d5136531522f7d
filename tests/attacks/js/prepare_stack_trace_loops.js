// expect: threw deadline
// SPDX-License-Identifier: Apache-2.0
Error.prepareStackTrace = (e, frames) => { for (;;) try { throw new Error('again') } catch {} }
null.x
