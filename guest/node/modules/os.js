// SPDX-License-Identifier: Apache-2.0
const { errno } = require('internal/system_errors');
const signals = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGIOT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12,
	SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGCHLD: 17, SIGSTKFLT: 16, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22, SIGURG: 23, SIGXCPU: 24, SIGXFSZ: 25,
	SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28, SIGIO: 29, SIGPOLL: 29, SIGPWR: 30, SIGSYS: 31 };
const priority = { PRIORITY_LOW: 19, PRIORITY_BELOW_NORMAL: 10, PRIORITY_NORMAL: 0, PRIORITY_ABOVE_NORMAL: -7, PRIORITY_HIGH: -14, PRIORITY_HIGHEST: -20 };
const dlopen = { RTLD_LAZY: 1, RTLD_NOW: 2, RTLD_GLOBAL: 256, RTLD_LOCAL: 0, RTLD_DEEPBIND: 8 };
const bare = (values) => Object.freeze(Object.assign(Object.create(null), values));
const constants = Object.assign(Object.create(null), { UV_UDP_REUSEADDR: 4, dlopen: bare(dlopen), errno: bare(errno), signals: bare(signals), priority: bare(priority) });
module.exports = {
	EOL: '\n', devNull: '/dev/null', arch: () => 'x64', platform: () => 'linux', type: () => 'Linux', release: () => '0', version: () => 'curfew', machine: () => 'x86_64',
	hostname: () => 'localhost', homedir: () => '/', tmpdir: () => '/tmp', endianness: () => 'LE', uptime: () => Math.floor(performance.now() / 1000),
	totalmem: () => curfew.limits.memory_bytes, freemem: () => curfew.limits.memory_bytes, loadavg: () => [0, 0, 0], availableParallelism: () => 1,
	cpus: () => [{ model: 'curfew', speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }], networkInterfaces: () => ({}),
	userInfo: () => ({ uid: 0, gid: 0, username: 'curfew', homedir: '/', shell: null }), getPriority: () => 0, setPriority() {},
	constants,
};
