// SPDX-License-Identifier: Apache-2.0
// Paths of Windows and of POSIX, patterns, and wrong arguments, with Node's results.
// args: --node
// outcome: ok
// stdout: "C:\\a\\..\\b" "C:\\b" "C:\\a\\.." "b" "" true {"root":"C:\\","dir":"C:\\a\\..","base":"b","ext":"","name":"b"} {"root":"","dir":"","base":"C:\\a\\..\\b","ext":".\\b","name":"C:\\a\\."} "C:\\a\\..\\b"
// stdout: "c:a" "c:a" "c:" "a" "" false {"root":"c:","dir":"c:","base":"a","ext":"","name":"a"} {"root":"","dir":"","base":"c:a","ext":"","name":"c:a"} "c:a"
// stdout: "\\\\srv\\share\\x\\.." "\\\\srv\\share\\" "\\\\srv\\share\\x" ".." "" true {"root":"\\\\srv\\share\\","dir":"\\\\srv\\share\\x","base":"..","ext":"","name":".."} {"root":"","dir":"","base":"\\\\srv\\share\\x\\..","ext":".","name":"\\\\srv\\share\\x\\."} "\\\\srv\\share\\x\\.."
// stdout: "/a//b/" "\\a\\b\\" "/a/" "b" "" true {"root":"/","dir":"/a/","base":"b","ext":"","name":"b"} {"root":"/","dir":"/a/","base":"b","ext":"","name":"b"} "/a/b/"
// stdout: "..\\..\\x" "..\\..\\x" "..\\.." "x" "" false {"root":"","dir":"..\\..","base":"x","ext":"","name":"x"} {"root":"","dir":"","base":"..\\..\\x","ext":".\\x","name":"..\\."} "..\\..\\x"
// stdout: "" "." "." "" "" false {"root":"","dir":"","base":"","ext":"","name":""} {"root":"","dir":"","base":"","ext":"","name":""} "."
// stdout: "." "." "." "." "" false {"root":"","dir":"","base":".","ext":"","name":"."} {"root":"","dir":"","base":".","ext":"","name":"."} "."
// stdout: "C:" "C:." "C:" "" "" false {"root":"C:","dir":"C:","base":"","ext":"","name":""} {"root":"","dir":"","base":"C:","ext":"","name":"C:"} "C:"
// stdout: "a.b.c" "a.b.c" "." "a.b.c" ".c" false {"root":"","dir":"","base":"a.b.c","ext":".c","name":"a.b"} {"root":"","dir":"","base":"a.b.c","ext":".c","name":"a.b"} "a.b.c"
// stdout: ".x" ".x" "." ".x" "" false {"root":"","dir":"","base":".x","ext":"","name":".x"} {"root":"","dir":"","base":".x","ext":"","name":".x"} ".x"
// stdout: "\\\\?\\C:\\x" "\\\\?\\C:\\x" "\\\\?\\C:\\" "x" "" true {"root":"\\\\?\\C:\\","dir":"\\\\?\\C:\\","base":"x","ext":"","name":"x"} {"root":"","dir":"","base":"\\\\?\\C:\\x","ext":"","name":"\\\\?\\C:\\x"} "\\\\?\\C:\\x"
// stdout: b\c
// stdout: ..\x
// stdout: D:\b
// stdout: C:\x\f.txt
// stdout: D:
// stdout: \\?\C:\a\b
// stdout: \
// stdout: ;
// stdout: true
// stdout: true
// stdout: ["TypeError","ERR_INVALID_ARG_TYPE","The \"path\" argument must be of type string. Received type number (1)"]
// stdout: ["TypeError","ERR_INVALID_ARG_TYPE","The \"paths[1]\" argument must be of type string. Received null"]
// stdout: ["TypeError","ERR_INVALID_ARG_TYPE","The \"suffix\" argument must be of type string. Received type number (5)"]
// stdout: ["TypeError","ERR_INVALID_ARG_TYPE","The \"pathObject\" argument must be of type object. Received type number (1)"]
// stdout: ["TypeError","ERR_INVALID_ARG_TYPE","The \"to\" argument must be of type string. Received undefined"]
// stdout: ["TypeError","ERR_INVALID_ARG_TYPE","The \"path\" argument must be of type string. Received an instance of Object"]
// stdout: ["TypeError","ERR_INVALID_ARG_TYPE","The \"path\" argument must be of type string. Received function "]
// stdout: ["TypeError","ERR_INVALID_ARG_TYPE","The \"path\" argument must be of type string. Received type symbol (Symbol(q))"]
// stdout: ["TypeError","ERR_INVALID_ARG_TYPE","The \"path\" argument must be of type string. Received undefined"]
// stdout: a/b.js a/*.js true
// stdout: a/b/c.js a/**/*.js true
// stdout: a.js *.{js,ts} true
// stdout: .x * false
// stdout: a ? true
// stdout: b1 [a-c][0-9] true
// stdout: a/b * false
// stdout: !a !a true
// stdout: #x #x true
// stdout: a/b/ a/* true
// stdout: x.ts !(*.js) true
// stdout: /a/b /** true
// stdout: a ** true
// stdout: A a false
// stdout: true
import path, { win32, posix, matchesGlob } from 'node:path';
const rows = [];
const t = (f) => { try { return f(); } catch (e) { return [e.name, e.code, e.message]; } };
for (const p of ['C:\\a\\..\\b', 'c:a', '\\\\srv\\share\\x\\..', '/a//b/', '..\\..\\x', '', '.', 'C:', 'a.b.c', '.x', '\\\\?\\C:\\x']) rows.push([p, win32.normalize(p), win32.dirname(p), win32.basename(p), win32.extname(p), win32.isAbsolute(p), win32.parse(p), posix.parse(p), posix.normalize(p)].map((x) => JSON.stringify(x)).join(' '));
rows.push(win32.join('a', '..\\b', '/c'), win32.relative('C:\\a\\b', 'c:\\A\\x'), win32.relative('C:\\a', 'D:\\b'), win32.format({ dir: 'C:\\x', name: 'f', ext: 'txt' }), win32.resolve('C:\\a', 'D:b', '..\\c').slice(0, 2), win32.toNamespacedPath('C:\\a\\b'), win32.sep, win32.delimiter, posix.win32 === win32, win32.posix === path);
for (const f of [() => path.join(1), () => path.resolve('a', null), () => path.basename('x', 5), () => path.format(1), () => path.relative('a'), () => path.parse({}), () => win32.join(() => 1), () => path.dirname(Symbol('q')), () => path.isAbsolute(undefined)]) rows.push(JSON.stringify(t(f)));
for (const [p, g] of [['a/b.js', 'a/*.js'], ['a/b/c.js', 'a/**/*.js'], ['a.js', '*.{js,ts}'], ['.x', '*'], ['a', '?'], ['b1', '[a-c][0-9]'], ['a/b', '*'], ['!a', '!a'], ['#x', '#x'], ['a/b/', 'a/*'], ['x.ts', '!(*.js)'], ['/a/b', '/**'], ['a', '**'], ['A', 'a']]) rows.push(p + ' ' + g + ' ' + matchesGlob(p, g));
rows.push(win32.matchesGlob('a\\b.js', 'a/*.js'));
for (const r of rows) console.log(r);
