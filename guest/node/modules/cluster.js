// SPDX-License-Identifier: Apache-2.0
// A program is one process here: it is the primary one, and has no workers.
const EventEmitter = require('events');

const absent = (what) => Object.assign(new Error(`cluster.${what} is not here: a program is one process here`), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
class Worker extends EventEmitter { constructor() { throw absent('Worker'); } }
module.exports = Object.assign(new EventEmitter(), { isMaster: true, isPrimary: true, isWorker: false, Worker, workers: {}, settings: {}, SCHED_NONE: 1, SCHED_RR: 2, schedulingPolicy: 2,
	setupPrimary(options) { Object.assign(this.settings, options); }, setupMaster(options) { this.setupPrimary(options); },
	fork() { throw absent('fork'); }, disconnect(done) { done && queueMicrotask(done); } });
