import { parentPort, workerData } from 'node:worker_threads'
import { type Part, measurePart } from './measure-workload.ts'

parentPort?.postMessage(measurePart(workerData as Part))
