// expect: deadline
const o = { then(resolve) { resolve({ then: o.then }) } }; (async () => { await o })()
