import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { equalBytes } from '@weft/core'
import { type SigningKey, signatureWork } from '@weft/crypto'
import { MAX_SUCCESSION, type Succession, SuccessionSchema, decodeMessage, encodeMessage } from '@weft/wire'
import { encodeMapBody } from '../../src/map/map-body.ts'
import { networkOf } from '../../src/network/network.ts'
import { encodeRecoveryValue } from '../../src/terms/recovery-value.ts'
import { longestSilenceEpochs } from '../../src/terms/recovery-times.ts'
import { successionGround, toSuccession, verifySuccession } from '../../src/terms/succession.ts'
import { codeOf, testNetwork } from '../fixtures.ts'
import { type Decided, Orphans, changed, orphans } from './orphans.ts'

const set = orphans()
const good = set.succession()
const { firstEpoch } = set
const [first, second] = good.entries as [Succession['entries'][0], Succession['entries'][0]]
const anchor = good.anchor as NonNullable<Succession['anchor']>
const decision = good.decision as NonNullable<Succession['decision']>
const another = orphans()
const later = new Orphans(set.fixture, set.anchor.epoch + 1)

/** A signature of nobody. */
const JUNK = { signer: new Uint8Array(32), signature: new Uint8Array(64) }

const verify = (succession: Succession) => verifySuccession(networkOf(set.fixture.network.file), succession)

/** A value that the electors decide on although it has another form. */
function deciding(value: Uint8Array, decided: Decided = {}): Succession {
  const ground = successionGround(set.term, set.head, set.list, set.electors)
  return toSuccession(ground, set.electors, set.decide(value, decided))
}

function signedAnchor(changes: object, signers: readonly SigningKey[] = set.fixture.keys.slice(0, 4)) {
  const body = encodeMapBody({ ...set.anchor, ...changes })
  return { body, signatures: signers.map((key) => ({ signer: key.publicKey, signature: key.sign('map', body) })) }
}

describe('a succession', () => {
  it('is believed by whoever has the network file, from its bytes', () => {
    const bytes = encodeMessage(SuccessionSchema, good)
    const { number, fromEpoch, validators } = verify(decodeMessage(SuccessionSchema, bytes, MAX_SUCCESSION))
    assert.deepEqual([number, fromEpoch], [1, firstEpoch])
    const seats = [0, 1, 2, 3].map((place) => set.electors.members[place]?.member)
    assert.deepEqual(
      validators,
      seats.map((member) => ({ id: member?.id, addresses: member?.addresses, family: member?.family })),
    )
  })

  it('may have been decided in any round, by any quorum', () => {
    const voters = [11, 10, 9, 8, 7, 6, 5, 4, 3]
    assert.equal(verify(set.succession({}, { round: 31, voters })).number, 1)
  })

  it('carries no signatures that do not count, though the map that is held does', () => {
    const { anchor: loaded } = changed(good, { anchor: { ...anchor, signatures: [...anchor.signatures, JUNK] } })
    const ground = successionGround(set.term, loaded as typeof anchor, set.list, set.electors)
    assert.equal(ground.anchor?.signatures.length, 4)
  })

  const REFUSED: Record<string, { readonly code?: string; readonly of: () => Succession }> = {
    'another number': { of: () => changed(good, { number: 2 }) },
    'the term of the file': { of: () => changed(good, { number: 0 }) },
    'no map': { of: () => changed(good, { anchor: undefined }) },
    'no decision': { of: () => changed(good, { decision: undefined }) },
    'a map of another network': {
      of: () => changed(good, { anchor: signedAnchor({ network: testNetwork(1, 0).network.id }) }),
    },
    'no body of a map': {
      code: 'E_MAP_MALFORMED',
      of: () => changed(good, { anchor: { ...anchor, body: new Uint8Array(3) } }),
    },
    'a map that too few signed': {
      of: () => changed(good, { anchor: { ...anchor, signatures: anchor.signatures.slice(0, 2) } }),
    },
    'a map that one signed three times': {
      of: () =>
        changed(good, { anchor: { ...anchor, signatures: Array.from({ length: 3 }, () => anchor.signatures[0]) } }),
    },
    'a map that others signed': { of: () => changed(good, { anchor: signedAnchor({}, set.fixture.keys.slice(4)) }) },
    'a signature more that does not count': {
      of: () =>
        changed(good, {
          anchor: {
            ...anchor,
            signatures: [...anchor.signatures, JUNK],
          },
        }),
    },
    'a map of another root': { of: () => changed(good, { anchor: signedAnchor({ root: new Uint8Array(32) }) }) },
    'a map of more entries': { of: () => changed(good, { anchor: signedAnchor({ count: 17 }) }) },
    'a map of another epoch': {
      code: 'E_AGREEMENT_MALFORMED',
      of: () => changed(good, { anchor: signedAnchor({ epoch: set.anchor.epoch + 1 }) }),
    },
    'the decision on another map': {
      code: 'E_AGREEMENT_MALFORMED',
      of: () => changed(good, { decision: later.succession().decision }),
    },
    'an entry less': { of: () => changed(good, { entries: good.entries.slice(0, -1) }) },
    'an entry more': { of: () => changed(good, { entries: [...good.entries, first] }) },
    'no entries': { of: () => changed(good, { entries: [] }) },
    'entries in another order': { of: () => changed(good, { entries: [second, first, ...good.entries.slice(2)] }) },
    'a path that is too short': {
      of: () => changed(good, { entries: [{ ...first, path: first.path.slice(1) }, ...good.entries.slice(1)] }),
    },
    'a path that is too long': {
      of: () =>
        changed(good, { entries: [{ ...first, path: [...first.path, new Uint8Array(32)] }, ...good.entries.slice(1)] }),
    },
    'a path of another entry': {
      of: () => changed(good, { entries: [{ ...first, path: second.path }, ...good.entries.slice(1)] }),
    },
    'bytes that are no entry': {
      code: 'E_CERTIFICATE_MALFORMED',
      of: () => changed(good, { entries: [{ ...first, entry: new Uint8Array(9) }, ...good.entries.slice(1)] }),
    },
    'an entry of another network': {
      code: 'E_MAP_ENTRIES',
      of: () => changed(good, { entries: [{ ...first, entry: another.entries[0] }, ...good.entries.slice(1)] }),
    },
    'votes of others': {
      code: 'E_AGREEMENT_MALFORMED',
      of: () => changed(good, { decision: another.succession({}, { context: set.electors.set.networkId }).decision }),
    },
    'votes of the network itself': {
      code: 'E_AGREEMENT_MALFORMED',
      of: () => deciding(encodeRecoveryValue({ fromEpoch: firstEpoch, seats: [0] }), { context: set.network.id }),
    },
    prevotes: { of: () => set.succession({}, { phase: 'prevote' }) },
    'votes of another epoch': { of: () => set.succession({}, { epoch: set.anchor.epoch - 1 }) },
    'one vote too few': {
      code: 'E_AGREEMENT_MALFORMED',
      of: () => set.succession({}, { voters: [0, 1, 2, 3, 4, 5, 6, 7] }),
    },
    'a vote twice': {
      code: 'E_AGREEMENT_MALFORMED',
      of: () => {
        const quorum = decision.quorum as NonNullable<typeof decision.quorum>
        const signatures = [...quorum.signatures.slice(1), quorum.signatures[1]]
        return changed(good, { decision: { ...decision, quorum: { ...quorum, signatures } } })
      },
    },
    'a forged vote': {
      code: 'E_SIGNATURE_INVALID',
      of: () => {
        const quorum = decision.quorum as NonNullable<typeof decision.quorum>
        const [one, ...others] = quorum.signatures
        const signatures = [{ ...one, signature: new Uint8Array(64).fill(7) }, ...others]
        return changed(good, { decision: { ...decision, quorum: { ...quorum, signatures } } })
      },
    },
    'another value than was voted for': {
      code: 'E_AGREEMENT_MALFORMED',
      of: () =>
        changed(good, { decision: { ...decision, value: encodeRecoveryValue({ fromEpoch: firstEpoch, seats: [5] }) } }),
    },
    'a value of another form': { of: () => deciding(new Uint8Array([0x80])) },
    'a seat that does not exist': { of: () => set.succession({ seats: [0, 1, 12] }) },
    'a term that begins before the silence is over': { of: () => set.succession({ fromEpoch: firstEpoch - 1 }) },
    'a term that begins in the epoch of the map': { of: () => set.succession({ fromEpoch: set.anchor.epoch }) },
    'a term that begins when nobody holds the map any more': {
      of: () => set.succession({ fromEpoch: set.anchor.epoch + longestSilenceEpochs(set.network.file) + 1 }),
    },
  }
  for (const [name, { code = 'E_SUCCESSION', of }] of Object.entries(REFUSED)) {
    it(`is refused with ${name}`, async () => {
      const succession = of()
      assert.equal(await codeOf(() => verify(succession)), code)
    })
  }

  it('with a made-up map costs one verification, not one of each seat', async () => {
    const { body, signatures } = signedAnchor({ count: 7 })
    const forged = signatures.map(({ signer }) => ({ signer, signature: new Uint8Array(64).fill(7) }))
    const { asked } = signatureWork()
    assert.equal(await codeOf(() => verify(changed(good, { anchor: { body, signatures: forged } }))), 'E_SUCCESSION')
    assert.equal(signatureWork().asked - asked, 1)
  })

  it('with more seats than the file allows is refused by the file’s own network', async () => {
    const few = orphans(4, 30, { committeeSize: 4 })
    assert.equal(verifySuccession(networkOf(few.fixture.network.file), few.succession()).validators.length, 4)
    const succession = few.succession({ seats: [0, 1, 2, 3, 4] })
    assert.equal(await codeOf(() => verifySuccession(networkOf(few.fixture.network.file), succession)), 'E_SUCCESSION')
  })

  it('of a second term is drawn from a map of the first', async () => {
    const network = networkOf(set.fixture.network.file)
    network.begin(verifySuccession(network, set.succession()))
    const next = new Orphans(set.fixture, firstEpoch + 3, network)
    assert.ok(next.electors.members.every(({ member }) => !network.isValidator(member.id)))
    const { number, fromEpoch } = verifySuccession(network, next.succession())
    assert.deepEqual([number, fromEpoch], [2, next.firstEpoch])
    // By the validators of the file, whose time is over.
    const stale = new Orphans(set.fixture, firstEpoch - 1, network)
    assert.equal(await codeOf(() => verifySuccession(network, stale.succession())), 'E_SUCCESSION')
  })

  it('has no entry twice, and proves those between the electors as well', () => {
    const shown = good.entries.map(({ entry }) => entry)
    for (const [at, entry] of shown.entries())
      assert.ok(shown.slice(at + 1).every((other) => !equalBytes(other, entry)))
    assert.equal(shown.length, set.electors.drawn.length)
  })
})
