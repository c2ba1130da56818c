import { type Fault, type Logger, type Scope, toWeftError } from '@weft/core'
import type { Overlay } from '@weft/overlay'

/** How far this node has come with leaving. */
export interface DepartureStatus {
  readonly state: 'member' | 'leaving' | 'left' | 'failed'
  /** Of the step that is under way. */
  readonly step: 'leaving-map' | 'records' | undefined
  /** Records that were looked at. */
  readonly records: number
  /** Of them those that enough other members have. */
  readonly safe: number
  /** Why it failed. */
  readonly fault: Fault | undefined
}

const MEMBER: DepartureStatus = { state: 'member', step: undefined, records: 0, safe: 0, fault: undefined }

/** Leaves the network in good order, once at a time; the daemon goes on running until somebody stops it. */
export class Departure {
  readonly #overlay: Pick<Overlay, 'leave'>
  readonly #scope: Scope
  readonly #logger: Logger
  #status = MEMBER
  #stop = new AbortController()

  constructor(overlay: Pick<Overlay, 'leave'>, scope: Scope, logger: Logger) {
    this.#overlay = overlay
    this.#scope = scope
    this.#logger = logger
  }

  status(): DepartureStatus {
    return this.#status
  }

  /** Begins to leave, unless it does already, or has. */
  begin(): void {
    if (this.#status.state === 'leaving' || this.#status.state === 'left') return
    this.#stop = new AbortController()
    this.#status = { ...MEMBER, state: 'leaving', step: 'leaving-map' }
    const { signal } = this.#stop
    this.#scope.spawn('departure', (ending) => this.#leave(AbortSignal.any([signal, ending]), signal))
  }

  /** Stays a member. One that has left already cannot; it is one again once the daemon is restarted. */
  cancel(): void {
    this.#stop.abort()
  }

  async #leave(signal: AbortSignal, cancelled: AbortSignal): Promise<void> {
    try {
      const done = await this.#overlay.leave({
        signal,
        onProgress: ({ step, ...rest }) => (this.#status = { ...this.#status, ...rest, step }),
      })
      this.#status = { ...MEMBER, ...done, state: 'left' }
      this.#logger.info('left the network', { records: done.records, safe: done.safe })
    } catch (error) {
      if (cancelled.aborted) {
        this.#status = MEMBER
        return
      }
      const { code, cause, fix } = toWeftError(error, {
        code: 'E_INTERNAL',
        cause: 'The node could not leave.',
        fix: 'See its log.',
      })
      this.#status = { ...this.#status, state: 'failed', fault: { code, cause, fix } }
    }
  }
}
