import { type Clock, systemClock } from './clock.ts'
import { WeftError, isWeftError, messageOf } from './error.ts'
import { type Logger, silentLogger } from './logger.ts'

export interface ScopeOptions {
  readonly name: string
  readonly clock?: Clock
  readonly logger?: Logger
  /** A resource that takes longer than this to close is named in the log, in ms (default 2,000). */
  readonly slowCloseMs?: number
}

interface Closer {
  readonly name: string
  readonly close: () => unknown
}

/**
 * The lifetime of everything long-lived: resources are acquired here, closed once, in reverse order, and whatever
 * is slow to close is named. `signal` fires before the first resource closes.
 */
export class Scope implements AsyncDisposable {
  readonly name: string
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #slowCloseMs: number
  readonly #controller = new AbortController()
  /** In the order of their registration. */
  readonly #closers = new Set<Closer>()
  #closing: Promise<void> | undefined
  /** Tells the parent that this child is closed. */
  #over: (() => void) | undefined

  constructor(options: ScopeOptions) {
    this.name = options.name
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#slowCloseMs = options.slowCloseMs ?? 2_000
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Resources, children and background tasks that are not over yet. */
  get size(): number {
    return this.#closers.size
  }

  /** Registers what must be closed. @throws WeftError E_SCOPE_CLOSED when the scope is closing already. */
  defer(name: string, close: () => unknown): void {
    this.#requireOpen(name)
    this.#closers.add({ name, close })
  }

  #requireOpen(name: string): void {
    if (this.#closing !== undefined) {
      throw new WeftError({
        code: 'E_SCOPE_CLOSED',
        cause: `${this.name} is closing; ${name} cannot start any more.`,
        fix: 'Start it again once the daemon is up.',
        retryable: true,
      })
    }
  }

  /** Registers a disposable and hands it back. */
  use<T extends AsyncDisposable | Disposable>(name: string, resource: T): T {
    this.defer(name, () =>
      Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose](),
    )
    return resource
  }

  /** A scope that closes with this one. */
  child(name: string): Scope {
    const child = new Scope({
      name: `${this.name}/${name}`,
      clock: this.#clock,
      logger: this.#logger,
      slowCloseMs: this.#slowCloseMs,
    })
    this.#requireOpen(name)
    const closer = { name, close: () => child.close() }
    this.#closers.add(closer)
    child.#over = () => this.#closers.delete(closer)
    return child
  }

  /** Runs a background task until it ends or the scope closes; a failure is logged, never unhandled. */
  spawn(name: string, task: (signal: AbortSignal) => Promise<void>): void {
    this.#requireOpen(name)
    const running = task(this.signal)
      .catch((error: unknown) => {
        if (isWeftError(error, 'E_ABORTED') || (error instanceof Error && error.name === 'AbortError')) return
        this.#logger.error(`${this.name}: background task ${name} failed`, { error: messageOf(error) })
      })
      .finally(() => this.#closers.delete(closer))
    const closer = { name, close: () => running }
    this.#closers.add(closer)
  }

  /** Closes everything in reverse order; errors are collected. @throws AggregateError when closers failed. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#controller.abort(
      new WeftError({
        code: 'E_ABORTED',
        cause: `${this.name} is closing.`,
        fix: 'Start it again once the daemon is up.',
        retryable: true,
      }),
    )
    const errors: unknown[] = []
    for (const closer of [...this.#closers].toReversed()) {
      const { name, close } = closer
      const cancel = this.#clock.after(this.#slowCloseMs, () =>
        this.#logger.warn(`${this.name}: ${name} is slow to close`, { afterMs: this.#slowCloseMs }),
      )
      try {
        await close()
      } catch (error) {
        errors.push(error)
        this.#logger.error(`${this.name}: closing ${name} failed`, { error: messageOf(error) })
      } finally {
        cancel()
        this.#closers.delete(closer)
      }
    }
    this.#over?.()
    if (errors.length > 0) throw new AggregateError(errors, `${this.name}: ${errors.length} resources failed to close`)
  }
}
