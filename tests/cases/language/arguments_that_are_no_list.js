// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.message: CreateListFromArrayLike called on non-object
Reflect.construct(Map, 1);
