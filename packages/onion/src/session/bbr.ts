import type { CongestionController } from './congestion-controller.ts'
import type { RateSample } from './delivery-rate.ts'
import { INITIAL_CWND, MAX_CWND, MIN_CWND } from './tuning.ts'

// draft-ietf-ccwg-bbr-04. Names of its variables and constants stand in comments where they differ.

/** Gains of section 5.6.1: of the pacing rate, and of the window. */
const GAINS = {
  startup: [2.773, 2],
  drain: [0.5, 2],
  down: [0.9, 2],
  cruise: [1, 2],
  refill: [1, 2],
  up: [1.25, 2.25],
  probeRtt: [1, 0.5],
} as const
type State = keyof typeof GAINS

/** PacingMarginPercent: so much slower than the estimate, so that a queue does not stay. */
const PACING_MARGIN = 0.99
const LOSS_THRESHOLD = 0.02
const BETA = 0.7
const HEADROOM = 0.15
const MIN_RTT_MS = 10_000
const PROBE_RTT_EVERY_MS = 5_000
const PROBE_RTT_MS = 200
/** StartupFullBWCnt, the growth that counts, and StartupFullLossCnt. */
const FULL_ROUNDS = 3
const FULL_GROWTH = 1.25
const FULL_LOSSES = 6
/** Rounds in which a flow of Reno would have grown by the window, at most. */
const RENO_ROUNDS = 63
const PROBE_WAIT_MS = 2_000
const PROBE_WAIT_MORE_MS = 1_000
const EXTRA_ACKED_ROUNDS = 10
const MOST_UP_ROUNDS = 30
/**
 * ms of the rate that are in flight beside what the path holds, because its ends and hops work in batches (offload_budget): each sends what it has
 * read in one turn, and an ACK waits for 16 packets or 5 ms. On loopback, at 0.2 ms of a round trip, less costs a fifth of the throughput.
 */
const BATCH_MS = 8

/** BBR, version 3: a model of the path, of how fast it delivers and how long it takes, decides how fast is sent. */
export class Bbr implements CongestionController {
  window = INITIAL_CWND
  pacingRate = Infinity
  readonly #random: () => number
  #state: State = 'startup'
  #minRtt = Infinity
  #minRttAt = 0
  #probeRttMin = Infinity
  #probeRttMinAt = 0
  #probeRttExpired = false
  #probeRttDoneAt = 0
  #probeRttRoundDone = false
  #isIdleRestart = false

  /** max_bw: the larger of the last two cycles' most. */
  #maxRates: [number, number] = [0, 0]
  #rateShortTerm = Infinity
  #flightShortTerm = Infinity
  #flightLongTerm = Infinity
  #rateLatest = 0
  #flightLatest = 0

  #round = 0
  #isRoundStart = false
  #roundEnd = 0
  #lossRoundEnd = 0
  #isLossRoundStart = false
  #lossInRound = false
  #lossEventsInRound = 0
  #lostInRound = 0
  #deliveredInRound = 0

  #isFull = false
  #isFullNow = false
  #fullRate = 0
  #fullCount = 0

  #extraSince = 0
  #extraDelivered = 0
  /** Of the last rounds: the most of each, by round. */
  readonly #extra: { round: number; packets: number }[] = []

  #cycleAt = 0
  #probeWait = 0
  #roundsSinceProbe = 0
  #upRounds = 0
  #upAcks = 0
  #upCount = Infinity
  #ackPhase: 'init' | 'starting' | 'feedback' | 'stopping' | 'refilling' = 'init'
  #areSamplesOfProbe = false
  #priorWindow = 0
  #undo: { state: State; rate: number; flightShortTerm: number; flightLongTerm: number } | undefined

  /** @param random from 0 to below 1, so that flows that share a path do not probe at once */
  constructor(random: () => number) {
    this.#random = random
  }

  onSent(inFlight: number, isLimited: boolean, now: number): void {
    if (inFlight > 0 || !isLimited) return
    this.#isIdleRestart = true
    this.#extraSince = now
    this.#extraDelivered = 0
    if (this.#isProbingBandwidthCycle) this.#setPacingRate(1)
    else if (this.#state === 'probeRtt') this.#checkProbeRttDone(now)
  }

  onAck(sample: RateSample, now: number): void {
    this.#updateLatest(sample)
    this.#updateRound(sample)
    this.#updateCongestion(sample)
    this.#updateAggregation(sample, now)
    this.#checkFull(sample)
    this.#checkStartupDone(sample, now)
    this.#updateCycle(sample, now)
    this.#updateMinRtt(sample, now)
    this.#checkProbeRtt(sample, now)
    if (this.#isLossRoundStart) {
      this.#rateLatest = sample.rate
      this.#flightLatest = sample.delivered
    }
    this.#setPacingRate(GAINS[this.#state][0])
    this.#setWindow(sample)
  }

  onLost(flightAtSend: number, lostSince: number, isLimited: boolean, totalDelivered: number, now: number): void {
    if (!this.#lossInRound) {
      this.#lossRoundEnd = totalDelivered
      this.#undo = {
        state: this.#state,
        rate: this.#rateShortTerm,
        flightShortTerm: this.#flightShortTerm,
        flightLongTerm: this.#flightLongTerm,
      }
    }
    this.#lossInRound = true
    this.#lostInRound++
    if (!this.#areSamplesOfProbe || lostSince <= LOSS_THRESHOLD * flightAtSend) return
    // How much was in flight when the losses came to be too many (BBRInflightAtLoss).
    const before = flightAtSend - 1
    const flight = before + Math.max(0, LOSS_THRESHOLD * before - (lostSince - 1)) / (1 - LOSS_THRESHOLD)
    this.#areSamplesOfProbe = false
    if (!isLimited) this.#flightLongTerm = Math.max(flight, BETA * Math.min(this.#bdp(1), this.window))
    if (this.#state === 'up') this.#startDown(totalDelivered, now)
  }

  onLossEvent(): void {
    this.#lossEventsInRound++
  }

  onSpuriousCongestion(): void {
    const undo = this.#undo
    if (undo === undefined) return
    this.#undo = undefined
    this.#lossInRound = false
    this.#resetFull()
    this.#rateShortTerm = Math.max(this.#rateShortTerm, undo.rate)
    this.#flightShortTerm = Math.max(this.#flightShortTerm, undo.flightShortTerm)
    this.#flightLongTerm = Math.max(this.#flightLongTerm, undo.flightLongTerm)
  }

  onPersistentCongestion(): void {
    this.#saveWindow()
    this.window = MIN_CWND
  }

  get #maxRate(): number {
    return Math.max(this.#maxRates[0], this.#maxRates[1])
  }

  get #rate(): number {
    return Math.min(this.#maxRate, this.#rateShortTerm)
  }

  get #isProbingBandwidthCycle(): boolean {
    const state = this.#state
    return state === 'down' || state === 'cruise' || state === 'refill' || state === 'up'
  }

  /**
   * Of the round that ends: as few were lost as are let pass when bandwidth is probed. The draft lowers its short-term bounds for a single one, which at
   * a loss of 0.1 % of the link is nearly every cycle.
   */
  get #isLossOfLink(): boolean {
    return this.#lostInRound <= 1 + LOSS_THRESHOLD * (this.#lostInRound + this.#deliveredInRound)
  }

  /** Packets that fill the path, times `gain`; as many as at first while nothing is known of it. */
  #bdp(gain: number, rate = this.#rate): number {
    return this.#minRtt === Infinity || rate === 0 ? gain * INITIAL_CWND : gain * rate * this.#minRtt
  }

  /** BBRInflight: with what the ends hold in batches. */
  #flight(gain: number, more = 0): number {
    const enough = Math.max(this.#bdp(gain, this.#maxRate) + more, BATCH_MS * this.#maxRate, MIN_CWND)
    return this.#state === 'up' ? enough + 2 : enough
  }

  #flightWithHeadroom(): number {
    if (this.#flightLongTerm === Infinity) return Infinity
    return Math.max(this.#flightLongTerm - Math.max(1, HEADROOM * this.#flightLongTerm), MIN_CWND)
  }

  #startRound(totalDelivered: number): void {
    this.#roundEnd = totalDelivered
  }

  #updateLatest({ rate, delivered, priorDelivered, totalDelivered }: RateSample): void {
    this.#isLossRoundStart = false
    this.#rateLatest = Math.max(this.#rateLatest, rate)
    this.#flightLatest = Math.max(this.#flightLatest, delivered)
    if (priorDelivered < this.#lossRoundEnd) return
    this.#lossRoundEnd = totalDelivered
    this.#isLossRoundStart = true
  }

  #updateRound({ priorDelivered, totalDelivered, newlyAcked }: RateSample): void {
    this.#isRoundStart = newlyAcked > 0 && priorDelivered >= this.#roundEnd
    if (!this.#isRoundStart) return
    this.#startRound(totalDelivered)
    this.#round++
    this.#roundsSinceProbe++
  }

  #updateCongestion({ rate, isLimited, newlyAcked }: RateSample): void {
    if (rate > 0 && (rate >= this.#maxRate || !isLimited)) this.#maxRates[1] = Math.max(this.#maxRates[1], rate)
    this.#deliveredInRound += newlyAcked
    if (!this.#isLossRoundStart) return
    const isProbing = this.#state === 'startup' || this.#state === 'refill' || this.#state === 'up'
    if (this.#lossInRound && !isProbing && !this.#isLossOfLink) {
      if (this.#rateShortTerm === Infinity) this.#rateShortTerm = this.#maxRate
      if (this.#flightShortTerm === Infinity) this.#flightShortTerm = this.window
      this.#rateShortTerm = Math.max(this.#rateLatest, BETA * this.#rateShortTerm)
      this.#flightShortTerm = Math.max(this.#flightLatest, BETA * this.#flightShortTerm)
    }
  }

  #updateAggregation({ newlyAcked }: RateSample, now: number): void {
    let expected = this.#rate * (now - this.#extraSince)
    if (this.#extraDelivered <= expected) {
      this.#extraDelivered = 0
      this.#extraSince = now
      expected = 0
    }
    this.#extraDelivered += newlyAcked
    const packets = Math.min(this.#extraDelivered - expected, this.window)
    const rounds = this.#isFull ? EXTRA_ACKED_ROUNDS : 1
    while (this.#extra.length > 0 && (this.#extra[0]?.round ?? 0) + rounds < this.#round) this.#extra.shift()
    while (this.#extra.length > 0 && (this.#extra.at(-1)?.packets ?? 0) <= packets) this.#extra.pop()
    this.#extra.push({ round: this.#round, packets })
  }

  #resetFull(): void {
    this.#fullRate = 0
    this.#fullCount = 0
    this.#isFullNow = false
  }

  #checkFull({ isLimited, rate }: RateSample): void {
    if (this.#isFullNow || !this.#isRoundStart || isLimited) return
    if (rate >= FULL_GROWTH * this.#fullRate) {
      this.#resetFull()
      this.#fullRate = rate
      return
    }
    this.#isFullNow = ++this.#fullCount >= FULL_ROUNDS
    if (this.#isFullNow) this.#isFull = true
  }

  #checkStartupDone({ inFlight, totalDelivered }: RateSample, now: number): void {
    if (this.#state === 'startup' && !this.#isFull && this.#isLossRoundStart && this.#lossInRound) {
      if (this.#lossEventsInRound >= FULL_LOSSES && !this.#isLossOfLink) {
        this.#isFull = true
        this.#flightLongTerm = Math.max(this.#bdp(1), this.#flightLatest)
      }
    }
    if (this.#isLossRoundStart) {
      this.#lossInRound = false
      this.#lossEventsInRound = 0
      this.#lostInRound = 0
      this.#deliveredInRound = 0
    }
    if (this.#state === 'startup' && this.#isFull) this.#state = 'drain'
    if (this.#state === 'drain' && inFlight <= this.#flight(1)) this.#startDown(totalDelivered, now)
  }

  #updateCycle(sample: RateSample, now: number): void {
    if (!this.#isFull) return
    this.#adaptLongTerm(sample)
    const { inFlight, totalDelivered, rate, isWindowLimited } = sample
    switch (this.#state) {
      case 'down':
        if (this.#isTimeToProbe(now)) this.#startRefill(totalDelivered)
        else if (inFlight <= this.#flightWithHeadroom() && inFlight <= this.#flight(1)) this.#state = 'cruise'
        break
      case 'cruise':
        if (this.#isTimeToProbe(now)) this.#startRefill(totalDelivered)
        break
      case 'refill':
        if (this.#isRoundStart) {
          this.#areSamplesOfProbe = true
          this.#startUp(sample)
        }
        break
      case 'up':
        if (isWindowLimited && this.window >= this.#flightLongTerm) {
          this.#resetFull()
          this.#fullRate = rate
        } else if (this.#isFullNow) this.#startDown(totalDelivered, now)
        break
      case 'startup':
      case 'drain':
      case 'probeRtt':
    }
  }

  #isTimeToProbe(now: number): boolean {
    const renoRounds = Math.min(Math.min(this.#bdp(1), this.window), RENO_ROUNDS)
    return now > this.#cycleAt + this.#probeWait || this.#roundsSinceProbe >= renoRounds
  }

  #startDown(totalDelivered: number, now: number): void {
    this.#lossInRound = false
    this.#rateLatest = 0
    this.#flightLatest = 0
    this.#upCount = Infinity
    this.#roundsSinceProbe = this.#random() < 0.5 ? 0 : 1
    this.#probeWait = PROBE_WAIT_MS + PROBE_WAIT_MORE_MS * this.#random()
    this.#cycleAt = now
    this.#ackPhase = 'stopping'
    this.#startRound(totalDelivered)
    this.#state = 'down'
  }

  #startRefill(totalDelivered: number): void {
    this.#resetShortTerm()
    this.#upRounds = 0
    this.#upAcks = 0
    this.#ackPhase = 'refilling'
    this.#startRound(totalDelivered)
    this.#state = 'refill'
  }

  #startUp({ totalDelivered, rate }: RateSample): void {
    this.#ackPhase = 'starting'
    this.#startRound(totalDelivered)
    this.#resetFull()
    this.#fullRate = rate
    this.#state = 'up'
    this.#raiseSlope()
  }

  #resetShortTerm(): void {
    this.#rateShortTerm = Infinity
    this.#flightShortTerm = Infinity
  }

  #adaptLongTerm({ isLimited, flightAtSend, lost, newlyAcked, isWindowLimited }: RateSample): void {
    if (this.#ackPhase === 'starting' && this.#isRoundStart) this.#ackPhase = 'feedback'
    if (this.#ackPhase === 'stopping' && this.#isRoundStart) {
      this.#areSamplesOfProbe = false
      this.#ackPhase = 'init'
      if (this.#isProbingBandwidthCycle && !isLimited) this.#maxRates = [this.#maxRates[1], 0]
    }
    if (lost > LOSS_THRESHOLD * flightAtSend || this.#flightLongTerm === Infinity) return
    this.#flightLongTerm = Math.max(this.#flightLongTerm, flightAtSend)
    if (this.#state !== 'up' || !isWindowLimited || this.window < this.#flightLongTerm) return
    this.#upAcks += newlyAcked
    if (this.#upAcks >= this.#upCount) {
      const steps = Math.floor(this.#upAcks / this.#upCount)
      this.#upAcks -= steps * this.#upCount
      this.#flightLongTerm += steps
    }
    if (this.#isRoundStart) this.#raiseSlope()
  }

  /** Twice as many packets more each round (BBRRaiseInflightLongtermSlope). */
  #raiseSlope(): void {
    const growth = 2 ** this.#upRounds
    this.#upRounds = Math.min(this.#upRounds + 1, MOST_UP_ROUNDS)
    this.#upCount = Math.max(this.window / growth, 1)
  }

  #updateMinRtt({ rtt }: RateSample, now: number): void {
    this.#probeRttExpired = now > this.#probeRttMinAt + PROBE_RTT_EVERY_MS
    if (rtt >= 0 && (rtt < this.#probeRttMin || this.#probeRttExpired)) {
      this.#probeRttMin = rtt
      this.#probeRttMinAt = now
    }
    if (this.#probeRttMin < this.#minRtt || now > this.#minRttAt + MIN_RTT_MS) {
      this.#minRtt = this.#probeRttMin
      this.#minRttAt = this.#probeRttMinAt
    }
  }

  #checkProbeRtt({ inFlight, totalDelivered, delivered }: RateSample, now: number): void {
    if (this.#state !== 'probeRtt' && this.#probeRttExpired && !this.#isIdleRestart) {
      this.#saveWindow()
      this.#state = 'probeRtt'
      this.#probeRttDoneAt = 0
      this.#ackPhase = 'stopping'
      this.#startRound(totalDelivered)
    }
    if (this.#state === 'probeRtt') {
      if (this.#probeRttDoneAt === 0 && inFlight <= this.#probeRttWindow()) {
        this.#probeRttDoneAt = now + PROBE_RTT_MS
        this.#probeRttRoundDone = false
        this.#startRound(totalDelivered)
      } else if (this.#probeRttDoneAt !== 0) {
        if (this.#isRoundStart) this.#probeRttRoundDone = true
        if (this.#probeRttRoundDone) this.#checkProbeRttDone(now)
      }
    }
    if (delivered > 0) this.#isIdleRestart = false
  }

  #probeRttWindow(): number {
    return Math.max(this.#bdp(GAINS.probeRtt[1]), MIN_CWND)
  }

  #checkProbeRttDone(now: number): void {
    if (this.#probeRttDoneAt === 0 || now <= this.#probeRttDoneAt) return
    this.#probeRttMinAt = now
    this.window = Math.max(this.window, this.#priorWindow)
    this.#resetShortTerm()
    if (!this.#isFull) {
      this.#state = 'startup'
      return
    }
    this.#startDown(this.#roundEnd, now)
    this.#state = 'cruise'
  }

  #saveWindow(): void {
    const isLower = this.#lossInRound || this.#state === 'probeRtt'
    this.#priorWindow = isLower ? Math.max(this.#priorWindow, this.window) : this.window
  }

  #setPacingRate(gain: number): void {
    if (this.#rate === 0) return
    const rate = gain * this.#rate * PACING_MARGIN
    if (this.#isFull || this.pacingRate === Infinity || rate > this.pacingRate) this.pacingRate = rate
  }

  #setWindow({ newlyAcked, totalDelivered }: RateSample): void {
    const most = this.#flight(GAINS[this.#state][1], this.#extra[0]?.packets ?? 0)
    let window = this.window
    if (this.#isFull) window = Math.min(window + newlyAcked, most)
    else if (window < most || totalDelivered < INITIAL_CWND) window += newlyAcked
    window = Math.max(window, MIN_CWND)
    if (this.#state === 'probeRtt') window = Math.min(window, this.#probeRttWindow())
    let cap = Infinity
    if (this.#state === 'down' || this.#state === 'refill' || this.#state === 'up') cap = this.#flightLongTerm
    else if (this.#state === 'cruise' || this.#state === 'probeRtt') cap = this.#flightWithHeadroom()
    cap = Math.max(Math.min(cap, this.#flightShortTerm), MIN_CWND)
    this.window = Math.min(window, cap, MAX_CWND)
  }
}
