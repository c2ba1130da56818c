import { parentPort, workerData } from 'node:worker_threads'
import { measureGrowth } from './measure-growth.ts'

// Run by `measureApart`.
const { seed, members } = workerData as { readonly seed: string; readonly members: number }
parentPort?.postMessage(await measureGrowth(seed, members))
