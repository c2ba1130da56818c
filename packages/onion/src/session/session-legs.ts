import { type SessionLeg } from './session-leg.ts'

/** What becomes of the figures of legs that are gone. */
interface Totals {
  lost: number
  spurious: number
}

/**
 * A leg is much shorter whose least round trip takes this part of the time and so many ms less: a flow that moves there has some packets overtake others once,
 * and gains for as long as it goes on.
 */
const MUCH_SHORTER_PART = 0.6
const MUCH_SHORTER_MS = 20

/** The legs of a session, and which of them the next packet goes over. */
export class SessionLegs {
  readonly #legs: SessionLeg[] = []
  /** What legs that are gone have counted. */
  readonly #gone: Totals = { lost: 0, spurious: 0 }
  /** Over which datagrams go, in their order: packets of one flow over two legs would overtake each other. */
  #pinned: SessionLeg | undefined
  /** Monotonic ms at which the last of them went. */
  #datagramAt = -Infinity

  get all(): readonly SessionLeg[] {
    return this.#legs
  }

  get size(): number {
    return this.#legs.length
  }

  get lost(): number {
    return this.#legs.reduce((sum, { recovery }) => sum + recovery.lost, this.#gone.lost)
  }

  get spurious(): number {
    return this.#legs.reduce((sum, { recovery }) => sum + recovery.spurious, this.#gone.spurious)
  }

  get inFlight(): number {
    return this.#legs.reduce((sum, { recovery }) => sum + recovery.inFlight, 0)
  }

  /** Packets that may be in flight over all that are used. */
  get window(): number {
    let window = 0
    for (const leg of this.#legs) if (this.isFit(leg)) window += leg.recovery.controller.window
    return window
  }

  /** Ms, of the slowest that is used: what was sent last may be back after that; 0 where none was measured. */
  get smoothedRtt(): number {
    let rtt = 0
    for (const leg of this.#legs)
      if (this.isFit(leg) && leg.recovery.rtt.hasSample) rtt = Math.max(rtt, leg.recovery.rtt.smoothed)
    return rtt
  }

  /** Of those that are fit the one with the shortest way. */
  get best(): SessionLeg | undefined {
    let best: SessionLeg | undefined
    for (const leg of this.#legs) if (this.isFit(leg) && (best === undefined || isShorter(leg, best))) best = leg
    return best
  }

  find(id: number): SessionLeg | undefined {
    return this.#legs.find((leg) => leg.id === id)
  }

  add(leg: SessionLeg): void {
    this.#legs.push(leg)
  }

  remove(leg: SessionLeg): void {
    const at = this.#legs.indexOf(leg)
    if (at < 0) return
    this.#legs.splice(at, 1)
    if (this.#pinned === leg) this.#pinned = undefined
    this.#gone.lost += leg.recovery.lost
    this.#gone.spurious += leg.recovery.spurious
  }

  /** Whether content goes over it: it is used and not silent; where there is no such, one in reserve; and any, where all are silent. */
  isFit(leg: SessionLeg): boolean {
    if (this.#legs.length === 1) return true
    if (!leg.isSilent && leg.use === 'used') return true
    if (this.#legs.some((other) => !other.isSilent && other.use === 'used')) return false
    return !leg.isSilent || this.#legs.every((other) => other.isSilent)
  }

  /** Whether there is another one that what is in flight on this could go over. */
  hasOtherThan(leg: SessionLeg): boolean {
    return this.#legs.some((other) => other !== leg && !other.isSilent)
  }

  /** One that has something of its own to say. */
  withOwn(now: number): SessionLeg | undefined {
    for (const leg of this.#legs) if (leg.hasOwn(now)) return leg
    return undefined
  }

  /** The shortest that is fit and has room now: what does not fit on the first overflows onto the next. */
  forData(now: number): SessionLeg | undefined {
    let best: SessionLeg | undefined
    for (const leg of this.#legs)
      if (this.isFit(leg) && (best === undefined || isShorter(leg, best)) && leg.mayCarry(now)) best = leg
    return best
  }

  /**
   * The one that datagrams go over, whether it has room or not: the shortest where none of them is under way, and that of those before while they are,
   * unless another one is much shorter.
   */
  forDatagrams(now: number): SessionLeg | undefined {
    const pinned = this.#pinned
    if (pinned === undefined || !this.isFit(pinned) || this.#isLeft(pinned, now)) this.#pinned = this.best
    return this.#pinned
  }

  /** Some were written for the leg that they go over. */
  onDatagrams(now: number): void {
    this.#datagramAt = now
  }

  #isLeft({ recovery }: SessionLeg, now: number): boolean {
    const { hasSample, smoothed, min } = recovery.rtt
    if (!hasSample) return false
    if (now - this.#datagramAt > smoothed) return true
    // The least of both: what this flow itself has wait on its leg is no reason to leave it, and would be one again on the other.
    const shortest = this.best?.recovery.rtt.min ?? Infinity
    return shortest < MUCH_SHORTER_PART * min && min - shortest >= MUCH_SHORTER_MS
  }

  /**
   * Monotonic ms at which one of them may carry content again that may not now for its pace; infinite where windows are full.
   * @param isDatagrams nothing but datagrams waits: room of another leg than theirs is no reason to wake
   */
  paceAt(now: number, isDatagrams: boolean): number {
    if (isDatagrams) return this.forDatagrams(now)?.paceAt(now) ?? Infinity
    let at = Infinity
    for (const leg of this.#legs) if (this.isFit(leg)) at = Math.min(at, leg.paceAt(now))
    return at
  }
}

function isShorter(a: SessionLeg, b: SessionLeg): boolean {
  const [rttA, rttB] = [a.recovery.rtt, b.recovery.rtt]
  if (!rttA.hasSample || !rttB.hasSample) return rttA.hasSample
  return rttA.smoothed < rttB.smoothed
}
