import { Semaphore, isWeftError, messageOf, orAborted } from '@weft/core'
import { SigningKey, wipe } from '@weft/crypto'
import type { ObjectRenewal, OpenPrivate, StoredObject } from '../storage.ts'
import { notOwn } from './not-own.ts'
import type { ObjectContext } from './object-context.ts'
import type { ObjectIndex } from './object-index.ts'
import { privateContext } from './private-context.ts'
import { checkTtl } from './put-request.ts'
import { Renewing } from './renewing.ts'

/** Renewals that are gone on with at once in the background. */
const IN_BACKGROUND = 4
/** What failed is tried again after this long, each time twice as long, at most an hour, ms. */
const FIRST_RETRY_MS = 5_000
const LAST_RETRY_MS = 3_600_000
/** Renewals that are over and still told of. */
const MAX_OVER = 1_000

export interface RenewalsParts {
  readonly context: ObjectContext
  readonly openPrivate: OpenPrivate | undefined
  readonly index: ObjectIndex
}

/** One that is not over. */
interface Open {
  readonly renewing: Renewing
  /** Fires when the object is removed, or a later end takes the place of this one. */
  readonly stop: AbortController
  running: Promise<void> | undefined
  /** Passes that left something to do. */
  passes: number
  cancel: () => void
}

/**
 * The renewals of own objects. The end that is asked for is durable before anybody is told of it, and what could not be
 * told is tried again until the former end, also after a restart.
 */
export class Renewals {
  readonly #parts: RenewalsParts
  readonly #open = new Map<string, Open>()
  /** The last of each object, those that are over in the order of their end. */
  readonly #over = new Map<string, Renewing>()
  readonly #running = new Set<Promise<void>>()
  readonly #places = new Semaphore(IN_BACKGROUND)

  constructor(parts: RenewalsParts) {
    this.#parts = parts
    const { index, context } = parts
    for (const { object, until, deadline } of index.renewals.list()) {
      const before = index.get(object)
      if (before === undefined) index.renewals.remove(object)
      else this.#schedule(this.#enter(this.#renewing({ ...before, expiresAt: deadline }, until)))
    }
    context.signal.addEventListener('abort', () => {
      for (const { cancel } of this.#open.values()) cancel()
    })
  }

  /** @throws WeftError as Storage.renew */
  async renew(object: string, ttlMs: number, signal: AbortSignal): Promise<ObjectRenewal> {
    const { context, index } = this.#parts
    const now = context.clock.now()
    const before = index.get(object)
    if (before === undefined || before.expiresAt <= now) throw notOwn(object, 'renew')
    const { membership, self } = context.overlay
    checkTtl(ttlMs, !before.private && membership.isMember(self))
    const until = now + ttlMs
    let open = this.#open.get(object)
    if (open === undefined || open.renewing.until < until) {
      if (until <= before.expiresAt) return this.renewal(object) ?? alreadyLonger(before)
      index.renewals.write({ object, until, deadline: before.expiresAt })
      if (open !== undefined) this.#stop(open)
      open = this.#enter(this.#renewing(before, until))
    }
    if (open.running === undefined) this.#start(open)
    await orAborted(open.running ?? Promise.resolve(), signal)
    return this.#status(open.renewing)
  }

  renewal(object: string): ObjectRenewal | undefined {
    const renewing = this.#open.get(object)?.renewing ?? this.#over.get(object)
    return renewing === undefined ? undefined : this.#status(renewing)
  }

  /** The object is removed: nobody is told any more that it lasts. */
  forget(object: string): void {
    const open = this.#open.get(object)
    if (open !== undefined) this.#stop(open)
    this.#over.delete(object)
  }

  /** Resolves when nothing is under way; to be awaited after the storage's signal fired. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running)
  }

  #status(renewing: Renewing): ObjectRenewal {
    return renewing.status(this.#parts.index.get(renewing.object)?.expiresAt ?? renewing.deadline)
  }

  #renewing(before: StoredObject, until: number): Renewing {
    return new Renewing(before, until, () => this.#parts.index.standIns.of(before.object))
  }

  #enter(renewing: Renewing): Open {
    const open: Open = { renewing, stop: new AbortController(), running: undefined, passes: 0, cancel: () => {} }
    this.#open.set(renewing.object, open)
    this.#over.delete(renewing.object)
    return open
  }

  #stop(open: Open): void {
    open.cancel()
    open.stop.abort()
    if (this.#open.get(open.renewing.object) === open) this.#open.delete(open.renewing.object)
  }

  #start(open: Open): void {
    open.cancel()
    const { logger, signal } = this.#parts.context
    const running = this.#pass(open)
      .catch((error: unknown) => {
        if (signal.aborted || open.stop.signal.aborted) return
        open.renewing.failed(error)
        logger.warn('storage: a renewal did not get on', { error: messageOf(error) })
      })
      .finally(() => {
        open.running = undefined
        this.#running.delete(running)
        if (!open.stop.signal.aborted) this.#next(open)
      })
    open.running = running
    this.#running.add(running)
  }

  async #pass({ renewing, stop }: Open): Promise<void> {
    const { context, openPrivate, index } = this.#parts
    const seed = index.seedOf(renewing.object)
    if (seed === undefined) return
    const key = new SigningKey(seed)
    wipe(seed)
    const signal = AbortSignal.any([context.signal, stop.signal])
    const isPrivate = index.isPrivate(renewing.object)
    const privately = isPrivate ? await privateContext(context, openPrivate, signal) : undefined
    try {
      await renewing.pass({ ...(privately?.context ?? context), signal }, key)
    } finally {
      await privately?.close()
    }
  }

  #next(open: Open): void {
    const { context, index } = this.#parts
    if (context.signal.aborted) return
    const { renewing } = open
    try {
      if (renewing.isKept) index.extend(renewing.object, renewing.until)
      if (renewing.isDone || context.clock.now() >= renewing.deadline) {
        index.renewals.remove(renewing.object)
        this.#close(open)
        return
      }
    } catch (error) {
      context.logger.warn('storage: the state of a renewal cannot be written down', { error: messageOf(error) })
    }
    this.#schedule(open)
  }

  #close({ renewing }: Open): void {
    renewing.close()
    this.#open.delete(renewing.object)
    this.#over.set(renewing.object, renewing)
    const [oldest] = this.#over.keys()
    if (this.#over.size > MAX_OVER && oldest !== undefined) this.#over.delete(oldest)
  }

  #schedule(open: Open): void {
    const { clock, signal } = this.#parts.context
    const pause = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(open.passes++, 20))
    // Not past the former end: what was not renewed until then is gone.
    const ms = Math.max(0, Math.min(pause, open.renewing.deadline - clock.now()))
    open.cancel = clock.after(ms, () => {
      this.#places
        .use(async () => {
          if (open.stop.signal.aborted) return
          if (open.running === undefined) this.#start(open)
          await open.running
        }, signal)
        .catch((error: unknown) => {
          if (!isWeftError(error, 'E_ABORTED')) throw error
        })
    })
  }
}

function alreadyLonger({
  object,
  name,
  expiresAt,
}: {
  object: string
  name: string
  expiresAt: number
}): ObjectRenewal {
  const records = { renewed: 0, total: undefined }
  return { object, name, expiresAt, until: expiresAt, state: 'done', records, fault: undefined, holders: [] }
}
