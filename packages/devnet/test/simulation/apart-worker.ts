import { parentPort, workerData } from 'node:worker_threads'

// Run by `apart`.
const { scenario, input } = workerData as { readonly scenario: string; readonly input: unknown }
const { play } = (await import(scenario)) as { readonly play: (input: unknown) => Promise<unknown> }
parentPort?.postMessage(await play(input))
