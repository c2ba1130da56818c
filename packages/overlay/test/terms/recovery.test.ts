import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Emitter, VirtualClock, silentLogger } from '@weft/core'
import { type DidKey, type SigningKey, sha256 } from '@weft/crypto'
import type { AgreementMessage as WireMessage, Succession } from '@weft/wire'
import type { AgreementMessage } from '../../src/agreement/agreement-message.ts'
import { encodeState } from '../../src/agreement/agreement-state.ts'
import { encodeProposal } from '../../src/agreement/proposal.ts'
import { fromWire, toWire } from '../../src/agreement/wire-form.ts'
import { epochAt } from '../../src/network/epoch.ts'
import { networkOf } from '../../src/network/network.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { encodeRecoveryValue } from '../../src/terms/recovery-value.ts'
import { Recovery } from '../../src/terms/recovery.ts'
import { Terms } from '../../src/terms/terms.ts'
import { BEGIN, EPOCH, advance, codeOf } from '../fixtures.ts'
import { MemoryNetwork, type MemoryNode } from '../memory-network.ts'
import { ANCHOR, Orphans, orphans } from './orphans.ts'

const AFTER = 60_000
/** One validator and six others, of whom five must agree; in round 0 elector 4 proposes. */
const set = orphans(1, 6, { recoveryAfterMs: AFTER })
const PROPOSER = (ANCHOR + 0) % 6
const SIGNED_AT = BEGIN + ANCHOR * EPOCH

interface Elector {
  readonly place: number
  readonly node: MemoryNode
  readonly recovery: Recovery
  readonly store: MemoryMembershipStore
  readonly number: () => number
  readonly seats: () => readonly DidKey[]
  /** A newer map came. */
  readonly adopt: (newer: Orphans) => void
  /** The members changed without a map. */
  readonly stir: () => void
}

/** Electors of one orphaned network on one clock, without sockets. */
class Scene implements AsyncDisposable {
  readonly clock: VirtualClock
  readonly memory: MemoryNetwork
  readonly revoked = new Set<DidKey>()
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>[] = []

  constructor(start = SIGNED_AT) {
    this.clock = new VirtualClock(start)
    this.memory = new MemoryNetwork(this.clock)
  }

  /** An elector as it is. */
  add(place: number, { store = new MemoryMembershipStore(), of = set } = {}): Elector {
    const key = set.keyOf(place)
    const node = this.memory.add(key.id)
    const network = networkOf(set.fixture.network.file)
    const emitter = new Emitter<{ change: undefined }>()
    let held = of
    const membership = {
      get epoch() {
        return held.anchor.epoch
      },
      head: () => held.head,
      heldList: () => held.list,
      onChange: (listener: () => void) => emitter.on('change', listener),
    }
    const { clock } = this
    const terms = new Terms({ network, store, heldEpoch: () => held.anchor.epoch, logger: silentLogger })
    const revocations = { voids: ({ id }: { readonly id: DidKey }) => this.revoked.has(id) }
    const recovery = new Recovery({
      network,
      terms,
      key,
      membership,
      rpc: node.rpc,
      revocations,
      store,
      clock,
      logger: silentLogger,
    })
    this.#running.push(recovery.run(this.#stop.signal).catch(() => {}))
    return {
      place,
      node,
      recovery,
      store,
      number: () => network.term.number,
      seats: () => network.validators.map(({ id }) => id),
      adopt: (newer) => {
        held = newer
        emitter.emit('change', undefined)
      },
      stir: () => emitter.emit('change', undefined),
    }
  }

  /** An elector in other hands: what it is told is kept, and it says what the test says. */
  hostile(place: number): { readonly key: SigningKey; readonly node: MemoryNode; readonly heard: AgreementMessage[] } {
    const key = set.keyOf(place)
    const node = this.memory.add(key.id)
    const heard: AgreementMessage[] = []
    node.rpc.handle('recovery.send', async ({ message }) => {
      if (message !== undefined) heard.push(fromWire(set.electors.set, message))
      return {}
    })
    node.rpc.handle('recovery.pull', async () => ({ messages: [] }))
    return { key, node, heard }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }
}

function proposalOf(key: SigningKey, value: Uint8Array): WireMessage {
  const { set: electors } = set.electors
  const proposal = {
    network: electors.networkId,
    epoch: ANCHOR,
    round: 0,
    lockRound: undefined,
    value: sha256(value),
  }
  const payload = encodeProposal(proposal)
  const signature = key.sign('agreement-proposal', payload)
  return toWire(electors, {
    kind: 'proposal',
    proposal: { proposal, payload, proposer: PROPOSER, signature, value, lock: undefined },
  })
}

const send = (node: MemoryNode, to: DidKey, message?: WireMessage): Promise<string> =>
  codeOf(() => node.rpc.call(to, 'recovery.send', message === undefined ? {} : { message }))

const places = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)

/** First prevotes of round 0 that a hostile elector was told, by voter: the hash, or nothing. */
function prevotes(heard: readonly AgreementMessage[]): ReadonlyMap<number, Uint8Array | undefined> {
  return new Map(
    heard.flatMap((message) =>
      message.kind === 'vote' && message.vote.vote.phase === 'prevote' && message.vote.vote.round === 0
        ? [[message.vote.voter, message.vote.vote.value] as const]
        : [],
    ),
  )
}

describe('recovery', () => {
  it('waits until the validators have been silent for long enough, and then seats who is there', async () => {
    await using scene = new Scene()
    const electors = places(0, 6).map((place) => scene.add(place))
    const [first, second] = electors as [Elector, Elector]
    await advance(scene.clock, AFTER - 2_000)
    assert.ok(electors.every(({ recovery }) => !recovery.isDue))
    assert.equal(await send(first.node, second.node.id), 'E_RECOVERY_NOT_DUE')
    await advance(scene.clock, 12_000)
    const seats = places(0, 6).map((place) => set.keyOf(place).id)
    for (const { number, seats: known } of electors) assert.deepEqual([number(), known()], [1, seats])
  })

  it('begins no sooner than by the clock of the network, with time for certificates to be brought', async () => {
    await using scene = new Scene()
    const electors = places(0, 6).map((place) => scene.add(place))
    await advance(scene.clock, AFTER + 10_000)
    const [{ store }] = electors as [Elector]
    const network = networkOf(set.fixture.network.file)
    const terms = new Terms({ network, store, heldEpoch: () => undefined, logger: silentLogger })
    const now = epochAt(network.file, scene.clock.now())
    assert.ok(terms.succession(1) !== undefined)
    assert.ok(network.term.fromEpoch >= set.firstEpoch && network.term.fromEpoch <= now + 2)
  })

  it('is put off by a map, and not by an ejection', async () => {
    await using scene = new Scene()
    const electors = places(0, 6).map((place) => scene.add(place))
    await advance(scene.clock, AFTER - 2_000)
    const newer = new Orphans(set.fixture, ANCHOR + 5)
    const [first] = electors as [Elector]
    first.adopt(newer)
    for (const one of electors.slice(1)) one.stir()
    await advance(scene.clock, 3_000)
    assert.deepEqual(
      electors.map(({ recovery }) => recovery.isDue),
      [false, true, true, true, true, true],
    )
  })

  it('is given up when a map comes in the middle of it', async () => {
    await using scene = new Scene()
    // Too few for a decision.
    const electors = places(0, 4).map((place) => scene.add(place))
    const [first, second] = electors as [Elector, Elector]
    await advance(scene.clock, AFTER + 2_000)
    assert.equal(await send(first.node, second.node.id), 'nothing')
    second.adopt(new Orphans(set.fixture, ANCHOR + 14))
    await advance(scene.clock, 2_000)
    assert.equal(await send(first.node, second.node.id), 'E_RECOVERY_NOT_DUE')
  })

  it('does without one of six, whoever proposes first, and never without two', async () => {
    for (const missing of [0, PROPOSER]) {
      await using scene = new Scene()
      const electors = places(0, 6)
        .filter((place) => place !== missing)
        .map((place) => scene.add(place))
      await advance(scene.clock, AFTER + 60_000)
      const seats = electors.map(({ node }) => node.id)
      for (const one of electors) assert.deepEqual([one.number(), one.seats()], [1, seats])
    }
    await using scene = new Scene()
    const electors = places(0, 4).map((place) => scene.add(place))
    await advance(scene.clock, AFTER + 600_000)
    assert.ok(electors.every(({ number }) => number() === 0))
  })

  it('seats nobody who was ejected, though it is there', async () => {
    await using scene = new Scene()
    scene.revoked.add(set.keyOf(2).id)
    const electors = places(0, 6).map((place) => scene.add(place))
    await advance(scene.clock, AFTER + 60_000)
    const seats = [0, 1, 3, 4, 5].map((place) => set.keyOf(place).id)
    for (const one of electors) assert.deepEqual(one.seats(), seats)
  })

  it('votes against a proposal that passes over one that is there, or of what is no value', async () => {
    const values: Record<string, Uint8Array> = {
      'passes over one': encodeRecoveryValue({ fromEpoch: set.firstEpoch + 4, seats: [1, 2, 3, 4, 5] }),
      'seats of nobody': encodeRecoveryValue({ fromEpoch: set.firstEpoch + 4, seats: [0, 1, 2, 3, 4, 5, 6] }),
      'too soon': encodeRecoveryValue({ fromEpoch: set.firstEpoch - 1, seats: places(0, 6) }),
      'too far ahead': encodeRecoveryValue({ fromEpoch: set.firstEpoch + 100, seats: places(0, 6) }),
      nonsense: new Uint8Array([1, 2, 3]),
    }
    for (const [name, value] of Object.entries(values)) {
      await using scene = new Scene()
      const electors = places(0, 6)
        .filter((place) => place !== PROPOSER)
        .map((place) => scene.add(place))
      const { key, node, heard } = scene.hostile(PROPOSER)
      await advance(scene.clock, AFTER + 1_600)
      for (const one of electors) assert.equal(await send(node, one.node.id, proposalOf(key, value)), 'nothing', name)
      await advance(scene.clock, 0)
      assert.deepEqual(
        [...prevotes(heard).values()],
        electors.map(() => undefined),
        name,
      )
    }
  })

  it('waits with a proposal that seats one that is not heard, until it is', async () => {
    const value = encodeRecoveryValue({ fromEpoch: set.firstEpoch + 4, seats: places(0, 6) })
    await using scene = new Scene()
    const electors = [1, 2, 3, 5].map((place) => scene.add(place))
    const proposer = scene.hostile(PROPOSER)
    const late = scene.hostile(0)
    const [one] = electors as [Elector]
    await advance(scene.clock, AFTER + 1_600)
    assert.equal(await send(proposer.node, one.node.id, proposalOf(proposer.key, value)), 'nothing')
    await advance(scene.clock, 100)
    assert.equal(prevotes(proposer.heard).has(one.place), true, 'answers to its pulls are a sign of life')
    await using another = new Scene()
    const alone = [1, 2, 3, 5].map((place) => another.add(place))
    const second = another.hostile(PROPOSER)
    const silent = another.hostile(0)
    silent.node.online = false
    const [waiting] = alone as [Elector]
    await advance(another.clock, AFTER + 1_600)
    assert.equal(await send(second.node, waiting.node.id, proposalOf(second.key, value)), 'nothing')
    await advance(another.clock, 100)
    assert.equal(prevotes(second.heard).has(waiting.place), false)
    silent.node.online = true
    assert.equal(await send(silent.node, waiting.node.id), 'nothing')
    await advance(another.clock, 100)
    assert.deepEqual(prevotes(second.heard).get(waiting.place), sha256(value))
    assert.equal(late.heard.length > 0, true)
  })

  it('tells the decision to whoever missed it', async () => {
    await using scene = new Scene()
    const electors = places(0, 6).map((place) => scene.add(place))
    const [away, ...others] = electors as [Elector, ...Elector[]]
    away.node.online = false
    await advance(scene.clock, AFTER + 60_000)
    assert.ok(others.every(({ number }) => number() === 1))
    assert.equal(away.number(), 0)
    away.node.online = true
    await advance(scene.clock, 3_000)
    assert.deepEqual([away.number(), away.seats()], [1, others.map(({ node }) => node.id)])
    assert.ok(away.store.succession(1) !== undefined)
  })

  it('is not put off by a restart: the age of the last map counts, and three epochs without another', async () => {
    await using scene = new Scene(SIGNED_AT + 10 * AFTER)
    const { recovery } = scene.add(0)
    await advance(scene.clock, 3 * EPOCH - 100)
    assert.equal(recovery.isDue, false)
    await advance(scene.clock, 100)
    assert.equal(recovery.isDue, true)
  })

  it('does not trust a clock that says that the last map is of a time to come', async () => {
    await using scene = new Scene(SIGNED_AT - 3_600_000)
    const { recovery } = scene.add(0)
    await advance(scene.clock, AFTER - 100)
    assert.equal(recovery.isDue, false)
    await advance(scene.clock, 100)
    assert.equal(recovery.isDue, true)
  })
})

describe('an elector that gave its precommit', () => {
  const value = encodeRecoveryValue({ fromEpoch: set.firstEpoch + 2, seats: places(0, 5) })
  const hash = sha256(value)
  const locked = {
    epoch: ANCHOR,
    round: 0,
    proposal: undefined,
    prevote: { value: hash },
    precommit: { value: hash },
    locked: { round: 0, value: hash },
    valid: undefined,
    entry: [],
  }
  const context = set.electors.set.networkId
  function bound(changes: object = {}, of = context): MemoryMembershipStore {
    const store = new MemoryMembershipStore()
    store.saveRecovery(1, { context: of, state: encodeState({ ...locked, ...changes }) })
    return store
  }

  it('says the same after a restart', async () => {
    await using scene = new Scene()
    scene.add(1, { store: bound() })
    const { heard } = scene.hostile(0)
    await advance(scene.clock, AFTER + 100)
    const said = heard.flatMap((message) => (message.kind === 'vote' ? [message.vote.vote] : []))
    assert.deepEqual(
      said.map(({ phase, round, value: of }) => [phase, round, of]),
      [
        ['prevote', 0, hash],
        ['precommit', 0, hash],
      ],
    )
  })

  it('takes part in no recovery from another map, and goes on in its own while maps come', async () => {
    await using scene = new Scene()
    const later = new Orphans(set.fixture, ANCHOR + 1)
    const elsewhere = scene.add(1, { store: bound(), of: later })
    const free = scene.add(2, { store: bound({ locked: undefined }), of: later })
    const going = scene.add(3, { store: bound() })
    const { node } = scene.hostile(0)
    await advance(scene.clock, AFTER + 100)
    assert.equal(await send(node, elsewhere.node.id), 'E_RECOVERY_NOT_DUE')
    assert.equal(await send(node, free.node.id), 'nothing')
    going.adopt(later)
    await advance(scene.clock, 3_000)
    assert.equal(await send(node, going.node.id), 'nothing')
    // It asks the others now and then only.
    const asked = (): number =>
      scene.memory.calls.filter(({ from, method }) => from === going.node.id && method === 'recovery.pull').length
    const before = asked()
    await advance(scene.clock, 60_000 - 3_100)
    assert.ok(asked() - before <= 2 * 5, `${asked() - before} questions`)
  })

  it('takes part in none when its disk does not tell any more what it said', async () => {
    await using scene = new Scene()
    const store = new MemoryMembershipStore()
    store.saveRecovery(1, { context, state: new Uint8Array([1, 2]) })
    const { node: itself } = scene.add(1, { store })
    const { node } = scene.hostile(0)
    await advance(scene.clock, AFTER + 100)
    assert.equal(await send(node, itself.id), 'E_RECOVERY_NOT_DUE')
  })

  it('says nothing that it could not write down', async () => {
    await using scene = new Scene()
    class Full extends MemoryMembershipStore {
      override saveRecovery(): void {
        throw new Error('full')
      }
    }
    scene.add(1, { store: new Full() })
    const { heard } = scene.hostile(0)
    await advance(scene.clock, AFTER + 30_000)
    assert.deepEqual(heard, [])
  })
})

describe('hostile bytes', () => {
  it('of a member that is no elector are refused, and are no sign of life', async () => {
    await using scene = new Scene()
    const { node: one } = scene.add(1)
    const stranger = scene.memory.add(set.fixture.keys[0]!.id)
    await advance(scene.clock, AFTER + 100)
    const succession: Succession = set.succession()
    assert.equal(await send(stranger, one.id, { body: { case: undefined } } as WireMessage), 'E_AGREEMENT_MALFORMED')
    const other = orphans(1, 6)
    const vote = { case: 'certificate' as const, value: other.succession().decision! }
    assert.equal(await send(stranger, one.id, { body: vote } as WireMessage), 'E_AGREEMENT_MALFORMED')
    const questions = { epoch: BigInt(ANCHOR), round: 0, proposal: false, precommits: new Uint8Array(), validRounds: 0 }
    const ask = (prevotes_: Uint8Array): Promise<string> =>
      codeOf(() => stranger.rpc.call(one.id, 'recovery.pull', { ...questions, prevotes: prevotes_ }))
    assert.equal(await ask(new Uint8Array(9)), 'E_AGREEMENT_MALFORMED')
    assert.equal(await ask(new Uint8Array(1)), 'nothing')
    // A decision is one from whomever it comes.
    const decided = { body: { case: 'certificate' as const, value: succession.decision! } } as WireMessage
    assert.equal(await send(stranger, one.id, decided), 'nothing')
  })
})
