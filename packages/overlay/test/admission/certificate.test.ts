import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SigningKey, signatureWork } from '@weft/crypto'
import fc from 'fast-check'
import { validVotes, verifyCertificate, votesToQuorum } from '../../src/admission/certificate.ts'
import { bodyOf, codeOf, testNetwork, wireCertificate } from '../fixtures.ts'

const fixture = testNetwork(7, 1)
const { network, keys } = fixture
const validators = keys.slice(0, 7)
const { quorum, term } = network
const bytes = Uint8Array.of(1, 2, 3)

type Kind = 'good' | 'bad' | 'stranger'

/** A vote in the name of a validator, or of nobody who is known. */
function voteOf(index: number, kind: Kind) {
  const key = kind === 'stranger' ? SigningKey.generate() : (validators[index] as SigningKey)
  const signature = kind === 'bad' ? new Uint8Array(64).fill(7) : key.sign('vote', bytes)
  return { $typeName: 'weft.v1.Signature' as const, signer: key.publicKey, signature }
}

describe('votes to a quorum', () => {
  test('made-up votes of many validators cost one verification', async () => {
    const certificate = wireCertificate(bodyOf(fixture, 7), validators)
    for (const vote of certificate.votes) vote.signature = new Uint8Array(64).fill(7)
    const { asked } = signatureWork()
    assert.equal(await codeOf(() => verifyCertificate(network, certificate)), 'E_CERTIFICATE_QUORUM')
    assert.equal(signatureWork().asked - asked, 1)
  })

  test('those behind a quorum are not looked at, nor kept', () => {
    const certificate = wireCertificate(bodyOf(fixture, 7), validators)
    const { asked } = signatureWork()
    assert.equal(verifyCertificate(network, certificate).votes.length, quorum)
    assert.equal(signatureWork().asked - asked, quorum)
  })

  test('are a quorum of valid ones by distinct validators before the first that is bad, or too few', () => {
    const kinds = fc.constantFrom<Kind>('good', 'good', 'good', 'bad', 'stranger')
    const votes = fc.array(fc.tuple(fc.nat({ max: 6 }), kinds), { maxLength: 12 })
    fc.assert(
      fc.property(votes, (drawn) => {
        const all = drawn.map(([index, kind]) => voteOf(index, kind))
        const found = votesToQuorum(term, 'vote', bytes, all)
        const until = drawn.slice(0, 7).findIndex(
          // Who has voted already is passed over, whatever else is said in its name.
          ([index, kind], at) =>
            kind === 'bad' && !drawn.slice(0, at).some((one) => one[0] === index && one[1] === 'good'),
        )
        const counted = validVotes(term, 'vote', bytes, until < 0 ? all : all.slice(0, until))
        assert.deepEqual(found, counted.slice(0, quorum))
      }),
      { numRuns: 60 },
    )
  })
})
