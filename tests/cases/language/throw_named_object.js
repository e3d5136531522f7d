// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: Mine
// error.message: own
throw { name: 'Mine', message: 'own' };
