import { parentPort, workerData } from 'node:worker_threads'

// Run by `playApart`.
const { module, input } = workerData as { readonly module: string; readonly input: unknown }
const { play } = (await import(module)) as { readonly play: (input: unknown) => Promise<unknown> }
parentPort?.postMessage(await play(input))
