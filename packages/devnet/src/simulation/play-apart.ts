import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** MB: V8 gives 4 GB by itself, and ten thousand simulated nodes hold more, 13 GB while half of them go. */
const HEAP_MB = 17_408

/**
 * Plays a scenario, the function `play` that a module exports, in a thread of its own with a heap of its own: the runner of
 * node:test follows every promise of its own thread (async_hooks), which makes a simulation dearer and ends one of many nodes, as
 * a `Map` holds 2^24 entries. Input and result are copied. What the scenario throws is thrown here.
 */
export async function playApart<Play extends (input: never) => Promise<unknown>>(
  module: URL,
  input: Parameters<Play>[0],
): Promise<Awaited<ReturnType<Play>>> {
  const worker = new Worker(new URL('play-thread.ts', import.meta.url), {
    workerData: { module: module.href, input },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  // Rejects when the thread ends with an error.
  const [result] = (await once(worker, 'message')) as [Awaited<ReturnType<Play>>]
  await worker.terminate()
  return result
}
