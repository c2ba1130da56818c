import { parentPort } from 'node:worker_threads'
import { toWeftError } from '@weft/core'
import type { CodingJob, CodingResult, WorkerMessage } from './coding-job.ts'
import { runCodingJob } from './run-coding-job.ts'

// A coding thread of CodingPool: one job at a time, all large buffers moved, none copied.

const port = parentPort
if (port === null) throw new Error('coding.worker runs only as a worker thread')

const post = (message: WorkerMessage, moved: readonly Uint8Array<ArrayBuffer>[]): void => {
  port.postMessage(message, [...new Set(moved.map((bytes) => bytes.buffer))])
}

port.on('message', (job: CodingJob) => {
  try {
    const result = runCodingJob(job, (shard) => post({ type: 'shard', shard }, [shard.shard]))
    post({ type: 'done', result }, buffersOf(result))
  } catch (error) {
    const { code, cause, fix } = toWeftError(error, {
      code: 'E_CODING_FAILED',
      cause: `A coding thread failed: ${error instanceof Error ? error.message : 'unknown'}.`,
      fix: 'Try again; if it happens again, report it with `weft bugreport`.',
    })
    post({ type: 'failed', fault: { code, cause, fix } }, [])
  }
})

function buffersOf(result: CodingResult): readonly Uint8Array<ArrayBuffer>[] {
  if ('plaintext' in result) return [result.plaintext]
  return 'valid' in result ? [result.shard] : [...result.frames, ...result.shards]
}
