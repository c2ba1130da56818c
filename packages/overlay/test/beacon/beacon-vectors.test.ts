import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '@weft/core'
import { SigningKey, fromDidKey, toDidKey } from '@weft/crypto'
import { decodeInputs } from '../../src/beacon/beacon-inputs.ts'
import { deriveBeaconKey, verifyBeaconKey } from '../../src/beacon/beacon-key.ts'
import { beaconPosition } from '../../src/beacon/beacon-position.ts'
import { beaconRoster } from '../../src/beacon/beacon-roster.ts'
import { BeaconRound } from '../../src/beacon/beacon-round.ts'
import { decodeShare } from '../../src/beacon/beacon-share.ts'
import { tallyOf } from '../../src/beacon/beacon-tally.ts'
import { beaconValue, genesisBeacon } from '../../src/beacon/beacon-value.ts'
import { type SignedDealing, dealingName } from '../../src/beacon/dealing.ts'
import { hashToScalars } from '../../src/beacon/hash-to-scalars.ts'
import { verifyShare } from '../../src/beacon/open-share.ts'
import { fromScalar, toScalar } from '../../src/beacon/scalar.ts'
import { dualWord } from '../../src/beacon/secret-sharing.ts'
import { verifyDealing } from '../../src/beacon/verify-dealing.ts'
import type { Member } from '../../src/member.ts'
import { rotationDue } from '../../src/terms/handover-seats.ts'
import { termOf } from '../../src/terms/term.ts'
import vectors from '../vectors/beacon.json' with { type: 'json' }

const { network, epoch } = vectors
const seats = vectors.seats.map(({ nodeKey, beaconKey }) => ({ key: fromHex(nodeKey), beaconKey: fromHex(beaconKey) }))
const roster = beaconRoster(network, epoch, seats)
const dealings = vectors.dealings.map(signedOf)

function signedOf({ body, signature }: { body: string; signature: string }): SignedDealing {
  return { body: fromHex(body), signature: fromHex(signature) }
}

describe('beacon.json, made by another implementation from the page alone', () => {
  it('hashes to scalars', () => {
    const { domain, message, scalars } = vectors.hash
    const own = hashToScalars(domain, [fromHex(message)], scalars.length)
    assert.deepEqual(
      own.map((scalar) => toHex(toScalar(scalar))),
      scalars,
    )
  })

  it('derives and lists keys', () => {
    for (const { seed, nodeKey, beaconKey, possession } of vectors.seats) {
      const node = new SigningKey(fromHex(seed))
      assert.equal(toHex(node.publicKey), nodeKey)
      assert.equal(toHex(deriveBeaconKey(node).publicKey), beaconKey)
      verifyBeaconKey(network, node.publicKey, { publicKey: fromHex(beaconKey), proof: fromHex(possession) })
    }
    assert.equal(toHex(roster.context), vectors.context)
  })

  it('takes the dealings, names them, and draws the word', () => {
    for (const [at, dealing] of dealings.entries()) {
      const { dealer, name } = vectors.dealings[at] as (typeof vectors.dealings)[number]
      assert.equal(verifyDealing(roster, dealing).dealer, dealer)
      assert.equal(toHex(dealingName(dealing.body)), name)
    }
    const { context, dealer, dealingKey, shares } = verifyDealing(roster, dealings[0] as SignedDealing)
    const bound = [context, Uint8Array.of(0, dealer), dealingKey, ...shares]
    const word = dualWord(4, hashToScalars('weft:beacon-word:v1', bound, 1)).map((weight) => toHex(toScalar(weight)))
    assert.deepEqual(word, vectors.word)
    const { coefficients, word: ten } = vectors.wordOfTen
    assert.deepEqual(
      dualWord(10, coefficients.map(fromHex).map(fromScalar)).map((weight) => toHex(toScalar(weight))),
      ten,
    )
  })

  it('takes the dealing of a roster of one', () => {
    const alone = beaconRoster(network, epoch, seats.slice(0, 1))
    assert.equal(toHex(alone.context), vectors.single.context)
    verifyDealing(alone, signedOf(vectors.single))
  })

  for (const { why, ...refused } of vectors.refused) {
    it(`refuses a dealing: ${why}`, () => {
      assert.throws(() => verifyDealing(roster, signedOf(refused)), { code: 'E_BEACON_DEALING' })
    })
  }

  it('takes the inputs, opens the shares, and comes to the value by any quorum', () => {
    const inputs = decodeInputs(roster, fromHex(vectors.inputs.bytes))
    assert.equal(toHex(inputs.name), vectors.inputs.name)
    assert.deepEqual(inputs.previous, genesisBeacon(network))
    const tally = tallyOf(
      roster,
      inputs,
      dealings.map((dealing) => verifyDealing(roster, dealing)),
    )
    const opened = vectors.shares.map((bytes, seat) => [seat, verifyShare(tally, decodeShare(fromHex(bytes)))] as const)
    assert.deepEqual(
      opened.map(([, element]) => toHex(element)),
      vectors.opened,
    )
    assert.equal(toHex(genesisBeacon(network).value), vectors.genesis)
    for (let missing = 0; missing < 4; missing++) {
      const some = new Map(opened.filter(([seat]) => seat !== missing))
      assert.equal(toHex(beaconValue(tally, some)), vectors.value)
    }
  })

  it('comes to the value in a round, also of who has no seat', () => {
    const round = new BeaconRound({
      roster,
      own: undefined,
      random: { bytes: () => assert.fail('whoever follows draws nothing') },
    })
    for (const dealing of dealings) round.receiveDealing(dealing)
    round.decide(fromHex(vectors.inputs.bytes))
    for (const [seat, share] of vectors.shares.entries()) round.receiveShare(fromHex(share), seat)
    assert.equal(toHex(round.value as Uint8Array), vectors.value)
  })

  it('draws who leaves and who enters, and places a key', () => {
    const known = (people: typeof vectors.rotation.seated): Member[] =>
      people.map(({ key, family, diversityAddress }) => {
        const addresses = [`/ip4/${diversityAddress}/tcp/1`]
        return {
          id: toDidKey(fromHex(key)),
          roles: ['validator'],
          addresses,
          family,
          diversityAddress,
        } as unknown as Member
      })
    const { leaving, entering } = vectors.rotation
    const [seated, candidates] = [known(vectors.rotation.seated), known(vectors.rotation.candidates)]
    const term = termOf({ number: 0, fromEpoch: 0, rotation: 0, validators: seated })
    const members = [...seated, ...candidates]
    const member = (id: string): Member | undefined => members.find((each) => each.id === id)
    const due = rotationDue(term, { members, member, seed: fromHex(vectors.value) })
    assert.deepEqual([due?.leaving, due?.entering.map(({ id }) => toHex(fromDidKey(id)))], [leaving, entering])
    const { key, position } = vectors.position
    assert.equal(toHex(beaconPosition(fromHex(key), fromHex(vectors.value))), position)
  })
})
