import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom, randomInt, type Random } from '@weft/core'
import fc from 'fast-check'
import type { BeaconKeyPair } from '../../src/beacon/beacon-key.ts'
import { type BeaconAction, BeaconRound } from '../../src/beacon/beacon-round.ts'
import { decodeShare, encodeShare } from '../../src/beacon/beacon-share.ts'
import { genesisBeacon } from '../../src/beacon/beacon-value.ts'
import { dealingName, type SignedDealing } from '../../src/beacon/dealing.ts'
import { toleratedFaults } from '../../src/network/quorum.ts'
import type { SigningKey } from '@weft/crypto'
import { NETWORK, type Validators, dealingOf, encodedInputs, inputsOf, validators } from './beacon-fixture.ts'

const previous = genesisBeacon(NETWORK)
const RIGHT = { kind: 'right' }

function roundOf(test: Validators, seat: number | undefined, random: Random = test.random): BeaconRound {
  const own =
    seat === undefined
      ? undefined
      : { seat, nodeKey: test.nodes[seat] as SigningKey, beaconKey: test.keys[seat] as BeaconKeyPair }
  return new BeaconRound({ roster: test.roster, own, random })
}

function sent(actions: readonly BeaconAction[], kind: 'send-dealing'): SignedDealing
function sent(actions: readonly BeaconAction[], kind: 'send-share'): Uint8Array
function sent(actions: readonly BeaconAction[], kind: BeaconAction['kind']): unknown {
  const action = actions.find((found) => found.kind === kind)
  assert.ok(action !== undefined, `no ${kind}`)
  return action.kind === 'send-dealing' ? action.dealing : action.kind === 'send-share' ? action.share : undefined
}

type Message =
  | { readonly to: number; readonly dealing: SignedDealing }
  | { readonly to: number; readonly share: Uint8Array; readonly from: number }

/**
 * Runs a round on a network that delivers in any order, twice or late. The hostile seats deal wrongly or twice, keep
 * their shares back or send wrong ones; agreement, which is not part of the round, takes the first proposal that the
 * honest ones judge right.
 */
function play(count: number, hostile: ReadonlySet<number>, seed: number): readonly (Uint8Array | undefined)[] {
  const random = seededRandom(seed)
  const test: Validators = { ...validators(count, seed), random }
  const honest = test.nodes.map((_, seat) => seat).filter((seat) => !hostile.has(seat))
  const rounds = new Map(honest.map((seat) => [seat, roundOf(test, seat)]))
  const messages: Message[] = []
  const dealings = new Map<string, SignedDealing>()
  const broadcast = (actions: readonly BeaconAction[], from: number) => {
    for (const action of actions) {
      if (action.kind === 'send-dealing') dealings.set(dealingName(action.dealing.body).toHex(), action.dealing)
      for (const to of honest) {
        if (action.kind === 'send-dealing') messages.push({ to, dealing: action.dealing })
        if (action.kind === 'send-share') messages.push({ to, share: action.share, from })
      }
      if (action.kind === 'more') broadcast((rounds.get(from) as BeaconRound).advance(), from)
      if (action.kind !== 'fetch-dealings') continue
      for (const { dealing } of action.dealings) {
        const found = dealings.get(dealing.toHex())
        if (found !== undefined) messages.push({ to: from, dealing: found })
      }
    }
  }
  const deliver = (until: number) => {
    while (messages.length > until) {
      const [message] = messages.splice(randomInt(random, messages.length), 1) as [Message]
      // One in eight comes again.
      if (randomInt(random, 8) === 0) messages.push(message)
      const round = rounds.get(message.to) as BeaconRound
      try {
        broadcast(
          'dealing' in message
            ? round.receiveDealing(message.dealing)
            : round.receiveShare(message.share, message.from),
          message.to,
        )
      } catch (error) {
        const code = (error as { code?: string }).code
        assert.ok(code === 'E_BEACON_DEALING' || code === 'E_BEACON_SHARE', String(error))
      }
    }
  }

  for (const [seat, round] of rounds) broadcast(round.start(), seat)
  for (const seat of hostile) {
    const [one, other] = [dealingOf(test, seat), dealingOf(test, seat)]
    for (const dealing of [one, other]) dealings.set(dealingName(dealing.body).toHex(), dealing)
    const body = one.body.with(-1, (one.body.at(-1) as number) ^ 1)
    const broken = { body, signature: (test.nodes[seat] as SigningKey).sign('beacon-dealing', body) }
    for (const to of honest) messages.push({ to, dealing: [one, other, broken][randomInt(random, 3)] as SignedDealing })
  }
  // Everything arrives but for a handful that is late; all honest dealings are a quorum, so somebody can propose.
  deliver(3)
  let proposal = [...rounds.values()].map((round) => round.proposal(previous)).find((found) => found !== undefined)
  while (proposal === undefined) {
    deliver(messages.length - 1)
    proposal = [...rounds.values()].map((round) => round.proposal(previous)).find((found) => found !== undefined)
  }
  for (const round of rounds.values()) round.judge(proposal, previous)
  for (const [seat, round] of rounds) {
    broadcast(round.decide(proposal), seat)
    assert.deepEqual(round.decide(proposal), [], 'what is decided is decided once')
  }
  for (const seat of hostile) {
    const wrong = encodeShare({
      inputs: inputsOf(test.roster, [...dealings.values()].slice(0, test.roster.quorum)).name,
      seat,
      opening: random.bytes(32),
      challenge: random.bytes(32).with(31, 0),
      response: random.bytes(32).with(31, 0),
    })
    for (const to of honest) if (randomInt(random, 2) === 0) messages.push({ to, share: wrong, from: seat })
  }
  deliver(0)
  return [...rounds.values()].map((round) => round.value)
}

describe('a round', () => {
  it('ends with one value for all honest seats, whatever f of them do and in whatever order messages come', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 4, 5, 7, 10), fc.nat(), (count, seed) => {
        const faults = toleratedFaults(count)
        const hostile = new Set<number>()
        const random = seededRandom(seed ^ 0x5eed)
        while (hostile.size < faults) hostile.add(randomInt(random, count))
        const values = play(count, hostile, seed)
        assert.equal(values.length, count - faults)
        const [value] = values
        assert.ok(value !== undefined)
        for (const other of values) assert.deepEqual(other, value)
      }),
      { numRuns: 15 },
    )
  })

  it('gives a node without a seat the same value, and a node that restarts, from dealings, inputs and shares alone', () => {
    const test = validators(4)
    const rounds = test.nodes.map((_, seat) => roundOf(test, seat))
    const dealings = rounds.map((round) => sent(round.start(), 'send-dealing'))
    for (const round of rounds) for (const dealing of dealings) round.receiveDealing(dealing)
    const agreed = rounds[0]?.proposal(previous) as Uint8Array
    const shares = rounds.map((round) => sent(round.decide(agreed), 'send-share'))
    const restarted = roundOf(test, 0)
    const follower = roundOf(test, undefined)
    assert.deepEqual(follower.start(), [])
    for (const late of [restarted, follower]) {
      // Shares come before anything else is known.
      assert.deepEqual(late.receiveShare(shares[1] as Uint8Array, 1), [])
      assert.deepEqual(late.receiveShare(shares[2] as Uint8Array, 2), [])
      const [fetch] = late.decide(agreed)
      assert.equal(fetch?.kind, 'fetch-dealings')
      assert.equal(fetch?.kind === 'fetch-dealings' && fetch.dealings.length, 4)
      const actions = dealings.flatMap((dealing) => late.receiveDealing(dealing))
      assert.equal(actions.at(-1)?.kind, 'more')
      // One share at a time, so that the thread is free in between.
      assert.deepEqual(late.advance(), [{ kind: 'more' }])
      assert.equal(late.advance()[0]?.kind, late === restarted ? 'value' : undefined)
      assert.deepEqual(late.advance(), [])
      late.receiveShare(shares[3] as Uint8Array, 3)
    }
    assert.deepEqual(decodeShare(restarted.share as Uint8Array).opening, decodeShare(shares[0] as Uint8Array).opening)
    for (const [seat, share] of shares.entries()) rounds[0]?.receiveShare(share, seat)
    assert.ok(rounds[0]?.value !== undefined)
    assert.deepEqual(restarted.value, rounds[0].value)
    assert.deepEqual(follower.value, rounds[0].value)
  })

  it('opens nothing before a set is agreed on, and nothing but the agreed set', () => {
    const test = validators(4)
    const round = roundOf(test, 0)
    const opened = () => round.share
    round.start()
    const dealings = [1, 2, 3].map((dealer) => dealingOf(test, dealer))
    for (const dealing of dealings) assert.deepEqual(round.receiveDealing(dealing), [])
    assert.equal(opened(), undefined)
    const agreed = encodedInputs(test.roster, dealings)
    assert.deepEqual(round.judge(agreed, previous), RIGHT)
    assert.equal(opened(), undefined)
    const share = decodeShare(sent(round.decide(agreed), 'send-share'))
    assert.deepEqual(share.inputs, inputsOf(test.roster, dealings).name)
    const other = round.proposal(previous) as Uint8Array
    assert.deepEqual(round.decide(other), [])
    assert.throws(() => round.judge(other, previous), { code: 'E_BEACON_INPUTS', cause: /others were agreed on/ })
    assert.deepEqual(decodeShare(opened() as Uint8Array), share)
  })

  it('takes the second dealing of a seat only for a proposal that names it', () => {
    const test = validators(4)
    const round = roundOf(test, undefined)
    const [one, other] = [dealingOf(test, 0), dealingOf(test, 0)]
    const others = [1, 2].map((dealer) => dealingOf(test, dealer))
    for (const dealing of [one, ...others]) round.receiveDealing(dealing)
    assert.deepEqual(round.receiveDealing(one), [], 'the same again changes nothing')
    assert.throws(() => round.receiveDealing(other), { code: 'E_BEACON_DEALING', cause: /seat 0 has dealt before/ })
    const proposal = encodedInputs(test.roster, [other, ...others])
    assert.deepEqual(round.judge(proposal, previous), {
      kind: 'missing',
      dealings: [{ dealer: 0, dealing: dealingName(other.body) }],
    })
    round.receiveDealing(other)
    assert.deepEqual(round.judge(proposal, previous), RIGHT)
    // The next proposal takes the place of this one; what it named and nobody else wants is forgotten.
    assert.deepEqual(round.judge(encodedInputs(test.roster, [one, ...others]), previous), RIGHT)
    assert.equal(round.dealing(dealingName(other.body)), undefined)
    assert.ok(round.dealing(dealingName(one.body)) !== undefined)
  })

  it('looks at a dealing that does not hold once, and refuses a proposal that names it', () => {
    const test = validators(4)
    const round = roundOf(test, undefined)
    const good = [1, 2].map((dealer) => dealingOf(test, dealer))
    const right = dealingOf(test, 0)
    const body = right.body.with(-1, (right.body.at(-1) as number) ^ 1)
    const bad = { body, signature: (test.nodes[0] as SigningKey).sign('beacon-dealing', body) }
    assert.throws(() => round.receiveDealing(bad), { code: 'E_BEACON_DEALING', cause: /proof does not hold/ })
    assert.throws(() => round.receiveDealing(bad), { code: 'E_BEACON_DEALING', cause: /looked at before/ })
    for (const dealing of good) round.receiveDealing(dealing)
    assert.equal(round.proposal(previous), undefined, 'a wrong dealing does not count')
    const named = encodedInputs(test.roster, [bad, ...good])
    assert.throws(() => round.judge(named, previous), { code: 'E_BEACON_INPUTS', cause: /seat 0 does not hold/ })
  })

  it('listens to the seat itself before the agreed set is whole, and to whoever has a right share from then on', () => {
    const test = validators(4)
    const rounds = [0, 1, 2].map((seat) => roundOf(test, seat))
    const [late, ...others] = rounds as [BeaconRound, BeaconRound, BeaconRound]
    const dealings = [0, 1, 2].map((dealer) => dealingOf(test, dealer))
    const agreed = encodedInputs(test.roster, dealings)
    for (const round of others) for (const dealing of dealings) round.receiveDealing(dealing)
    const [one, two] = others.map((round) => sent(round.decide(agreed), 'send-share')) as [Uint8Array, Uint8Array]
    for (const from of [2, undefined]) {
      assert.throws(() => late.receiveShare(one, from), {
        code: 'E_BEACON_SHARE',
        cause: /of seat 1, and the agreed set/,
      })
    }
    for (const dealing of dealings) late.receiveDealing(dealing)
    late.decide(agreed)
    const forged = encodeShare({ ...decodeShare(two), seat: 3 })
    assert.throws(() => late.receiveShare(forged, 3), {
      code: 'E_BEACON_SHARE',
      cause: /proof of seat 3 does not hold/,
    })
    assert.deepEqual(late.receiveShare(one, 2), [])
    assert.deepEqual(late.receiveShare(one, 1), [], 'the same again changes nothing')
    assert.equal(late.receiveShare(two, undefined)[0]?.kind, 'value')
    assert.equal(late.shares.length, 3)
    // What it verified it hands on.
    const follower = roundOf(test, undefined)
    for (const dealing of dealings) follower.receiveDealing(dealing)
    follower.decide(agreed)
    for (const share of late.shares) follower.receiveShare(share, undefined)
    assert.deepEqual(follower.value, late.value)
  })

  it('hangs on the newest value: none may be passed over, made up, or taken before it is known here', () => {
    const test = validators(4)
    const round = roundOf(test, undefined)
    for (const dealer of [0, 1, 2]) round.receiveDealing(dealingOf(test, dealer))
    const link = (epoch: number, byte: number) => ({ epoch, value: new Uint8Array(32).fill(byte) })
    const proposal = round.proposal(link(5, 5)) as Uint8Array
    assert.deepEqual(round.judge(proposal, link(5, 5)), RIGHT)
    assert.deepEqual(round.judge(proposal, link(4, 4)), { kind: 'behind', epoch: 5 })
    assert.deepEqual(round.judge(proposal, previous), { kind: 'behind', epoch: 5 })
    const refused = { code: 'E_BEACON_INPUTS' }
    assert.throws(() => round.judge(proposal, link(6, 6)), { ...refused, cause: /pass over the value of epoch 6/ })
    assert.throws(() => round.judge(proposal, link(5, 6)), { ...refused, cause: /value of epoch 5 is another/ })
    // Once agreed on, it is what it is, whatever this node comes to know later.
    round.decide(proposal)
    assert.deepEqual(round.judge(proposal, link(6, 6)), RIGHT)
  })
})
