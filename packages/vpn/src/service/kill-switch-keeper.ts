import { type Clock, type Fault, type Logger, isWeftError, messageOf } from '@weft/core'
import { blockingDaemon, mayBeBlocking } from '../kill-switch/kill-switch-faults.ts'
import type { KillSwitch, KillSwitchStatus } from '../kill-switch/kill-switch.ts'
import { readKnownNodes, writeKnownNodes } from '../kill-switch/known-nodes.ts'
import type { WatchKillSwitch } from '../kill-switch/watch-kill-switch.ts'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'

/** Rules of the switch that this daemon put again since it was started. */
export interface KillSwitchRestored {
  readonly times: number
  /** Of the last time: ms since the Unix epoch, and how the rules stood before. */
  readonly at: number
  readonly differences: readonly string[]
}

/** What a daemon tells of the machine's switch. */
export interface KeptKillSwitchStatus extends KillSwitchStatus {
  /** Undefined until it happens. */
  readonly restored: KillSwitchRestored | undefined
}

export interface KillSwitchKeeperInit {
  readonly killSwitch: Pick<KillSwitch, 'isOf' | 'isOrdered' | 'renew' | 'setNodes' | 'status'>
  readonly home: string
  /** In the home: where the daemon's connections lead, for a switch that is put on while it does not run. */
  readonly nodesFile: string
  readonly uid: number
  readonly watch: WatchKillSwitch
  /** Rules that somebody took away or changed are there again. */
  readonly onRestored: (restored: KillSwitchRestored) => void
  readonly clock: Clock
  readonly logger: Logger
}

/** ms that an answer of the kernel is taken for new: what blocks is told within a second. */
const FRESH_MS = 500
/** ms between looks at the rules that nobody asked for: while the kernel tells each change of them, and while it does not. */
const LOOK_EVERY_MS = 5_000
const LOOK_WITHOUT_WATCH_MS = 1_000
/**
 * ms before rules are put again that were put a moment ago, doubled each time up to the last, and of one that counts as long ago: a program that
 * takes them away again and again, or a kernel that lists them otherwise, is not to keep the daemon busy with nothing else.
 */
const RESTORE_FIRST_MS = 100
const RESTORE_MOST_MS = 5_000
const RESTORE_CALM_MS = 30_000

/**
 * A daemon's part in the kill switch, which stands without it: it puts the rules again when it starts, keeps the addresses of nodes in them, and
 * tells how they stand.
 */
export class KillSwitchKeeper {
  readonly #init: KillSwitchKeeperInit
  #nodes: readonly OutsideAddress[]
  #last: { readonly at: number; readonly status: Promise<KillSwitchStatus> } | undefined
  #seen: KillSwitchStatus | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #cancelLook: (() => void) | undefined
  #endWatch: (() => void) | undefined
  /** Monotonic ms of the last look at the rules. */
  #lookedAt = -Infinity
  #restored: KillSwitchRestored | undefined
  /** Monotonic ms of the last that was put again, and how long the next one waits. */
  #restoredAt = -Infinity
  #pauseMs = 0
  #cancelPause: (() => void) | undefined
  #isRestoring = false
  #isChanged = false
  /** Why it last could not do something, so that it is said once. */
  #trouble = ''
  #isClosed = false

  constructor(init: KillSwitchKeeperInit) {
    this.#init = init
    this.#nodes = readKnownNodes(init.nodesFile)
  }

  /** Puts the rules again that this machine is to have, and looks after them from now on. Resolves once they are there, or cannot be. */
  async start(): Promise<void> {
    const { home, killSwitch, logger } = this.#init
    await this.#inTurn('put the kill switch on again', async () => {
      if (!killSwitch.isOf(home)) return
      const wrong = await killSwitch.renew(this.#nodes)
      if (wrong.length > 0) logger.warn('the kill switch was to be on and was not; it is on again', { was: [...wrong] })
      else await killSwitch.setNodes(this.#nodes)
    })
    await this.#look()
  }

  /** Where this daemon's connections lead from now on. */
  setNodes(nodes: readonly OutsideAddress[]): void {
    const isSame = (a: readonly OutsideAddress[], b: readonly OutsideAddress[]): boolean =>
      a.length === b.length && a.every(({ host, port }, at) => host === b[at]?.host && port === b[at]?.port)
    if (nodes.length === 0 || isSame(nodes, this.#nodes)) return
    this.#nodes = nodes
    const { home, killSwitch, nodesFile, logger } = this.#init
    try {
      writeKnownNodes(nodesFile, nodes)
    } catch (error) {
      logger.warn('addresses of nodes could not be kept for the kill switch', { reason: messageOf(error) })
    }
    if (killSwitch.isOf(home))
      void this.#inTurn('tell the kill switch the addresses of nodes', () => killSwitch.setNodes(nodes))
  }

  /** As of half a second ago at most. */
  async status(): Promise<KeptKillSwitchStatus> {
    return { ...(await this.#fresh()), restored: this.#restored }
  }

  #fresh(): Promise<KillSwitchStatus> {
    const now = this.#init.clock.monotonic()
    if (this.#last === undefined || now - this.#last.at > FRESH_MS) {
      const status = this.#init.killSwitch.status().then((seen) => (this.#seen = seen))
      this.#last = { at: now, status }
    }
    return this.#last.status
  }

  /** Of the last look: that packets may leave beside a switch that is to be on. */
  get fault(): Fault | undefined {
    return this.#seen?.state === 'damaged' ? this.#seen.fault : undefined
  }

  /** The same by the last look, which was a second ago at most where the switch is, or may be, the cause. */
  get cause(): Fault | undefined {
    return this.#seen === undefined ? undefined : this.blocksDaemon(this.#seen)
  }

  /** Why routes of this daemon are not built, where the switch is, or may be, the cause. */
  blocksDaemon({ state, uid, fault }: KillSwitchStatus): Fault | undefined {
    if (uid !== undefined && state !== 'off' && uid !== this.#init.uid) return blockingDaemon(this.#init.uid, uid)
    return state === 'unknown' && this.#init.killSwitch.isOrdered ? mayBeBlocking(fault?.cause ?? '') : undefined
  }

  close(): void {
    this.#isClosed = true
    this.#cancelLook?.()
    this.#cancelPause?.()
    this.#endWatch?.()
    this.#endWatch = undefined
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return
    const { clock, killSwitch, home } = this.#init
    const now = clock.monotonic()
    const isOwn = killSwitch.isOf(home)
    const isDue = this.#endWatch === undefined || now - this.#lookedAt >= LOOK_EVERY_MS
    if (!isOwn) this.#unwatch()
    if (killSwitch.isOrdered && isDue) {
      this.#lookedAt = now
      if (isOwn) {
        this.#watch()
        await this.#restore()
      }
      await this.status()
    }
    if (this.#isClosed) return
    this.#cancelLook = clock.after(LOOK_WITHOUT_WATCH_MS, () => void this.#look())
  }

  #watch(): void {
    if (this.#endWatch !== undefined || this.#isClosed) return
    const end = this.#init.watch({
      onChange: () => void this.#restore(),
      onEnd: () => {
        if (this.#endWatch === end) this.#endWatch = undefined
      },
    })
    this.#endWatch = end
    // What changes before the kernel tells it is seen with the next look.
    this.#lookedAt = -Infinity
  }

  #unwatch(): void {
    this.#endWatch?.()
    this.#endWatch = undefined
  }

  /** Puts the rules again where they are not as ordered; changes meanwhile are looked at after. */
  async #restore(): Promise<void> {
    this.#isChanged = true
    if (this.#isRestoring) return
    const { clock } = this.#init
    const waitMs = this.#restoredAt + this.#pauseMs - clock.monotonic()
    if (waitMs > 0) {
      this.#cancelPause ??= clock.after(waitMs, () => {
        this.#cancelPause = undefined
        void this.#restore()
      })
      return
    }
    this.#isRestoring = true
    this.#isChanged = false
    await this.#inTurn('put the kill switch on again', () => this.#renew())
    this.#isRestoring = false
    if (this.#isChanged && !this.#isClosed) await this.#restore()
  }

  async #renew(): Promise<void> {
    const { clock, home, killSwitch, logger, onRestored } = this.#init
    if (this.#isClosed || !killSwitch.isOf(home)) return
    const differences = await killSwitch.renew(this.#nodes, 'leave')
    if (differences.length === 0) return
    const now = clock.monotonic()
    const isCalm = now - this.#restoredAt > RESTORE_CALM_MS
    this.#pauseMs = isCalm ? RESTORE_FIRST_MS : Math.min(RESTORE_MOST_MS, 2 * this.#pauseMs)
    this.#restoredAt = now
    this.#restored = { times: (this.#restored?.times ?? 0) + 1, at: clock.now(), differences }
    this.#last = undefined
    logger.warn('somebody took away or changed rules of the kill switch; they are there again', {
      was: [...differences],
    })
    onRestored(this.#restored)
  }

  #inTurn(what: string, step: () => Promise<unknown>): Promise<void> {
    const done = this.#turn.then(step).then(
      () => void (this.#trouble = ''),
      (error: unknown) => {
        const reason = isWeftError(error) ? `${error.code}: ${error.cause}` : messageOf(error)
        if (reason !== this.#trouble) this.#init.logger.warn(`this daemon could not ${what}`, { reason })
        this.#trouble = reason
      },
    )
    this.#turn = done
    return done
  }
}
