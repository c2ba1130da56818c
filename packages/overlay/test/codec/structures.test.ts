import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode } from '@ipld/dag-cbor'
import fc from 'fast-check'
import { WeftError } from '@weft/core'
import { toDidKey } from '@weft/crypto'
import {
  type AdmissionProof,
  MAX_ADMISSION_PROOF,
  decodeAdmissionProof,
  encodeAdmissionProof,
} from '../../src/admission/admission-proof.ts'
import { decodeApplication, encodeApplication } from '../../src/admission/application.ts'
import {
  type CertificateBody,
  MAX_CERTIFICATE_BODY,
  decodeCertificateBody,
  encodeCertificateBody,
} from '../../src/admission/certificate-body.ts'
import { decodeChallengeAnswer, encodeChallengeAnswer } from '../../src/admission/challenge-answer.ts'
import {
  type Invitation,
  INVITED_ROLES,
  MAX_INVITATION,
  MAX_USES,
  decodeInvitation,
  encodeInvitation,
} from '../../src/invitation/invitation.ts'
import { decodeMapBody, encodeMapBody } from '../../src/map/map-body.ts'
import { ROLES } from '../../src/member.ts'
import { NO_BEACON, testNetwork } from '../fixtures.ts'
import { anyResources, largestResources } from '../resources/any-resources.ts'

const network = testNetwork(1, 0).network.id
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const time = fc.integer({ min: 0, max: 8.64e15 })
const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/)
const address = fc
  .tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `/ip4/${host}/tcp/${port}`)

const packetAddress = fc
  .tuple(fc.constantFrom('ip4/192.0.2.7', 'ip4/0.0.0.0', 'ip6/2001:db8::7'), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `/${host}/udp/${port}`)
const agreementKey = bytes(32).filter((key) => key.some((byte) => byte !== 0))
const packets = fc
  .record({
    addresses: fc.uniqueArray(packetAddress, { minLength: 1, maxLength: 4 }),
    linkKey: agreementKey,
    onionKey: agreementKey,
  })
  .map((fields) => ({ ...fields }))

const plain = <T extends object>(fields: T): T => ({ ...fields })
const optional = <T>(field: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(field, { nil: undefined })
const figure = (max: number) => optional(fc.integer({ min: 0, max }))
const measured = fc
  .record({
    bandwidthMbps: figure(1e6),
    lossPpm: figure(1e6),
    storageBytes: figure(2 ** 50),
    availabilityPpm: figure(1e6),
  })
  .filter((figures) => Object.values(figures).some((each) => each !== undefined))
  .map(plain)

const body: fc.Arbitrary<CertificateBody> = fc
  .record({
    network: fc.constant(network),
    key: bytes(32),
    roles: fc.uniqueArray(fc.constantFrom(...ROLES.slice(1)), { minLength: 1 }),
    addresses: fc.uniqueArray(address, { minLength: 1, maxLength: 8 }),
    family: name,
    region: name,
    country: fc.stringMatching(/^[A-Z]{2}$/),
    asn: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    diversityAddress: fc.oneof(fc.ipV4(), fc.constant('2001:db8::1')),
    simulated: fc.boolean(),
    issuedEpoch: fc.integer({ min: 0, max: 2 ** 40 }),
    expiresAt: time,
    packets: fc.option(packets, { nil: undefined }),
    position: optional(fc.record({ epoch: fc.integer({ min: 0, max: 2 ** 40 }), value: bytes(32) }).map(plain)),
    beaconKey: optional(fc.record({ publicKey: bytes(32), proof: bytes(64) }).map(plain)),
    measured: optional(measured),
    resources: optional(anyResources),
  })
  .map((fields) => ({ ...fields, id: toDidKey(fields.key) }))

const role = fc.constantFrom(...INVITED_ROLES)
const invitation: fc.Arbitrary<Invitation> = fc
  .record({
    network: fc.constant(network),
    key: bytes(32),
    roles: fc.uniqueArray(role, { minLength: 1 }),
    uses: fc.integer({ min: 1, max: MAX_USES }),
    expiresAt: time,
    node: fc.option(bytes(32), { nil: undefined }),
  })
  .map((fields) => ({ ...fields }))
const proof: fc.Arbitrary<AdmissionProof> = fc.oneof(
  fc
    .record({
      payload: fc.uint8Array({ minLength: 1, maxLength: 256 }),
      signer: bytes(32),
      signature: bytes(64),
      use: bytes(64),
    })
    .map(({ use, ...envelope }) => ({ way: 'invite' as const, envelope, use })),
  fc.uint8Array({ minLength: 1, maxLength: 1008 }).map((content) => ({ way: 'stake' as const, bytes: content })),
)

interface Codec {
  readonly name: string
  readonly values: fc.Arbitrary<unknown>
  readonly encode: (value: never) => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
}

const CODECS: Codec[] = [
  { name: 'certificate body', values: body, encode: encodeCertificateBody, decode: decodeCertificateBody },
  {
    name: 'application',
    values: fc
      .record({ body, time, nonce: bytes(16), proof: fc.option(proof, { nil: undefined }) })
      .map((fields) => ({ ...fields, bodyBytes: encodeCertificateBody(fields.body) })),
    encode: encodeApplication,
    decode: decodeApplication,
  },
  {
    name: 'challenge answer',
    values: fc.record({ nonce: bytes(32), validator: bytes(32), address, time }),
    encode: encodeChallengeAnswer,
    decode: decodeChallengeAnswer,
  },
  { name: 'invitation', values: invitation, encode: encodeInvitation, decode: decodeInvitation },
  {
    name: 'map body',
    values: fc
      .record({
        network: fc.constant(network),
        epoch: fc.integer({ min: 2, max: 2 ** 40 }),
        root: bytes(32),
        count: fc.integer({ min: 1, max: 100_000 }),
        signedAt: time,
        placed: fc.double({ min: 0, max: 1, noNaN: true }),
        beacon: fc.option(fc.record({ value: bytes(32), hangsOn: fc.integer({ min: -1, max: 0 }) }), {
          nil: undefined,
        }),
        inputs: fc.option(bytes(32), { nil: undefined }),
      })
      .map(({ beacon, placed, ...fields }) => ({
        ...fields,
        placed: Math.floor(placed * fields.count),
        beacon:
          beacon === undefined ? undefined : { epoch: fields.epoch - 1, value: beacon.value, previous: beacon.hangsOn },
      })),
    encode: encodeMapBody,
    decode: decodeMapBody,
  },
]

/** Decodes; only an error of ours is an answer. */
function refusedOrNot(codec: Codec, input: Uint8Array): boolean {
  try {
    codec.decode(input)
    return false
  } catch (error) {
    if (error instanceof WeftError) return true
    throw error
  }
}

for (const codec of CODECS) {
  test(`${codec.name}: what is encoded is decoded, and encoded again to the same bytes`, () => {
    fc.assert(
      fc.property(codec.values, (value) => {
        const encoded = codec.encode(value as never)
        const decoded = codec.decode(encoded)
        assert.deepEqual(decoded, { ...(value as object) })
        assert.deepEqual(codec.encode(decoded as never), encoded)
      }),
    )
  })

  test(`${codec.name}: cut, lengthened, changed or wholly made-up bytes are refused or mean what they say`, () => {
    fc.assert(
      fc.property(codec.values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, where, flip) => {
        const encoded = codec.encode(value as never)
        assert.ok(refusedOrNot(codec, encoded.subarray(0, where % encoded.length)), 'cut')
        assert.ok(refusedOrNot(codec, Uint8Array.of(...encoded, 0)), 'lengthened')
        const changed = encoded.slice()
        changed[where % encoded.length] = (changed[where % encoded.length] as number) ^ flip
        if (!refusedOrNot(codec, changed)) assert.deepEqual(codec.encode(codec.decode(changed) as never), changed)
      }),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (input) => void refusedOrNot(codec, input)),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(fc.jsonValue(), (value) => assert.ok(refusedOrNot(codec, encode(value as never)))),
      { numRuns: 200 },
    )
  })

  test(`${codec.name}: one field more, one less, or another version is refused`, () => {
    fc.assert(
      fc.property(codec.values, (value) => {
        const tuple = decode<unknown[]>(codec.encode(value as never))
        assert.ok(refusedOrNot(codec, encode([...tuple, 0])))
        assert.ok(refusedOrNot(codec, encode(tuple.slice(0, -1))))
        for (const version of [0, 1, 2, 3, 4]) {
          if (version !== tuple[0]) assert.ok(refusedOrNot(codec, encode([version, ...tuple.slice(1)])))
        }
      }),
      { numRuns: 30 },
    )
  })
}

test('a proof of admission is read as it was written; cut, changed and made-up bytes are refused or mean what they say', () => {
  const codec = { name: 'proof', values: proof, encode: encodeAdmissionProof, decode: decodeAdmissionProof }
  fc.assert(
    fc.property(proof, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, where, flip) => {
      const encoded = encodeAdmissionProof(value)
      assert.ok(encoded.length <= MAX_ADMISSION_PROOF)
      assert.deepEqual(decodeAdmissionProof(encoded), value)
      assert.ok(refusedOrNot(codec, encoded.subarray(0, where % encoded.length)), 'cut')
      const changed = encoded.slice()
      changed[where % encoded.length] = (changed[where % encoded.length] as number) ^ flip
      if (!refusedOrNot(codec, changed)) assert.deepEqual(encodeAdmissionProof(decodeAdmissionProof(changed)), changed)
    }),
    { numRuns: 300 },
  )
  fc.assert(fc.property(fc.anything(), (value) => void refusedOrNot(codec, new Uint8Array(encodable(value)))))
  for (const field of [null, [], ['open'], ['stake', new Uint8Array(0)], ['stake', new Uint8Array(1009)]])
    assert.ok(refusedOrNot(codec, encode(field)), String(field))
})

function encodable(value: unknown): Uint8Array {
  try {
    return encode(value as never)
  } catch {
    return new Uint8Array()
  }
}

test('the largest invitation fits its limit; one for a client, or for nobody, is refused', () => {
  const largest = {
    network,
    key: new Uint8Array(32),
    roles: INVITED_ROLES,
    uses: MAX_USES,
    expiresAt: 8.64e15,
    node: new Uint8Array(32),
  }
  assert.ok(encodeInvitation(largest).length <= MAX_INVITATION)
  assert.deepEqual(decodeInvitation(encodeInvitation(largest)), largest)
  for (const change of [{ roles: [] }, { roles: ['client'] }, { uses: 0 }, { uses: MAX_USES + 1 }])
    assert.throws(() => decodeInvitation(encodeInvitation({ ...largest, ...change } as Invitation)), {
      code: 'E_INVITE_MALFORMED',
    })
})

test('an application of version 1 is refused as what it is', () => {
  const bodyBytes = encodeCertificateBody(fc.sample(body, { numRuns: 1, seed: 1 })[0] as CertificateBody)
  assert.throws(() => decodeApplication(encode([1, bodyBytes, 0, new Uint8Array(16)])), {
    code: 'E_APPLICATION_MALFORMED',
    cause: /version 1, which had no place for an invitation/,
  })
})

test('the largest certificate body fits its limit', () => {
  const addresses = Array.from(
    { length: 8 },
    (_, index) => `/ip6/2001:1db8:aaaa:bbbb:cccc:dddd:eeee:${1000 + index}/tcp/65535/ws`,
  )
  const encoded = encodeCertificateBody({
    network,
    key: new Uint8Array(32),
    id: toDidKey(new Uint8Array(32)),
    roles: ROLES.slice(1),
    addresses,
    family: 'f'.repeat(64),
    region: 'r'.repeat(32),
    country: 'CH',
    asn: 2 ** 32 - 1,
    diversityAddress: '2001:1db8:aaaa:bbbb:cccc:dddd:eeee:ffff',
    simulated: false,
    issuedEpoch: 2 ** 40,
    expiresAt: 8.64e15,
    packets: {
      addresses: [1, 2, 3, 4].map((last) => `/ip6/2001:1db8:aaaa:bbbb:cccc:dddd:eeee:${last}fff/udp/65535`),
      linkKey: new Uint8Array(32).fill(255),
      onionKey: new Uint8Array(32).fill(255),
    },
    position: { epoch: 2 ** 40, value: new Uint8Array(32) },
    beaconKey: { publicKey: new Uint8Array(32), proof: new Uint8Array(64) },
    measured: { bandwidthMbps: 1e6, lossPpm: 1e6, storageBytes: 2 ** 50, availabilityPpm: 1e6 },
    resources: largestResources({ network, key: new Uint8Array(32), expiresAt: 8.64e15 }),
  })
  assert.ok(encoded.length <= MAX_CERTIFICATE_BODY, `${encoded.length} bytes`)
  assert.equal(decodeCertificateBody(encoded).addresses.length, 8)
})

/** A body whose field at this place is this. */
function withField(at: number, field: unknown): Uint8Array {
  const tuple = decode<unknown[]>(encodeCertificateBody(fc.sample(body, { numRuns: 1, seed: 1 })[0] as CertificateBody))
  return encode(tuple.with(at, field))
}

const withPackets = (field: unknown): Uint8Array => withField(13, field)

test('packets of a certificate body: none, or addresses in their one spelling and two keys', () => {
  const key = new Uint8Array(32).fill(7)
  const udp = '/ip4/192.0.2.7/udp/4782'
  assert.deepEqual(decodeCertificateBody(withPackets([[udp], key, key])).packets, {
    addresses: [udp],
    linkKey: key,
    onionKey: key,
  })
  assert.equal(decodeCertificateBody(withPackets(null)).packets, undefined)
  for (const [field, why] of [
    [[], /packets must be a list of 3/],
    [[[udp], key], /packets must be a list of 3/],
    [[[udp], key, key, null], /packets must be a list of 3/],
    [[udp, key, key], /packets\.addresses must be a list of 1 to 4/],
    [[[], key, key], /packets\.addresses must be a list of 1 to 4/],
    [[[1, 2, 3, 4, 5].map((port) => `/ip4/192.0.2.7/udp/${port}`), key, key], /packets\.addresses must be a list/],
    [[[udp, udp], key, key], /packets\.addresses names an item twice/],
    [[['/ip4/192.0.2.7/tcp/4782'], key, key], /packets\.addresses\[0\] must be an address like \/ip4/],
    [[[udp], key.subarray(1), key], /packets\.linkKey must be 32 bytes/],
    [[[udp], key, 'key'], /packets\.onionKey must be 32 bytes/],
    [[[udp], new Uint8Array(32), key], /packets\.linkKey is all zeros/],
    [[[udp], key, new Uint8Array(32)], /packets\.onionKey is all zeros/],
    [false, /packets must be a list of 3/],
  ] as const) {
    assert.throws(() => decodeCertificateBody(withPackets(field)), { code: 'E_CERTIFICATE_MALFORMED', cause: why })
  }
})

test('position, beacon key, measures and resources of a certificate body: none, or what fits', () => {
  const key = new Uint8Array(32).fill(7)
  for (const [at, field, why] of [
    [14, [], /position must be a list of 2/],
    [14, [-1, key], /position\.epoch must be a whole number/],
    [14, [1, key.subarray(1)], /position\.value must be 32 bytes/],
    [15, [key], /beaconKey must be a list of 2/],
    [15, [key.subarray(1), new Uint8Array(64)], /beaconKey\.publicKey must be 32 bytes/],
    [15, [key, key], /beaconKey\.proof must be 64 bytes/],
    [16, [1, 2, 3], /measured must be a list of 4/],
    [16, [null, null, null, null], /measured must be null or name a figure/],
    [16, [-1, null, null, null], /measured\.bandwidthMbps must be a whole number/],
    [16, [null, 1_000_001, null, null], /measured\.lossPpm must be a whole number/],
    [16, [null, null, 0.5, null], /measured\.storageBytes must be a whole number/],
    [16, [null, null, null, '1'], /measured\.availabilityPpm must be a whole number/],
    [17, [], /resources must be a list of 5/],
  ] as const) {
    assert.throws(() => decodeCertificateBody(withField(at, field)), { code: 'E_CERTIFICATE_MALFORMED', cause: why })
  }
  for (const at of [14, 15, 16, 17]) assert.doesNotThrow(() => decodeCertificateBody(withField(at, null)))
})

test('a body of version 1 or 2 is refused as what it is', () => {
  const tuple = decode<unknown[]>(withPackets(null))
  for (const [version, fields] of [
    [1, 13],
    [2, 14],
  ] as const) {
    assert.throws(() => decodeCertificateBody(encode([version, ...tuple.slice(1, fields)])), {
      code: 'E_CERTIFICATE_MALFORMED',
      cause: /it is of version [12], which did not say what was measured of a node; this is version 3/,
      fix: /update the older of the two sides/,
    })
  }
})

test('nesting as deep as fits is refused, not a crash', () => {
  const deep = new Uint8Array(MAX_CERTIFICATE_BODY).fill(0x81)
  assert.throws(() => decodeCertificateBody(deep), WeftError)
})

test('dag-cbor in another than its canonical form is refused', () => {
  // 24 written in two bytes in place of one where one is enough: the same value in other bytes.
  const canonical = encodeMapBody({ network, epoch: 5, root: new Uint8Array(32), count: 1, signedAt: 1, ...NO_BEACON })
  const at = canonical.indexOf(5, 2 + 33)
  const longer = Uint8Array.of(...canonical.subarray(0, at), 0x18, 5, ...canonical.subarray(at + 1))
  assert.throws(() => decodeMapBody(longer), /E_MAP_MALFORMED/)
})
