import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** MB: V8 gives 4 GB by itself, and ten thousand simulated nodes hold more. */
const HEAP_MB = 12_288

/**
 * Plays a scenario, the function `play` of a file in `scenarios`, in a thread of its own: the runner of node:test follows
 * every promise of its own thread (async_hooks), which makes a simulation dearer and ends one of many nodes, as a
 * `Map` holds 2^24 entries. What the scenario throws is thrown here.
 */
export async function apart<Play extends (input: never) => Promise<unknown>>(
  scenario: string,
  input: Parameters<Play>[0],
): Promise<Awaited<ReturnType<Play>>> {
  const worker = new Worker(new URL('apart-worker.ts', import.meta.url), {
    workerData: { scenario: new URL(`scenarios/${scenario}.ts`, import.meta.url).href, input },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  const [result] = (await once(worker, 'message')) as [Awaited<ReturnType<Play>>]
  await worker.terminate()
  return result
}
