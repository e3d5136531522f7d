// SPDX-License-Identifier: Apache-2.0
const { Serializer, Deserializer, DefaultSerializer, DefaultDeserializer, serialize, deserialize } = require('internal/v8_format');

const absent = (name) => Object.assign(new Error(`v8.${name} is not here: the engine is QuickJS here`), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
const fails = (name) => () => { throw absent(name); };
const heap = { total_heap_size: 0, total_heap_size_executable: 0, total_physical_size: 0, total_available_size: 0, used_heap_size: 0, malloced_memory: 0, peak_malloced_memory: 0, does_zap_garbage: 0,
	number_of_native_contexts: 1, number_of_detached_contexts: 0, total_global_handles_size: 0, used_global_handles_size: 0, external_memory: 0 };
module.exports = { Serializer, Deserializer, DefaultSerializer, DefaultDeserializer, serialize, deserialize, cachedDataVersionTag: () => 0,
	getHeapStatistics: () => ({ ...heap, heap_size_limit: curfew.limits.memory_bytes }), getHeapSpaceStatistics: () => [],
	getHeapCodeStatistics: () => ({ code_and_metadata_size: 0, bytecode_and_metadata_size: 0, external_script_source_size: 0, cpu_profiler_metadata_size: 0 }),
	GCProfiler: class GCProfiler { constructor() { throw absent('GCProfiler'); } },
	promiseHooks: Object.fromEntries(['onInit', 'onBefore', 'onAfter', 'onSettled', 'createHook'].map((name) => [name, fails('promiseHooks.' + name)])),
	startupSnapshot: { isBuildingSnapshot: () => false, ...Object.fromEntries(['addSerializeCallback', 'addDeserializeCallback', 'setDeserializeMainFunction'].map((name) => [name, fails('startupSnapshot.' + name)])) } };
for (const name of ['getHeapSnapshot', 'writeHeapSnapshot', 'setFlagsFromString', 'takeCoverage', 'stopCoverage', 'queryObjects', 'setHeapSnapshotNearHeapLimit'])
	module.exports[name] = fails(name);
