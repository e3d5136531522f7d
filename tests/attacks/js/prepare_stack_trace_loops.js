// expect: threw deadline
Error.prepareStackTrace = (e, frames) => { for (;;) try { throw new Error('again') } catch {} }
null.x
