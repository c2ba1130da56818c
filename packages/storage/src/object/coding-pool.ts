import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { type Clock, WeftError, abortError, messageOf, throwIfAborted } from '@weft/core'
import type {
  CodingJob,
  CodingResult,
  DecodeJob,
  EncodeJob,
  ResealJob,
  RestoreJob,
  SealedShard,
  VerifyJob,
  WorkerMessage,
} from './coding-job.ts'

export interface CodingPoolOptions {
  /** Threads at most; each is started when it is first needed. */
  readonly threads: number
  readonly clock: Clock
}

/** A thread with nothing to do for this long ends and gives its memory back, ms. */
const IDLE_MS = 20_000

/**
 * MB. A thread keeps next to nothing between jobs. Before results of ciphers were freed at once, the small young
 * generation kept a whole process at 300 MB over a 256 MiB put, 396 without it.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 }

interface Task {
  readonly job: CodingJob
  readonly onShard: (shard: SealedShard) => void
  readonly settle: PromiseWithResolvers<CodingResult>
}

interface Thread {
  readonly worker: Worker
  task: Task | undefined
  cancelIdle: () => void
}

/**
 * Encryption, hashing and coding in worker threads, so that the main thread never waits for it. Jobs start in order,
 * but decoding before anything else: it ends the way of a segment that someone waits for, and makes room.
 * A job that started is not interrupted (it takes a fraction of a second). Until it settles its buffers are the
 * thread's, except a shard that it said is sealed.
 */
export class CodingPool implements AsyncDisposable {
  readonly #options: CodingPoolOptions
  readonly #threads = new Set<Thread>()
  readonly #waiting: Task[] = []
  #closed = false

  constructor(options: CodingPoolOptions) {
    this.#options = options
  }

  /** @param onShard hears of each shard as soon as it is sealed. @throws WeftError E_CODING_FAILED, E_ABORTED */
  async encode(job: EncodeJob, onShard: (shard: SealedShard) => void): Promise<void> {
    await this.#run(job, onShard)
  }

  /** True when it is the shard that its owner signed. @throws WeftError E_CODING_FAILED, E_ABORTED */
  verify(job: VerifyJob): Promise<boolean> {
    return this.#run(job)
  }

  /** True when what came out is the shard that its owner signed. @throws WeftError E_CODING_FAILED, E_ABORTED */
  restore(job: RestoreJob): Promise<boolean> {
    return this.#run(job)
  }

  /** @throws WeftError E_OBJECT_KEY when a frame does not open; E_CODING_FAILED, E_ABORTED */
  async decode(job: DecodeJob): Promise<void> {
    await this.#run(job)
  }

  /** @returns the root of what it is now. @throws WeftError E_CODING_FAILED, E_ABORTED */
  async reseal(job: ResealJob): Promise<Uint8Array> {
    let root: Uint8Array = new Uint8Array(0)
    await this.#run(job, (shard) => (root = shard.root))
    return root
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const task of this.#waiting.splice(0)) task.settle.reject(abortError())
    await Promise.all([...this.#threads].map((thread) => this.#end(thread, abortError())))
  }

  async #run(job: CodingJob, onShard: (shard: SealedShard) => void = () => {}): Promise<CodingResult> {
    throwIfAborted(this.#closed ? AbortSignal.abort() : undefined)
    const task: Task = { job, onShard, settle: Promise.withResolvers() }
    const behindDecodes = this.#waiting.findIndex((other) => other.job.kind !== 'decode')
    if (job.kind === 'decode' && behindDecodes >= 0) this.#waiting.splice(behindDecodes, 0, task)
    else this.#waiting.push(task)
    this.#dispatch()
    return task.settle.promise
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const idle = [...this.#threads].find((thread) => thread.task === undefined)
      const thread = idle ?? (this.#threads.size < this.#options.threads ? this.#start() : undefined)
      if (thread === undefined) return
      const task = this.#waiting.shift() as Task
      thread.cancelIdle()
      thread.task = task
      thread.worker.ref()
      thread.worker.postMessage(task.job)
    }
  }

  #start(): Thread {
    const worker = new Worker(workerUrl(), { name: 'weft-coding', resourceLimits: RESOURCE_LIMITS })
    // An idle thread must not keep the process; `#dispatch` holds it while there is work.
    worker.unref()
    const thread: Thread = { worker, task: undefined, cancelIdle: () => {} }
    this.#threads.add(thread)
    worker.on('message', (message: WorkerMessage) => this.#onMessage(thread, message))
    worker.on('error', (error: unknown) => void this.#end(thread, threadFailed(messageOf(error))))
    worker.on('exit', (code) => void this.#end(thread, threadFailed(`it exited with code ${code}`)))
    return thread
  }

  #onMessage(thread: Thread, message: WorkerMessage): void {
    const { task } = thread
    if (task === undefined) return
    if (message.type === 'shard') {
      task.onShard(message.shard)
      return
    }
    thread.task = undefined
    thread.worker.unref()
    if (message.type === 'done') task.settle.resolve(message.result)
    else task.settle.reject(new WeftError(message.fault))
    this.#dispatch()
    if (thread.task !== undefined) return
    thread.cancelIdle = this.#options.clock.after(IDLE_MS, () => void this.#end(thread, abortError()))
  }

  async #end(thread: Thread, error: WeftError): Promise<void> {
    if (!this.#threads.delete(thread)) return
    thread.cancelIdle()
    const { task } = thread
    thread.task = undefined
    await thread.worker.terminate()
    // Not before: the thread may write into the buffers of its job as long as it lives.
    task?.settle.reject(error)
    if (!this.#closed) this.#dispatch()
  }
}

/** In the tree the TypeScript beside this file; in the bundle workers/coding.js beside the bundle. */
function workerUrl(): URL {
  const source = new URL('./coding.worker.ts', import.meta.url)
  return existsSync(source) ? source : new URL('./workers/coding.js', import.meta.url)
}

function threadFailed(why: string): WeftError {
  return new WeftError({
    code: 'E_CODING_FAILED',
    cause: `A coding thread ended: ${why}.`,
    fix: 'Try again; if it happens again, look for a lack of memory (`weft status` shows what the daemon uses).',
    retryable: true,
  })
}
