// expect: deadline memory
const text = '[' + '{"a":[1,2,"x"]},'.repeat(200000) + '0]'; for (;;) JSON.parse(text, (k, v) => v)
