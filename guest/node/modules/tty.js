// SPDX-License-Identifier: Apache-2.0
module.exports = { isatty: () => false, ReadStream: class ReadStream {}, WriteStream: class WriteStream {} };
