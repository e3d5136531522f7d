// expect: threw deadline
Promise.reject({ toString() { for (;;); }, get message() { for (;;); } }); Promise.reject(new Proxy({}, { get() { for (;;); } }))
