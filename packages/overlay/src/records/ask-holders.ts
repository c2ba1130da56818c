import { type Clock, type WeftError, abortError, throwIfAborted, toWeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'

/** What holders said so far. */
export interface Answers<T> {
  readonly given: ReadonlyMap<DidKey, T>
  readonly failed: ReadonlyMap<DidKey, WeftError>
}

export interface Asked<T> {
  /** The answers at the moment when they were enough, or all that will come. */
  readonly answers: Answers<T>
  /** Resolves when every holder that was asked has answered or failed; `answers` are then complete. Never rejects. */
  readonly settled: Promise<void>
}

/** Holders that are asked together. */
export interface Wave {
  readonly holders: readonly DidKey[]
  /** The next wave is asked as soon as any of these answered without making it enough. */
  readonly impatient?: boolean
}

export interface Question<T> {
  /** Each holder is in one wave only. */
  readonly waves: readonly Wave[]
  readonly ask: (holder: DidKey, signal: AbortSignal) => Promise<T>
  readonly enough: (answers: Answers<T>) => boolean
  /** How long a wave is waited for before the next one is asked, too; ms. Not needed with one wave. */
  readonly pauseMs?: number
  /** Told who kept the asker waiting: those who failed, and those who were silent when a pause ended. */
  readonly onLate?: (holder: DidKey) => void
  readonly signal: AbortSignal | undefined
  /** Ends with the node. */
  readonly lifetime: AbortSignal
}

/**
 * Asks the first wave of holders and resolves as soon as `enough` says so, or all waves have answered or failed. The
 * next wave is asked when one of those asked fails, when all of them answered and it was not enough, or after the pause.
 * Those that have not answered by then go on in the background, until their own timeouts or `lifetime` end them; an
 * abort of `signal` before that ends everything. @throws WeftError E_ABORTED
 */
export function askHolders<T>(question: Question<T>, clock: Clock): Promise<Asked<T>> {
  return new Asking(question, clock).run()
}

class Asking<T> {
  readonly #question: Question<T>
  readonly #clock: Clock
  readonly #controller = new AbortController()
  readonly #given = new Map<DidKey, T>()
  readonly #failed = new Map<DidKey, WeftError>()
  readonly #answers: Answers<T> = { given: this.#given, failed: this.#failed }
  readonly #ready = Promise.withResolvers<void>()
  readonly #settled = Promise.withResolvers<void>()
  readonly #silent = new Set<DidKey>()
  #wave = 0
  #over = false
  #cancelPause: (() => void) | undefined

  constructor(question: Question<T>, clock: Clock) {
    this.#question = question
    this.#clock = clock
  }

  async run(): Promise<Asked<T>> {
    const { signal, lifetime } = this.#question
    throwIfAborted(signal)
    throwIfAborted(lifetime)
    const onAbort = (): void => this.#stop(signal)
    const onEnd = (): void => this.#stop(lifetime)
    signal?.addEventListener('abort', onAbort, { once: true })
    lifetime.addEventListener('abort', onEnd, { once: true })
    void this.#settled.promise.then(() => lifetime.removeEventListener('abort', onEnd))
    this.#next()
    try {
      await this.#ready.promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
    return { answers: this.#answers, settled: this.#settled.promise }
  }

  #next(): void {
    this.#cancelPause?.()
    this.#cancelPause = undefined
    const wave = this.#question.waves[this.#wave++]
    for (const holder of wave?.holders ?? []) this.#silent.add(holder)
    for (const holder of wave?.holders ?? []) void this.#ask(holder)
    if (this.#silent.size === 0) this.#advance(true)
    else if (this.#more) this.#cancelPause = this.#clock.after(this.#question.pauseMs ?? 0, () => this.#onPause())
  }

  get #more(): boolean {
    return this.#wave < this.#question.waves.length
  }

  async #ask(holder: DidKey): Promise<void> {
    let failed = false
    try {
      this.#given.set(holder, await this.#question.ask(holder, this.#controller.signal))
    } catch (error) {
      failed = true
      this.#failed.set(
        holder,
        toWeftError(error, {
          code: 'E_INTERNAL',
          cause: 'The holder could not be asked.',
          fix: 'See the log of this node.',
        }),
      )
      if (!this.#controller.signal.aborted) this.#question.onLate?.(holder)
    }
    this.#silent.delete(holder)
    this.#advance(failed)
  }

  /** Looks at what is known now, after an answer. */
  #advance(failed: boolean): void {
    if (!this.#over) {
      const impatient = this.#question.waves[this.#wave - 1]?.impatient ?? false
      if (this.#question.enough(this.#answers)) this.#finish()
      else if (this.#more && (failed || impatient || this.#silent.size === 0)) this.#next()
      else if (this.#silent.size === 0) this.#finish()
    }
    if (this.#over && this.#silent.size === 0) this.#settled.resolve()
  }

  #onPause(): void {
    for (const holder of this.#silent) this.#question.onLate?.(holder)
    this.#next()
  }

  #finish(): void {
    this.#over = true
    this.#cancelPause?.()
    this.#ready.resolve()
  }

  #stop(from: AbortSignal | undefined): void {
    this.#over = true
    this.#cancelPause?.()
    this.#controller.abort(abortError(from))
    this.#ready.reject(abortError(from))
  }
}

/** Who failed and why, for the cause of an error: `…abcd1234 (E_CALL_TIMEOUT), …`. */
export function describeFailures({ failed }: Answers<unknown>): string {
  return [...failed].map(([id, error]) => `…${shortId(id)} (${error.code})`).join(', ')
}

/** The same for programs. */
export function failuresOf({ failed }: Answers<unknown>): readonly { id: DidKey; code: string }[] {
  return [...failed].map(([id, { code }]) => ({ id, code }))
}
