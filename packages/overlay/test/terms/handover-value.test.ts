import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toDidKey } from '@weft/crypto'
import { MAX_SUCCESSION, ProvenEntrySchema, SuccessionSchema, create, decodeMessage, encodeMessage } from '@weft/wire'
import { encodeCanonical } from '../../src/codec/canonical-cbor.ts'
import { networkOf } from '../../src/network/network.ts'
import { seatsDue } from '../../src/terms/handover-seats.ts'
import {
  type HandoverValue,
  decodeHandoverValue,
  encodeHandoverValue,
  handoverSet,
  mostEntering,
  termAfterHandover,
} from '../../src/terms/handover-value.ts'
import { verifySuccession } from '../../src/terms/succession.ts'
import { termOf } from '../../src/terms/term.ts'
import { bodyOf, codeOf } from '../fixtures.ts'
import { VALIDATORS, decide, handoverFixture, listOf, seatedMapOf, successionOf } from './handover-scene.ts'

const fixture = handoverFixture()
const { network } = fixture
const ALL = Array.from({ length: 12 }, (_, index) => index)
const list = seatedMapOf(listOf(fixture, 5, ALL))
const gone = fixture.keys[3]?.id
const due = seatsDue(network.file, network.term, list, (id) => id === gone)
assert.ok(due !== undefined)
const value: HandoverValue = { ...due, rotates: false, anchorEpoch: 5, fromEpoch: 8 }

const seat = fc
  .record({
    id: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toDidKey),
    addresses: fc.uniqueArray(
      fc.integer({ min: 1, max: 65_535 }).map((port) => `/ip4/192.0.2.1/tcp/${port}`),
      { minLength: 1, maxLength: 8 },
    ),
    family: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
  })
  .map((fields) => ({ ...fields }))
const epoch = fc.integer({ min: 0, max: 2 ** 40 })
const values: fc.Arbitrary<HandoverValue> = fc
  .record({
    rotates: fc.boolean(),
    fromEpoch: epoch,
    anchorEpoch: epoch,
    leaving: fc
      .uniqueArray(fc.integer({ min: 0, max: 63 }), { maxLength: 21 })
      .map((some) => some.toSorted((a, b) => a - b)),
    entering: fc.array(seat, { minLength: 1, maxLength: 21 }),
  })
  .map((fields) => ({ ...fields }))

describe('what validators agree on', () => {
  it('is read as it was written', () => {
    fc.assert(fc.property(values, (one) => assert.deepEqual(decodeHandoverValue(encodeHandoverValue(one)), one)))
  })

  it('is refused with E_SUCCESSION, or has one form', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([at, byte]) => {
        const spoilt = encodeHandoverValue(value)
        spoilt[at % spoilt.length] = byte
        return spoilt
      }),
    )
    fc.assert(
      fc.property(bytes, (one) => {
        try {
          assert.deepEqual(encodeHandoverValue(decodeHandoverValue(one)), one)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'E_SUCCESSION')
        }
      }),
      { numRuns: 500 },
    )
  })

  const key = new Uint8Array(32).fill(7)
  const one = [key, ['/ip4/192.0.2.1/tcp/1'], 'f']
  const REFUSED: Record<string, unknown> = {
    'another kind': [3, 8, 5, [], [one]],
    'nobody who enters': [1, 8, 5, [3], []],
    'too many who enter': [1, 8, 5, [3], Array.from({ length: 22 }, () => one)],
    'a seat without an address': [1, 8, 5, [3], [[key, [], 'f']]],
    'a relayed address': [1, 8, 5, [3], [[key, ['/p2p/x/p2p-circuit'], 'f']]],
    'a family that is none': [1, 8, 5, [3], [[key, ['/ip4/192.0.2.1/tcp/1'], '']]],
    'a place twice': [1, 8, 5, [3, 3], [one]],
    'a place of nobody': [1, 8, 5, [64], [one]],
    'too few parts': [1, 8, 5, [3]],
  }
  for (const [name, tuple] of Object.entries(REFUSED)) {
    it(`is refused with ${name}`, async () => {
      assert.equal(await codeOf(() => decodeHandoverValue(encodeCanonical(tuple))), 'E_SUCCESSION')
    })
  }
})

describe('the term behind it', () => {
  it('has those who stay in their order, then those who enter', () => {
    const next = termAfterHandover(network, network.term, value)
    assert.deepEqual(
      next.validators.map(({ id }) => id),
      [...fixture.keys.slice(0, 3).map(({ id }) => id), due.entering[0]?.id],
    )
    assert.deepEqual([next.number, next.fromEpoch], [1, 8])
  })

  const [entering] = due.entering
  assert.ok(entering !== undefined)
  const other = { ...entering, id: fixture.keys[11]?.id ?? entering.id }
  const REFUSED: Record<string, Partial<HandoverValue>> = {
    'begins with the map by which it was drawn': { fromEpoch: 5 },
    'loses more than may be down': { leaving: [2, 3], entering: [entering, other] },
    'gains more than may lie': { entering: [entering, other] },
    'has fewer seats': { leaving: [3], entering: [] },
    'seats somebody twice': { leaving: [3], entering: [{ ...entering, id: fixture.keys[0]?.id ?? entering.id }] },
    'unseats somebody and seats it again': {
      leaving: [3],
      entering: [{ ...entering, id: fixture.keys[3]?.id ?? entering.id }],
    },
    'unseats nobody that is there': { leaving: [9] },
  }
  for (const [name, change] of Object.entries(REFUSED)) {
    it(`is refused when it ${name}`, async () => {
      assert.equal(
        await codeOf(() => termAfterHandover(network, network.term, { ...value, ...change })),
        'E_SUCCESSION',
      )
    })
  }
})

describe('who gets a seat', () => {
  it('keeps the limits, never loses a seat, and is the same for everyone, whoever is there', () => {
    const scene = fc.record({
      there: fc.subarray(ALL, { minLength: 1 }),
      away: fc.subarray([0, 1, 2, 3]),
      seats: fc.integer({ min: 4, max: 9 }),
    })
    fc.assert(
      fc.property(scene, ({ there, away, seats }) => {
        const map = seatedMapOf(listOf(fixture, 5, there))
        const lapsed = new Set(away.map((index) => fixture.keys[index]?.id))
        const find = () => seatsDue({ seats }, network.term, map, (id) => lapsed.has(id))
        const found = find()
        assert.deepEqual(found, find())
        if (found === undefined) return
        const next = termAfterHandover(network, network.term, {
          ...found,
          rotates: false,
          anchorEpoch: 5,
          fromEpoch: 8,
        })
        assert.ok(next.validators.length >= VALIDATORS && next.validators.length <= seats)
        assert.ok(found.entering.length <= mostEntering(VALIDATORS) && found.leaving.length <= found.entering.length)
        for (const { id } of found.entering) {
          const member = map.member(id)
          assert.ok(member?.roles.includes('validator') && !network.isValidator(id))
        }
      }),
    )
  })

  it('is nobody whose family or network has two seats already', () => {
    const family = bodyOf(fixture, 0).family
    const { validators } = network.term
    const crowded = termOf({ ...network.term, validators: validators.map((each) => ({ ...each, family })) })
    const members = list.members.map((member) => ({ ...member, family }))
    const own = { seed: list.seed, members, member: (id: string) => members.find((one) => one.id === id) }
    const find = () => seatsDue({ seats: 9 }, crowded, own, () => false)
    assert.equal(find(), undefined)
    const others = { ...own, members: members.map((member) => ({ ...member, family: member.id.slice(-8) })) }
    assert.ok(seatsDue({ seats: 9 }, crowded, others, () => false) !== undefined)
  })
})

describe('a handover that is told', () => {
  const bytes = encodeHandoverValue(value)
  const told = (places: readonly number[], of = bytes) => successionOf(fixture, decide(fixture, of, places))
  const verify = (succession: Parameters<typeof verifySuccession>[1]) =>
    verifySuccession(networkOf(network.file), succession)

  it('is believed by whoever has the network file, from its bytes', () => {
    const wire = encodeMessage(SuccessionSchema, told([0, 1, 2]))
    const term = verify(decodeMessage(SuccessionSchema, wire, MAX_SUCCESSION))
    assert.deepEqual(term, termAfterHandover(network, network.term, value))
  })

  it('is refused when too few decided it, when it was decided elsewhere, or about another term', async () => {
    assert.equal(await codeOf(() => verify(told([0, 1]))), 'E_AGREEMENT_MALFORMED')
    const elsewhere = handoverSet(network, termOf({ ...network.term, number: 1 }))
    const certificate = decide(fixture, bytes, [0, 1, 2], elsewhere)
    assert.equal(await codeOf(() => verify(successionOf(fixture, certificate))), 'E_AGREEMENT_MALFORMED')
    assert.equal(
      await codeOf(() => verify(create(SuccessionSchema, { ...told([0, 1, 2]), number: 2 }))),
      'E_SUCCESSION',
    )
    const entries = [create(ProvenEntrySchema, { entry: new Uint8Array(3) })]
    assert.equal(await codeOf(() => verify(create(SuccessionSchema, { ...told([0, 1, 2]), entries }))), 'E_SUCCESSION')
    assert.equal(await codeOf(() => verify(told([0, 1, 2], new Uint8Array([1])))), 'E_SUCCESSION')
  })

  it('is refused with a signature that does not hold', async () => {
    const certificate = decide(fixture, bytes, [0, 1, 2])
    certificate.quorum.signatures.get(1)?.fill(1)
    assert.equal(await codeOf(() => verify(successionOf(fixture, certificate))), 'E_SIGNATURE_INVALID')
  })
})
