// SPDX-License-Identifier: Apache-2.0
export const waited = await new Promise(go => setTimeout(go, 3, 'waited'));
