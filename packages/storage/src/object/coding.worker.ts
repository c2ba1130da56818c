import { parentPort } from 'node:worker_threads'
import { toWeftError } from '@weft/core'
import type { CodingJob, WorkerMessage } from './coding-job.ts'
import { runCodingJob } from './run-coding-job.ts'

// A coding thread of CodingPool: one job at a time, all large buffers shared, none copied.

const port = parentPort
if (port === null) throw new Error('coding.worker runs only as a worker thread')

const post = (message: WorkerMessage): void => port.postMessage(message)

port.on('message', (job: CodingJob) => {
  try {
    const result = runCodingJob(job, (shard) => post({ type: 'shard', shard }))
    post({ type: 'done', result })
  } catch (error) {
    const { code, cause, fix } = toWeftError(error, {
      code: 'E_CODING_FAILED',
      cause: `A coding thread failed: ${error instanceof Error ? error.message : 'unknown'}.`,
      fix: 'Try again; if it happens again, report it to the project, with the log of the daemon.',
    })
    post({ type: 'failed', fault: { code, cause, fix } })
  }
})
