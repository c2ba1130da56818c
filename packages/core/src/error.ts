/** What every unhealthy state of Weft carries, wherever it shows: CLI, API, dashboard, log, metric label. */
export interface Fault {
  /** Stable, machine-readable: `E_` and upper-case words. Never changes once released. */
  readonly code: string
  /** What went wrong, in words a person understands, with the values that matter (never a secret). */
  readonly cause: string
  /** What to do about it; names the command or the setting where there is one. */
  readonly fix: string
}

export interface WeftErrorInit extends Fault {
  /** True when the same call may succeed later without any change by the caller. */
  readonly retryable?: boolean
  /** Typed data for programs; serialised as JSON, so it holds no secret and no bytes. */
  readonly details?: Readonly<Record<string, unknown>>
  /** The lower error that led here; for logs only, never sent over the wire. */
  readonly origin?: unknown
}

/** The one error class of Weft. `message` is `code: cause Fix: fix`, so that a bare print is already useful. */
export class WeftError extends Error implements Fault {
  override readonly name = 'WeftError'
  readonly code: string
  override readonly cause: string
  readonly fix: string
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>
  readonly origin: unknown

  constructor(init: WeftErrorInit) {
    super(`${init.code}: ${init.cause} Fix: ${init.fix}`)
    this.code = init.code
    this.cause = init.cause
    this.fix = init.fix
    this.retryable = init.retryable ?? false
    this.details = init.details ?? {}
    this.origin = init.origin
  }

  /** The form that crosses process borders: code, cause, fix, retryable, details. */
  toJSON(): Fault & { retryable: boolean; details: Readonly<Record<string, unknown>> } {
    return {
      code: this.code,
      cause: this.cause,
      fix: this.fix,
      retryable: this.retryable,
      details: this.details,
    }
  }
}

export function isWeftError(value: unknown, code?: string): value is WeftError {
  return value instanceof WeftError && (code === undefined || value.code === code)
}

/** The words of any thrown value, for use inside a cause. */
export function messageOf(value: unknown): string {
  if (value instanceof WeftError) return value.cause
  if (value instanceof Error) return value.message === '' ? value.name : value.message
  return String(value)
}

/** Wraps whatever was thrown into a WeftError; a WeftError passes through unchanged. */
export function toWeftError(value: unknown, fallback: Fault): WeftError {
  if (value instanceof WeftError) return value
  return new WeftError({ ...fallback, origin: value })
}

/** The error of a cancelled operation. An AbortSignal's own reason wins when it is already a WeftError. */
export function abortError(signal?: AbortSignal): WeftError {
  if (signal?.reason instanceof WeftError) return signal.reason
  return new WeftError({
    code: 'E_ABORTED',
    cause: 'The operation was cancelled.',
    fix: 'Start it again if that was not intended.',
    retryable: true,
  })
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal)
}
