// SPDX-License-Identifier: Apache-2.0
// A rejection that nobody handles is an exception.
// outcome: threw
// error.name: Error
// error.message: nobody listens
// stdout: before
// stdout: job
Promise.resolve().then(() => console.log('job'));
Promise.reject(new Error('nobody listens'));
console.log('before');
