import { type WeftError, abortError, throwIfAborted, toWeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'

/** What holders said so far. */
export interface Answers<T> {
  readonly given: ReadonlyMap<DidKey, T>
  readonly failed: ReadonlyMap<DidKey, WeftError>
}

export interface Asked<T> {
  /** The answers at the moment when they were enough, or all that will come. */
  readonly answers: Answers<T>
  /** Resolves when every holder has answered or failed; `answers` are then complete. Never rejects. */
  readonly settled: Promise<void>
}

/**
 * Asks all holders at once and resolves as soon as `enough` says so, or all have answered or failed. Those that have
 * not answered by then go on in the background, until their own timeouts or `lifetime` end them; an abort of `signal`
 * before that ends everything. @throws WeftError E_ABORTED
 */
export async function askHolders<T>(
  holders: readonly DidKey[],
  ask: (holder: DidKey, signal: AbortSignal) => Promise<T>,
  enough: (answers: Answers<T>) => boolean,
  signal: AbortSignal | undefined,
  lifetime: AbortSignal,
): Promise<Asked<T>> {
  throwIfAborted(signal)
  throwIfAborted(lifetime)
  const controller = new AbortController()
  const given = new Map<DidKey, T>()
  const failed = new Map<DidKey, WeftError>()
  const answers: Answers<T> = { given, failed }
  const ready = Promise.withResolvers<void>()
  const stop = (from: AbortSignal) => (): void => {
    controller.abort(abortError(from))
    ready.reject(abortError(from))
  }
  const onAbort = signal === undefined ? undefined : stop(signal)
  const onEnd = stop(lifetime)
  if (onAbort !== undefined) signal?.addEventListener('abort', onAbort, { once: true })
  lifetime.addEventListener('abort', onEnd, { once: true })

  const asking = holders.map(async (holder) => {
    try {
      given.set(holder, await ask(holder, controller.signal))
    } catch (error) {
      failed.set(
        holder,
        toWeftError(error, {
          code: 'E_INTERNAL',
          cause: 'The holder could not be asked.',
          fix: 'See the log of this node.',
        }),
      )
    }
    if (enough(answers)) ready.resolve()
  })
  const settled = Promise.all(asking).then(() => {
    lifetime.removeEventListener('abort', onEnd)
    ready.resolve()
  })
  try {
    await ready.promise
  } finally {
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
  }
  return { answers, settled }
}

/** Who failed and why, for the cause of an error: `…abcd1234 (E_CALL_TIMEOUT), …`. */
export function describeFailures({ failed }: Answers<unknown>): string {
  return [...failed].map(([id, error]) => `…${shortId(id)} (${error.code})`).join(', ')
}

/** The same for programs. */
export function failuresOf({ failed }: Answers<unknown>): readonly { id: DidKey; code: string }[] {
  return [...failed].map(([id, { code }]) => ({ id, code }))
}
