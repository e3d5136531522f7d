// SPDX-License-Identifier: Apache-2.0
// A program here is never a single executable application: this module answers as in Node outside of one.
const none = () => { throw Object.assign(new Error('Operation cannot be invoked when not in a single-executable application'), { code: 'ERR_NOT_IN_SINGLE_EXECUTABLE_APPLICATION' }); };
module.exports = { isSea: () => false, getAsset: none, getAssetAsBlob: none, getRawAsset: none };
