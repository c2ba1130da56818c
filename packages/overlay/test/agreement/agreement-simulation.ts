import assert from 'node:assert/strict'
import { type Random, randomInt, seededRandom, toHex } from '@weft/core'
import { type SigningKey, sha256 } from '@weft/crypto'
import { AgreementMessageSchema, decodeMessage, encodeMessage } from '@weft/wire'
import type { AgreementAction } from '../../src/agreement/agreement-action.ts'
import { type AgreementMessage, type VoteQuorum, epochOf } from '../../src/agreement/agreement-message.ts'
import { type AgreementState, decodeState, encodeState } from '../../src/agreement/agreement-state.ts'
import { Agreement } from '../../src/agreement/agreement.ts'
import { type Equivocation, encodeEquivocation, verifyEquivocation } from '../../src/agreement/equivocation.ts'
import { encodeProposal } from '../../src/agreement/proposal.ts'
import { timeoutsOf } from '../../src/agreement/timeouts.ts'
import { ValidatorSet } from '../../src/agreement/validator-set.ts'
import { type Phase, MAX_ROUNDS, encodeVote } from '../../src/agreement/vote.ts'
import { fromWire, toWire } from '../../src/agreement/wire-form.ts'
import { type TestNetworkFile, EPOCH } from '../fixtures.ts'

/** What a faulty validator does; `liar` does everything but forge signatures, as it cannot. */
export type Fault = 'crashed' | 'liar'

export interface SimulationOptions {
  readonly fixture: TestNetworkFile
  readonly seed: number
  /** By validator. */
  readonly faults: ReadonlyMap<number, Fault>
  /** ms: until then messages are lost, doubled and late as it comes. */
  readonly stable: number
  /** ms that a message takes at most from then on. */
  readonly delay: number
  /** Restarts of honest validators, at random times before `stable`. */
  readonly restarts: number
  /** A validator that hears everybody and is heard by nobody before `stable`: it may decide alone. */
  readonly muted?: number | undefined
}

const SIMULATED_EPOCH = 7

interface Honest {
  agreement: Agreement
  disk: Uint8Array | undefined
  /** Counted up by a restart, so that timers of before do nothing. */
  life: number
  decided: Uint8Array | undefined
  /** Its process died and is not up again: it neither hears nor answers. */
  down: boolean
  readonly evidence: Equivocation[]
}

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** All of one process verify the same signatures over and over: each is verified once. */
class CachingValidatorSet extends ValidatorSet {
  readonly #known = new Map<string, boolean>()

  override isSigned(...[purpose, payload, index, signature]: Parameters<ValidatorSet['isSigned']>): boolean {
    const key = `${purpose} ${toHex(payload)} ${index} ${toHex(signature)}`
    let valid = this.#known.get(key)
    if (valid === undefined) this.#known.set(key, (valid = super.isSigned(purpose, payload, index, signature)))
    return valid
  }
}

/** Honest validators, crashed ones and liars on a virtual clock and a network that loses and doubles until it settles. */
export class AgreementSimulation {
  readonly set: ValidatorSet
  readonly honest = new Map<number, Honest>()
  readonly #options: SimulationOptions
  readonly #random: Random
  readonly #events: Event[] = []
  #now = 0
  #order = 0
  /** Payload that an honest validator sent, by validator, round and kind. */
  readonly #said = new Map<string, string>()
  /** What liars have seen and may show to whom they like. */
  readonly #seen: AgreementMessage[] = []
  readonly #lied = new Set<string>()
  readonly #lines = new Map<string, 'good' | 'bad' | 'dead'>()

  constructor(options: SimulationOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
    this.set = new CachingValidatorSet(options.fixture.network.id, options.fixture.network.term)
    for (let index = 0; index < this.set.size; index++) {
      if (options.faults.has(index)) continue
      const node = {
        agreement: this.#create(index, undefined),
        disk: undefined,
        life: 0,
        decided: undefined,
        down: false,
        evidence: [],
      }
      this.honest.set(index, node)
      this.#after(this.#upTo(Math.min(EPOCH / 4, options.stable + 20)), () => this.#do(index, node.agreement.start()))
      this.#pull(index)
    }
    for (let count = 0; count < options.restarts; count++) {
      const index = this.#pick([...this.honest.keys()])
      this.#after(this.#upTo(Math.max(options.stable, 1)), () => this.#restart(index))
    }
  }

  /** Runs until all honest validators decided. False when they did not in `limit` ms after the network settled. */
  run(limit: number): boolean {
    const end = this.#options.stable + limit
    while ([...this.honest.values()].some(({ decided }) => decided === undefined)) {
      const next = this.#next()
      if (next === undefined || next.at > end) return false
      this.#now = next.at
      next.run()
    }
    return true
  }

  /** The one value that honest validators decided. */
  decisions(): Set<string> {
    return new Set([...this.honest.values()].flatMap(({ decided }) => (decided === undefined ? [] : [toHex(decided)])))
  }

  get now(): number {
    return this.#now
  }

  #key(index: number): SigningKey {
    return this.#options.fixture.keys[index] as SigningKey
  }

  #create(index: number, restored: AgreementState | undefined): Agreement {
    const asked = new Set<string>()
    return new Agreement({
      set: this.set,
      key: this.#key(index),
      epoch: SIMULATED_EPOCH,
      timeouts: timeoutsOf(EPOCH),
      propose: () => Uint8Array.of(1, index, this.#upTo(250)),
      judge: (value) => {
        // What it lacks to judge by comes a moment later.
        const key = toHex(value)
        if (!asked.has(key) && this.#upTo(4) === 0) {
          asked.add(key)
          this.#after(20, () => this.#do(index, this.honest.get(index)?.agreement.reconsider() ?? []))
          return undefined
        }
        return value[0] === 1
      },
      restored,
    })
  }

  #restart(index: number): void {
    const node = this.honest.get(index) as Honest
    if (node.decided !== undefined) return
    node.life++
    node.down = false
    node.agreement = this.#create(index, node.disk === undefined ? undefined : decodeState(node.disk))
    this.#do(index, node.agreement.start())
  }

  #do(index: number, actions: readonly AgreementAction[]): void {
    const node = this.honest.get(index) as Honest
    if (node.down) return
    // Now and then the process dies between two actions.
    const dies = this.#now < this.#options.stable && this.#options.restarts > 0 && this.#upTo(40) === 0
    const done = dies ? actions.slice(0, this.#upTo(actions.length + 1)) : actions
    for (const action of done) this.#perform(index, node, action)
    if (!dies || node.decided !== undefined) return
    node.down = true
    this.#after(1, () => this.#restart(index))
  }

  #perform(index: number, node: Honest, action: AgreementAction): void {
    switch (action.type) {
      case 'persist':
        node.disk = encodeState(action.state)
        break
      case 'send':
        this.#remember(index, action.message)
        for (const to of this.#others(index)) this.#send(index, to, action.message)
        break
      case 'timer': {
        const { life } = node
        const { ms, timer } = action
        this.#after(ms, () => {
          if (node.life === life && !node.down) this.#do(index, node.agreement.onTimer(timer))
        })
        break
      }
      case 'decide':
        assert.equal(node.decided, undefined, 'nobody decides twice')
        node.decided = action.certificate.value
        break
      case 'evidence': {
        node.evidence.push(action.evidence)
        const proven = verifyEquivocation(this.set, encodeEquivocation(this.set, action.evidence))
        assert.equal(this.#options.faults.get(proven.validator), 'liar', 'nobody honest is accused')
      }
    }
  }

  /** Of one validator there is never a second statement of one kind and round. */
  #remember(index: number, message: AgreementMessage): void {
    if (message.kind === 'certificate') return
    const key =
      message.kind === 'proposal'
        ? `${index} ${message.proposal.proposal.round} proposal`
        : `${index} ${message.vote.vote.round} ${message.vote.vote.phase}`
    const payload = toHex(message.kind === 'proposal' ? message.proposal.payload : message.vote.payload)
    assert.equal(this.#said.get(key) ?? payload, payload, `validator ${index} said two things: ${key}`)
    this.#said.set(key, payload)
  }

  /** Until the network settles each line, in each direction, is good, bad or dead for a while. */
  #send(from: number, to: number, message: AgreementMessage): void {
    const quality = this.#quality(from, to)
    const copies = quality === 'good' ? 1 : quality === 'dead' ? 0 : this.#upTo(3)
    for (let copy = 0; copy < copies; copy++) {
      const late = this.#upTo(quality === 'bad' ? EPOCH : this.#options.delay)
      this.#after(late, () => this.#deliver(to, message))
    }
  }

  #quality(from: number, to: number): 'good' | 'bad' | 'dead' {
    const { stable, muted } = this.#options
    if (this.#now >= stable) return 'good'
    if (muted !== undefined) return from === muted ? 'dead' : 'good'
    const key = `${from} ${to} ${Math.floor(this.#now / EPOCH)}`
    let quality = this.#lines.get(key)
    if (quality === undefined) this.#lines.set(key, (quality = this.#pick(['good', 'good', 'bad', 'dead'])))
    return quality
  }

  #deliver(to: number, message: AgreementMessage): void {
    if (this.#options.faults.get(to) === 'liar') {
      this.#lie(to, message)
      return
    }
    const node = this.honest.get(to)
    if (node === undefined || node.down) return
    try {
      const bytes = encodeMessage(AgreementMessageSchema, toWire(this.set, message))
      const read = fromWire(this.set, decodeMessage(AgreementMessageSchema, bytes, 1 << 20))
      this.#do(to, node.agreement.receive(read))
    } catch (error) {
      if (!['E_AGREEMENT_MALFORMED', 'E_SIGNATURE_INVALID'].includes((error as { code: string }).code)) throw error
    }
  }

  #pull(index: number): void {
    this.#after(timeoutsOf(EPOCH).pull, () => {
      this.#pull(index)
      const node = this.honest.get(index) as Honest
      if (node.decided !== undefined || node.down) return
      const asked = node.agreement.summary()
      for (const other of this.#others(index)) {
        if (this.#quality(index, other) !== 'good') continue
        this.#after(this.#upTo(this.#options.delay), () => {
          const answering = this.honest.get(other)
          if (answering === undefined || answering.down) return
          for (const message of answering.agreement.answer(asked)) this.#send(other, index, message)
        })
      }
    })
  }

  // --- Liars -------------------------------------------------------------------------------------------------

  /** Says something else to everybody, about the round of what it heard. */
  #lie(self: number, heard: AgreementMessage): void {
    if (epochOf(heard) !== SIMULATED_EPOCH) return
    if (this.#seen.length < 400) this.#seen.push(heard)
    const round =
      heard.kind === 'vote' ? heard.vote.vote.round : heard.kind === 'proposal' ? heard.proposal.proposal.round : 0
    const about = `${self} ${round} ${heard.kind}`
    if (this.#lied.has(about)) return
    this.#lied.add(about)
    for (const to of this.#others(self)) {
      for (const phase of ['prevote', 'precommit'] as const) this.#send(self, to, this.#falseVote(self, round, phase))
      for (const turn of [round, round + 1]) {
        if (turn < MAX_ROUNDS && this.set.proposer(SIMULATED_EPOCH, turn) === self) {
          this.#send(self, to, this.#falseProposal(self, turn))
        }
      }
      const shown = this.#pick(this.#seen)
      this.#send(self, to, this.#upTo(2) === 0 ? shown : this.#spoilt(shown))
      this.#send(self, to, this.#falseCertificate(self, round))
    }
  }

  #falseVote(self: number, round: number, phase: Phase): AgreementMessage {
    const latest = this.#proposed(round)
    const value =
      this.#upTo(2) === 0 ? latest : this.#pick([undefined, ...this.#hashes(), sha256(this.#random.bytes(3))])
    const elsewhere = this.#upTo(8)
    const vote = {
      network: elsewhere === 0 ? `w${'a'.repeat(32)}` : this.set.networkId,
      epoch: elsewhere === 1 ? SIMULATED_EPOCH - 1 : SIMULATED_EPOCH,
      round: this.#upTo(6) === 0 ? this.#upTo(MAX_ROUNDS) : round,
      phase,
      value,
    }
    const payload = encodeVote(vote)
    return {
      kind: 'vote',
      vote: { vote, payload, voter: self, signature: this.#key(self).sign('agreement-vote', payload) },
    }
  }

  #falseProposal(self: number, round: number): AgreementMessage {
    const value = this.#falseValue(self, round)
    const genuine = this.#pick([undefined, ...this.#quorums()])
    const forged = round === 0 ? undefined : this.#forgedQuorum(self, this.#upTo(round), 'prevote', value)
    const lock = this.#pick([undefined, genuine?.known, forged])
    const agreed = lock === genuine?.known ? (genuine?.value ?? value) : value
    const proposal = {
      network: this.set.networkId,
      epoch: SIMULATED_EPOCH,
      round,
      lockRound: lock?.vote.round,
      value: sha256(agreed),
    }
    const payload = encodeProposal(proposal)
    const signature = this.#key(self).sign('agreement-proposal', payload)
    return { kind: 'proposal', proposal: { proposal, payload, proposer: self, signature, value: agreed, lock } }
  }

  #falseCertificate(self: number, round: number): AgreementMessage {
    const value = this.#falseValue(self, round)
    const phase = this.#pick(['prevote', 'precommit'] as const)
    return { kind: 'certificate', certificate: { quorum: this.#forgedQuorum(self, round, phase, value), value } }
  }

  /** Mostly the same for all in a round, so that it may win; now and then one that no honest validator finds valid. */
  #falseValue(self: number, round: number): Uint8Array {
    return Uint8Array.of(this.#upTo(8) === 0 ? 0 : 1, self, this.#upTo(3) === 0 ? this.#upTo(250) : round)
  }

  /** Its own vote under the names of others. */
  #forgedQuorum(self: number, round: number, phase: Phase, value: Uint8Array): VoteQuorum {
    const vote = { network: this.set.networkId, epoch: SIMULATED_EPOCH, round, phase, value: sha256(value) }
    const payload = encodeVote(vote)
    const signature = this.#key(self).sign('agreement-vote', payload)
    const names = [self, ...this.#others(self)].slice(0, this.set.quorum)
    return { vote, payload, signatures: new Map(names.map((name) => [name, signature])) }
  }

  /** Quorums of prevotes that were seen. */
  #quorums(): { known: VoteQuorum; value: Uint8Array }[] {
    return this.#seen.flatMap((message) => {
      if (message.kind === 'certificate')
        return [{ known: message.certificate.quorum, value: message.certificate.value }]
      if (message.kind !== 'proposal' || message.proposal.lock === undefined) return []
      return [{ known: message.proposal.lock, value: message.proposal.value }]
    })
  }

  /** What the proposer of a round said, or what a liar there would. */
  #proposed(round: number): Uint8Array {
    const proposer = this.set.proposer(SIMULATED_EPOCH, round)
    const seen = this.#seen.find((one) => one.kind === 'proposal' && one.proposal.proposal.round === round)
    return seen?.kind === 'proposal' ? seen.proposal.proposal.value : sha256(Uint8Array.of(1, proposer, round))
  }

  #hashes(): Uint8Array[] {
    return this.#seen.flatMap((message) => (message.kind === 'proposal' ? [message.proposal.proposal.value] : []))
  }

  /** The same under a signature that does not fit, or in the name of another. */
  #spoilt(message: AgreementMessage): AgreementMessage {
    if (message.kind !== 'vote') return message
    const signature = message.vote.signature.slice()
    signature[this.#upTo(64)] = this.#upTo(256)
    const voter = this.#upTo(2) === 0 ? message.vote.voter : this.#upTo(this.set.size)
    return { kind: 'vote', vote: { ...message.vote, signature, voter } }
  }

  // --- Time and chance ---------------------------------------------------------------------------------------

  #others(index: number): number[] {
    return Array.from({ length: this.set.size }, (_, other) => other).filter((other) => other !== index)
  }

  #upTo(below: number): number {
    return randomInt(this.#random, Math.max(1, Math.floor(below)))
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#upTo(items.length)] as T
  }

  #after(ms: number, run: () => void): void {
    const event = { at: this.#now + ms, order: this.#order++, run }
    let at = this.#events.length
    while (at > 0 && isBefore(this.#events[at - 1] as Event, event)) at--
    this.#events.splice(at, 0, event)
  }

  /** The earliest stands last. */
  #next(): Event | undefined {
    return this.#events.pop()
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
