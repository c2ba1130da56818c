import { parentPort, workerData } from 'node:worker_threads'
import { SharedClientKeys } from '../../src/shared/shared-client-keys.ts'
import { SharedInitiationTimes } from '../../src/shared/shared-initiation-times.ts'
import type { SharedMemory } from '../../src/shared/shared-memory.ts'

/** What shared-memory.test.ts runs in several threads at once: how many of the same keys and times each was the first to bring. */
const { shared, keys, now } = workerData as { shared: SharedMemory; keys: readonly Uint8Array[]; now: number }
const clientKeys = new SharedClientKeys(shared.clientKeys, shared.secret)
const times = new SharedInitiationTimes(shared.initiationTimes, shared.secret)
const onionKey = new Uint8Array(32).fill(1)
const first = { keys: 0, times: 0 }
for (const key of keys) {
  if (clientKeys.remember(onionKey, key)) first.keys++
  if (times.accept(key, 0, now, now)) first.times++
}
parentPort?.postMessage(first)
