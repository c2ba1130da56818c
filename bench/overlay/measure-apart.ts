import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { GrowthFigures } from './measure-growth.ts'

/** MB: V8 gives 4 GB by itself, and ten thousand simulated nodes hold more. */
const HEAP_MB = 12_288

/** Measures one size in a thread with a heap of its own: a large one, and nothing left in it of the size before. */
export async function measureApart(seed: string, members: number): Promise<GrowthFigures> {
  const worker = new Worker(new URL('./growth-worker.ts', import.meta.url), {
    workerData: { seed, members },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  // Rejects when the thread ends with an error.
  const [figures] = (await once(worker, 'message')) as [GrowthFigures]
  await worker.terminate()
  return figures
}
