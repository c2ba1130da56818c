import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compareBytes, toHex } from '@weft/core'
import { SigningKey, sha256, x25519KeyPair } from '@weft/crypto'
import { MapChangesSchema, MapPageSchema, create, encodeMessage } from '@weft/wire'
import { encodeApplication } from '../../src/admission/application.ts'
import { type CertificateBody, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { encodeChallengeAnswer } from '../../src/admission/challenge-answer.ts'
import { challengeNonce } from '../../src/admission/challenge-nonce.ts'
import { burstData } from '../../src/admission/measure/burst-data.ts'
import { encodeShortfall } from '../../src/admission/measure/shortfall.ts'
import { DIALERS, dialersOf } from '../../src/admission/dialers-of.ts'
import type { EntryList } from '../../src/map/entry-list.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import { encodeMapBody } from '../../src/map/map-body.ts'
import { mapRoot, verifyEntries } from '../../src/map/map-entries.ts'
import { MapHistory, changedKeys } from '../../src/map/map-history.ts'
import { packMessage } from '../../src/map/packed-message.ts'
import { leaderOf } from '../../src/map/proposal-checks.ts'
import { answerSubtrees } from '../../src/map/subtree-question.ts'
import { networkOf } from '../../src/network/network.ts'
import { type SimulatedPlace, parseNetworkFile } from '../../src/network/network-file.ts'
import { NO_BEACON } from '../fixtures.ts'

/**
 * Writes admission.json, map.json and map-exchange.json: `node generate-membership.ts`; after it generate-agreement.ts,
 * generate-terms.ts and generate-lookup.ts. The nodes are those of network-file.json, seeds 32 times 1 to 5, of which four are validators.
 */
const read = <T>(name: string): T => JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as T
const write = (name: string, value: object): void =>
  writeFileSync(join(import.meta.dirname, name), `${JSON.stringify(value, undefined, 2)}\n`)
const network = networkOf(parseNetworkFile(JSON.stringify(read<{ file: object }>('network-file.json').file)))
const keys = [1, 2, 3, 4, 5].map((byte) => new SigningKey(new Uint8Array(32).fill(byte)))
const [first, , , , applicant] = keys as [SigningKey, SigningKey, SigningKey, SigningKey, SigningKey]
const EPOCH = 7
const BEGIN = network.file.createdAt + EPOCH * network.file.mapEpochMs

function bodyOf(key: SigningKey, index: number): CertificateBody {
  const place = network.file.simulated?.[key.id] as SimulatedPlace
  const isValidator = network.isValidator(key.id)
  return {
    network: network.id,
    key: key.publicKey,
    id: key.id,
    roles: isValidator ? ['validator', 'storage'] : ['storage', 'entry', 'relay'],
    addresses: [`/ip4/127.0.0.1/tcp/${20_000 + index}`],
    family: place.family,
    region: place.region,
    country: place.country,
    asn: place.asn,
    diversityAddress: place.address,
    simulated: true,
    issuedEpoch: EPOCH,
    expiresAt: BEGIN + network.file.certificateTtlMs,
    packets: isValidator
      ? undefined
      : {
          addresses: ['/ip4/127.0.0.1/udp/20006'],
          linkKey: x25519KeyPair(new Uint8Array(32).fill(21)).publicKey,
          onionKey: x25519KeyPair(new Uint8Array(32).fill(22)).publicKey,
        },
    position: undefined,
    beaconKey: undefined,
    measured: undefined,
    resources: undefined,
  }
}

function signed(key: SigningKey, purpose: 'application' | 'challenge', payload: Uint8Array): object {
  const signature = key.sign(purpose, payload)
  return { payload: toHex(payload), signer: toHex(key.publicKey), signature: toHex(signature) }
}

function signatures(purpose: 'vote' | 'map', bytes: Uint8Array): object[] {
  return keys
    .slice(0, 3)
    .map((key) => ({ signer: toHex(key.publicKey), signature: toHex(key.sign(purpose, bytes)) }))
}

const bodies = keys.map(bodyOf)
const body = bodies[4] as CertificateBody
const bodyBytes = encodeCertificateBody(body)
const nonce = new Uint8Array(16).fill(9)
const burstSeed = Uint8Array.from({ length: 32 }, (_, at) => at)
write('admission.json', {
  description:
    'Admission of the fifth node of network-file.json, an entry and relay that stores; seeds are 32 times the byte 1 to 5, the secrets of its link and onion key 32 times 21 and 22 (docs/specs/admission.md).',
  network: network.id,
  applicant: applicant.id,
  body: toHex(bodyBytes),
  certificateHash: toHex(sha256(bodyBytes)),
  application: signed(
    applicant,
    'application',
    encodeApplication({ bodyBytes, time: BEGIN + 1_000, nonce, proof: undefined }),
  ),
  challengeAnswer: signed(
    applicant,
    'challenge',
    encodeChallengeAnswer({
      nonce: new Uint8Array(32).fill(8),
      validator: first.publicKey,
      address: body.addresses[0] as string,
      time: BEGIN + 1_100,
    }),
  ),
  // In place of a vote, by a validator that measured 12 of 50 Mbit/s and a loss of 2,500 of a million.
  shortfall: toHex(
    encodeShortfall({ bandwidthMbps: 12, lossPpm: 2_500, storageBytes: undefined, availabilityPpm: undefined }),
  ),
  votes: signatures('vote', bodyBytes),
  // A piece of a burst from the applicant, and what it answers when it is sent these bytes.
  burst: {
    seed: toHex(burstSeed),
    data: toHex(burstData(burstSeed, 48)),
    answer: toHex(sha256(burstData(burstSeed, 48))),
  },
  // Which members dial a host for the first validator, were there forty of them.
  challengeNonce: {
    application: toHex(new Uint8Array(16).fill(3)),
    drawn: toHex(new Uint8Array(16).fill(4)),
    nonce: toHex(challengeNonce({ bytes: () => new Uint8Array(16).fill(4) }, new Uint8Array(16).fill(3))),
  },
  dialers: {
    network: network.id,
    epoch: EPOCH,
    validator: toHex(first.publicKey),
    host: '198.51.100.7',
    members: 40,
    drawn: Object.fromEntries(
      keys.map(({ publicKey: member }) => [
        toHex(member),
        dialersOf(
          { network: network.id, epoch: EPOCH, validator: first.publicKey, host: '198.51.100.7' },
          40,
          DIALERS,
        )(member),
      ]),
    ),
  },
})

const byKey = (list: readonly CertificateBody[]): Uint8Array[] =>
  list.toSorted((a, b) => compareBytes(a.key, b.key)).map(encodeCertificateBody)
const entries = byKey(bodies)
const root = mapRoot(entries)
const beacon = { epoch: EPOCH, value: new Uint8Array(32).fill(0xbe), previous: EPOCH - 2 }
const inputs = new Uint8Array(32).fill(0x1b)
const map = { network: network.id, root, count: entries.length, placed: 0, beacon, inputs }
const mapBody = encodeMapBody({ ...map, epoch: EPOCH + 1, signedAt: BEGIN + network.file.mapEpochMs + 3 })
write('map.json', {
  description:
    'A map of the five nodes of network-file.json in epoch 8, whose turn is the first validator (docs/specs/map.md).',
  network: network.id,
  leader: leaderOf(network, EPOCH + 1),
  entries: entries.map(toHex),
  root: toHex(root),
  body: toHex(mapBody),
  signatures: signatures('map', mapBody),
})

// The map before: the second validator had an older certificate, and a node that is gone stood in place of the first.
const gone = { ...(bodies[0] as CertificateBody), key: new Uint8Array(32).fill(0x8b) }
const beforeEntries = byKey([gone, { ...(bodies[1] as CertificateBody), issuedEpoch: 3 }, ...bodies.slice(2)])
const listOf = (list: readonly Uint8Array[], known?: EntryList): EntryList =>
  atOnce(
    verifyEntries({ network: network.id, epoch: 8, root: mapRoot(list), count: list.length, signedAt: 0, ...NO_BEACON }, list, known),
  )
const before = listOf(beforeEntries)
const after = listOf(entries, before)
const history = new MapHistory()
history.note(before.root, changedKeys(before, after), after.count)
const told = history.changes(before.root, after)
if (told === undefined) throw new Error('the history does not know its own step')
const changes = { removed: [...told.removed], entries: [...told.entries] }
const start = (question: { level: number; below: number; nodes: number[] }): object => {
  const { hashes, starts } = answerSubtrees(after, question)
  return { ...question, hashes: toHex(hashes), starts: starts.map(toHex) }
}
write('map-exchange.json', {
  description:
    'How the entries of the map of map.json get around (docs/specs/map.md, Spreading it). A frame may be packed otherwise and say the same.',
  root: toHex(root),
  page: {
    message: toHex(encodeMessage(MapPageSchema, create(MapPageSchema, { entries }))),
    packed: toHex(packMessage(MapPageSchema, { entries })),
  },
  changes: {
    beforeEntries: beforeEntries.map(toHex),
    from: toHex(before.root),
    message: toHex(encodeMessage(MapChangesSchema, create(MapChangesSchema, changes))),
    packed: toHex(packMessage(MapChangesSchema, changes)),
  },
  subtrees: [start({ level: 3, below: 1, nodes: [0] }), start({ level: 1, below: 0, nodes: [0, 2] })],
})
