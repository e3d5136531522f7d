// SPDX-License-Identifier: Apache-2.0
// Each toJSON returns an object with another toJSON, ever deeper and slower.
// args: --timeout 500ms
// outcome: deadline threw stack memory
// partial: 1
curfew.checkpoint(1);
const endless = () => ({ next: { toJSON: endless } });
curfew.checkpoint(endless());
