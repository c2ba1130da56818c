import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { deriveBeaconKey, enterBeaconKey, verifyBeaconKey } from '../../src/beacon/beacon-key.ts'
import { beaconRoster, seatBytes } from '../../src/beacon/beacon-roster.ts'
import { proveLogarithm, verifyLogarithm } from '../../src/beacon/common-logarithm.ts'
import { dealingClaim } from '../../src/beacon/dealing-claim.ts'
import { type Dealing, type SignedDealing, decodeDealing, encodeDealing } from '../../src/beacon/dealing.ts'
import { BASE, type Element, add, multiply } from '../../src/beacon/group.ts'
import { hashToScalars } from '../../src/beacon/hash-to-scalars.ts'
import { ORDER, addScalars, fromScalar, invertPublic, mod, randomScalar, toScalar } from '../../src/beacon/scalar.ts'
import { drawShares, dualWord } from '../../src/beacon/secret-sharing.ts'
import { verifyDealing } from '../../src/beacon/verify-dealing.ts'
import { NETWORK, NO_ELEMENTS, type Validators, dealingOf, validators } from './beacon-fixture.ts'

const REFUSED = { code: 'E_BEACON_DEALING' }

function times(scalar: Uint8Array, element: Element): Element {
  return multiply(scalar, element) as Element
}

/** A dealing whose shares are encrypted as they must be, of whatever values; proved as well as its maker can. */
function dealValues(
  test: Validators,
  dealer: number,
  values: readonly Uint8Array[],
  secret = randomScalar(test.random),
): SignedDealing {
  const dealingKey = times(secret, BASE)
  const shares = test.roster.seats.map(({ beaconKey }, seat) =>
    add(times(values[seat] as Uint8Array, BASE), times(secret, beaconKey)),
  )
  const claim = dealingClaim(test.roster, { dealer, dealingKey, shares })
  assert.ok(claim !== undefined)
  const proof = proveLogarithm(claim, secret, test.random)
  return signed(test, { context: test.roster.context, dealer, dealingKey, shares, ...proof })
}

function signed(test: Validators, dealing: Dealing, signer = dealing.dealer): SignedDealing {
  const body = encodeDealing(dealing)
  return { body, signature: (test.nodes[signer] as SigningKey).sign('beacon-dealing', body) }
}

/** A right dealing with something changed, signed by its dealer. */
function changed(test: Validators, change: (dealing: Dealing) => Partial<Dealing>): SignedDealing {
  const dealing = decodeDealing(dealingOf(test, 0).body)
  return signed(test, { ...dealing, ...change(dealing) })
}

describe('a dealing', () => {
  for (const count of [1, 2, 3, 4, 5, 6, 7, 10, 13]) {
    it(`is taken when it is right, among ${count}`, () => {
      const test = validators(count)
      for (const dealer of new Set([0, count - 1])) {
        assert.equal(verifyDealing(test.roster, dealingOf(test, dealer)).dealer, dealer)
      }
    })
  }

  it('is taken by whoever makes it by the rules out of values of the right degree', () => {
    const test = validators(7)
    verifyDealing(test.roster, dealValues(test, 2, drawShares(5, 7, test.random)))
    verifyDealing(test.roster, dealValues(test, 2, drawShares(3, 7, test.random)))
  })

  for (const count of [4, 7, 10]) {
    it(`is refused when any one of ${count} shares is another, though it is proved again`, () => {
      const test = validators(count)
      const values = drawShares(test.roster.quorum, count, test.random)
      verifyDealing(test.roster, dealValues(test, 1, values))
      for (let seat = 0; seat < count; seat++) {
        const wrong = values.with(seat, randomScalar(test.random))
        assert.throws(() => verifyDealing(test.roster, dealValues(test, 1, wrong)), REFUSED)
      }
    })

    it(`is refused when its degree is too high by one or more, among ${count}`, () => {
      const test = validators(count)
      for (let threshold = test.roster.quorum + 1; threshold <= count; threshold++) {
        const values = drawShares(threshold, count, test.random)
        assert.throws(() => verifyDealing(test.roster, dealValues(test, 1, values)), REFUSED)
      }
    })
  }

  it('is refused with a share that is no element, or encrypted to the key of another seat', () => {
    for (const count of [3, 4]) {
      const test = validators(count)
      for (const hex of Object.values(NO_ELEMENTS)) {
        const bad = Uint8Array.fromHex(hex)
        assert.throws(
          () =>
            verifyDealing(
              test.roster,
              changed(test, ({ shares }) => ({ shares: shares.with(1, bad) })),
            ),
          REFUSED,
        )
        assert.throws(
          () =>
            verifyDealing(
              test.roster,
              changed(test, () => ({ dealingKey: bad })),
            ),
          REFUSED,
        )
      }
    }
    const test = validators(4)
    const swapped = ({ shares }: Dealing) => ({ shares: [shares[1], shares[0], ...shares.slice(2)] as Element[] })
    assert.throws(() => verifyDealing(test.roster, changed(test, swapped)), REFUSED)
  })

  it('is refused with a share that is no element though its proof is right, where no word tests the shares', () => {
    const test = validators(3)
    const honest = decodeDealing(dealingOf(test, 0).body)
    for (const [what, hex] of [['right', ''], ...Object.entries(NO_ELEMENTS)] as [string, string][]) {
      const secret = randomScalar(test.random)
      const dealingKey = times(secret, BASE)
      const shares = what === 'right' ? honest.shares : honest.shares.with(1, Uint8Array.fromHex(hex))
      const claim = {
        domain: 'weft:beacon-dealing:v1',
        context: [test.roster.context, seatBytes(0), dealingKey, ...shares],
        bases: [BASE],
        values: [dealingKey],
      }
      const proof = proveLogarithm(claim, secret, test.random)
      const dealing = signed(test, { context: test.roster.context, dealer: 0, dealingKey, shares, ...proof })
      if (what === 'right') verifyDealing(test.roster, dealing)
      else assert.throws(() => verifyDealing(test.roster, dealing), { ...REFUSED, cause: /no element/ }, what)
    }
  })

  it('is refused when its shares were fitted to the word that right ones would have had', () => {
    // Of seven the words are many; of four all are multiples of one, and shares that fit it are right ones.
    const test = validators(7)
    const secret = randomScalar(test.random)
    const values = drawShares(5, 7, test.random)
    const right = decodeDealing(dealValues(test, 1, values, secret).body)
    const bound = [test.roster.context, seatBytes(1), right.dealingKey, ...right.shares]
    const word = dualWord(7, hashToScalars('weft:beacon-word:v1', bound, 2))
    // One share is another by 1, and a second by as much as hides that from this word.
    const hiding = mod(-(word[0] as bigint) * invertPublic(word[1] as bigint))
    const fitted = [
      addScalars(values[0] as Uint8Array, toScalar(1n)),
      addScalars(values[1] as Uint8Array, toScalar(hiding)),
      ...values.slice(2),
    ]
    const products = fitted.map((value, at) => fromScalar(value) * (word[at] as bigint))
    assert.equal(mod(products.reduce((sum, product) => sum + product, 0n)), 0n, 'the word alone would not tell')
    assert.throws(() => verifyDealing(test.roster, dealValues(test, 1, fitted, secret)), REFUSED)
  })

  it('is refused with shares too few or too many', () => {
    const test = validators(4)
    const fewer = changed(test, ({ shares }) => ({ shares: shares.slice(1) }))
    const more = changed(test, ({ shares }) => ({ shares: [...shares, shares[0] as Element] }))
    assert.throws(() => verifyDealing(test.roster, fewer), { ...REFUSED, cause: /3 shares for 4 seats/ })
    assert.throws(() => verifyDealing(test.roster, more), { ...REFUSED, cause: /5 shares for 4 seats/ })
  })

  it('is refused with a changed proof, and one whose scalars are written otherwise', () => {
    for (const count of [1, 4]) {
      const test = validators(count)
      for (const field of ['challenge', 'response'] as const) {
        const flipped = changed(test, (dealing) => ({
          [field]: dealing[field].with(0, (dealing[field][0] as number) ^ 1),
        }))
        assert.throws(() => verifyDealing(test.roster, flipped), REFUSED)
        const zero = changed(test, () => ({ [field]: new Uint8Array(32) }))
        assert.throws(() => verifyDealing(test.roster, zero), REFUSED)
        const again = changed(test, (dealing) => {
          const value = BigInt(`0x${dealing[field].toReversed().toHex()}`) + ORDER
          return { [field]: Uint8Array.fromHex(value.toString(16).padStart(64, '0')).reverse() }
        })
        assert.throws(() => verifyDealing(test.roster, again), { ...REFUSED, cause: /not below the order/ })
      }
    }
  })

  it('is refused in another epoch, network, roster or order of seats', () => {
    const test = validators(4)
    const dealing = dealingOf(test, 0)
    const { seats } = test.roster
    for (const roster of [
      beaconRoster(NETWORK, test.roster.epoch + 1, seats),
      beaconRoster(`w${'b'.repeat(32)}`, test.roster.epoch, seats),
      beaconRoster(NETWORK, test.roster.epoch, seats.slice(0, 3)),
      beaconRoster(NETWORK, test.roster.epoch, seats.toReversed()),
    ]) {
      assert.throws(() => verifyDealing(roster, dealing), { ...REFUSED, cause: /another network, epoch or roster/ })
      // Relabelled and signed again by its dealer: the proof is bound to them, too.
      const relabelled = { ...decodeDealing(dealing.body), context: roster.context }
      if (roster.seats.length === 4 && roster.seats[0] === seats[0]) {
        assert.throws(() => verifyDealing(roster, signed(test, relabelled)), {
          ...REFUSED,
          cause: /proof does not hold/,
        })
      }
    }
  })

  it("is refused from whoever passes another's dealing off as their own, or deals in another's name", () => {
    for (const count of [3, 4]) {
      const test = validators(count)
      const stolen = { ...decodeDealing(dealingOf(test, 0).body), dealer: 1 }
      assert.throws(() => verifyDealing(test.roster, signed(test, stolen)), {
        ...REFUSED,
        cause: /proof does not hold/,
      })
      const foreign = signed(test, decodeDealing(dealingOf(test, 0).body), 1)
      assert.throws(() => verifyDealing(test.roster, foreign), {
        ...REFUSED,
        cause: /not signed by the validator of seat 0/,
      })
      const nobody = signed(test, { ...stolen, dealer: 9 }, 0)
      assert.throws(() => verifyDealing(test.roster, nobody), { ...REFUSED, cause: /no seat 9/ })
    }
  })

  it("is refused when it is made out of another's without knowing the secret", () => {
    const test = validators(4)
    const honest = decodeDealing(dealingOf(test, 0).body)
    const negative = toScalar(ORDER - 1n)
    const dealingKey = times(negative, honest.dealingKey)
    const shares = honest.shares.map((share) => times(negative, share))
    const claim = dealingClaim(test.roster, { dealer: 1, dealingKey, shares })
    assert.ok(claim !== undefined)
    for (const proof of [honest, proveLogarithm(claim, randomScalar(test.random), test.random)]) {
      const { challenge, response } = proof
      const dealing = { context: test.roster.context, dealer: 1, dealingKey, shares, challenge, response }
      assert.throws(() => verifyDealing(test.roster, signed(test, dealing)), {
        ...REFUSED,
        cause: /proof does not hold/,
      })
    }
  })
})

describe('a beacon key', () => {
  const test = validators(2)
  const [node, other] = test.nodes as [SigningKey, SigningKey]
  const entry = enterBeaconKey(NETWORK, node.publicKey, deriveBeaconKey(node), test.random)

  it('is the same after a restart, and not the node key', () => {
    assert.deepEqual(deriveBeaconKey(node), deriveBeaconKey(node))
    assert.notDeepEqual(deriveBeaconKey(node).publicKey, node.publicKey)
    assert.notDeepEqual(deriveBeaconKey(node).publicKey, deriveBeaconKey(other).publicKey)
  })

  it('is taken with its proof, and in the name of this validator of this network only', () => {
    verifyBeaconKey(NETWORK, node.publicKey, entry)
    const refused = { code: 'E_BEACON_KEY', cause: /does not hold for this network and validator/ }
    assert.throws(() => verifyBeaconKey(NETWORK, other.publicKey, entry), refused)
    assert.throws(() => verifyBeaconKey(`w${'b'.repeat(32)}`, node.publicKey, entry), refused)
  })

  it("is refused when it is made out of another's key, malformed or of low order", () => {
    const twice = times(toScalar(2n), entry.publicKey)
    for (const publicKey of [twice, ...Object.values(NO_ELEMENTS).map((hex) => Uint8Array.fromHex(hex))]) {
      assert.throws(() => verifyBeaconKey(NETWORK, node.publicKey, { publicKey, proof: entry.proof }), {
        code: 'E_BEACON_KEY',
      })
    }
    for (const proof of [entry.proof.slice(1), new Uint8Array(64), new Uint8Array(64).fill(255), new Uint8Array(0)]) {
      assert.throws(() => verifyBeaconKey(NETWORK, node.publicKey, { ...entry, proof }), { code: 'E_BEACON_KEY' })
    }
  })
})

describe('a proof of a common logarithm', () => {
  it('does not hold for another use, context, base or value, nor for values of different logarithms', () => {
    const random = seededRandom(2)
    const [secret, factor] = [randomScalar(random), randomScalar(random)]
    const bases = [BASE, times(factor, BASE)]
    const claim = {
      domain: 'weft:test-proof:v1',
      context: [new Uint8Array(2)],
      bases,
      values: bases.map((base) => times(secret, base)),
    }
    const proof = proveLogarithm(claim, secret, random)
    assert.ok(verifyLogarithm(claim, proof))
    for (const other of [
      { domain: 'weft:other-proof:v1' },
      { context: [Uint8Array.of(0, 1)] },
      { bases: bases.toReversed(), values: claim.values.toReversed() },
      { values: claim.values.toReversed() },
    ]) {
      assert.ok(!verifyLogarithm({ ...claim, ...other }, proof))
    }
    const unequal = { ...claim, values: [claim.values[0], times(factor, bases[1] as Element)] as Element[] }
    assert.ok(!verifyLogarithm(unequal, proveLogarithm(unequal, secret, random)))
    assert.notDeepEqual(proveLogarithm(claim, secret, random), proof, 'no nonce is used twice')
  })
})
