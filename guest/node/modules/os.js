// SPDX-License-Identifier: Apache-2.0
const signals = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12,
	SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20 };
const errno = { EPERM: 1, ENOENT: 2, EINTR: 4, EIO: 5, EBADF: 9, EAGAIN: 11, ENOMEM: 12, EACCES: 13, EEXIST: 17, ENOTDIR: 20, EISDIR: 21, EINVAL: 22, EMFILE: 24, EPIPE: 32 };
module.exports = {
	EOL: '\n', devNull: '/dev/null', arch: () => 'x64', platform: () => 'linux', type: () => 'Linux', release: () => '0', version: () => 'curfew', machine: () => 'x86_64',
	hostname: () => 'localhost', homedir: () => '/', tmpdir: () => '/tmp', endianness: () => 'LE', uptime: () => Math.floor(performance.now() / 1000),
	totalmem: () => curfew.limits.memory_bytes, freemem: () => curfew.limits.memory_bytes, loadavg: () => [0, 0, 0], availableParallelism: () => 1,
	cpus: () => [{ model: 'curfew', speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }], networkInterfaces: () => ({}),
	userInfo: () => ({ uid: 0, gid: 0, username: 'curfew', homedir: '/', shell: null }), getPriority: () => 0, setPriority() {},
	constants: { signals, errno, priority: { PRIORITY_NORMAL: 0 }, dlopen: {}, UV_UDP_REUSEADDR: 4 },
};
