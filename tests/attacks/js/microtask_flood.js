// expect: deadline memory
(function twice() { queueMicrotask(twice); queueMicrotask(twice) })()
