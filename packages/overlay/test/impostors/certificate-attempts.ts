import { type Random, randomInt, shuffled } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { CertificateSchema, type Signature, create, encodeMessage } from '@weft/wire'
import { type CertificateBody, encodeCertificateBody } from '../../src/admission/certificate-body.ts'
import { BEGIN, EPOCH } from '../fixtures.ts'
import type { Attempt } from './doors.ts'
import { HELD, type ImpostorScene, SECOND_TERM } from './impostor-scene.ts'
import { mutateBytes } from './mutate-bytes.ts'

type Votes = readonly Pick<Signature, 'signer' | 'signature'>[]

/** Certificates that a validator must not take: the kinds of an attacker who has what `ImpostorScene` says. */
export const CERTIFICATE_ATTEMPTS: Readonly<Record<string, (scene: ImpostorScene) => Attempt>> = {
  'forged: votes of nobody, in the name of validators': (scene) => {
    const body = scene.impostor()
    return sent(body, namedVotes(scene, scene.strangeKey(), body))
  },
  'forged: votes of the hostile validators, doubled, and of strangers': (scene) => {
    const body = scene.impostor()
    return sent(body, fewVotes(scene, body))
  },
  'forged: votes taken from other certificates': (scene) => {
    const body = scene.impostor()
    const votes = [...scene.certificates, scene.newcomer].flatMap((other) => other.votes)
    return sent(body, [...shuffled(scene.random, votes).slice(0, 3), ...votesOf(scene.hostile, body)])
  },
  'forged: signatures for another purpose': (scene) => {
    const body = scene.impostor()
    const bytes = encodeCertificateBody(body)
    const purpose = (['map', 'revoke', 'lease', 'agreement-vote'] as const)[randomInt(scene.random, 4)] ?? 'map'
    const signed = scene.quorum.map((key) => ({ signer: key.publicKey, signature: key.sign(purpose, bytes) }))
    return sent(body, [...signed, ...votesOf(scene.hostile, body)])
  },
  'forged: by all validators of the term before, as of now': (scene) => {
    const issuedEpoch = between(scene.random, SECOND_TERM, HELD)
    const body = scene.impostor({ issuedEpoch, ...expiry(scene, issuedEpoch) })
    return sent(body, votesOf([...scene.former, ...scene.hostile], body))
  },
  'forged: by all validators of the term before, for longer than they may': (scene) => {
    const issuedEpoch = between(scene.random, 0, SECOND_TERM - 1)
    const body = scene.impostor({ issuedEpoch, expiresAt: scene.now + 1 + randomInt(scene.random, 86_400_000) })
    return sent(body, votesOf(scene.former, body))
  },
  'expired: once certified': (scene) => {
    const issuedEpoch = between(scene.random, SECOND_TERM, HELD - 86_400_000 / EPOCH - 2)
    const body = scene.impostor({ issuedEpoch, ...expiry(scene, issuedEpoch) })
    return sent(body, votesOf(scene.quorum, body))
  },
  'expired: once certified, the end put off': (scene) => {
    const issuedEpoch = between(scene.random, SECOND_TERM, HELD - 86_400_000 / EPOCH - 2)
    const body = scene.impostor({ issuedEpoch, ...expiry(scene, issuedEpoch) })
    const late = expiry(scene, HELD)
    return sent({ ...body, issuedEpoch: HELD, ...late }, [
      ...votesOf(scene.quorum, body),
      ...votesOf(scene.hostile, { ...body, issuedEpoch: HELD, ...late }),
    ])
  },
  'replayed: one that the member has renewed since': (scene) => {
    const issuedEpoch = between(scene.random, HELD - 10_000, HELD - 1_000)
    const body = scene.body('members', { issuedEpoch }, 1)
    return sent(body, votesOf(scene.quorum, body))
  },
  'replayed: of a node that was ejected': (scene) => {
    const body = scene.body('ejected', { issuedEpoch: between(scene.random, HELD - 10_000, HELD) })
    return sent(body, votesOf(scene.quorum, body))
  },
  'cross-network: certified in another network by the same validators': (scene) => {
    const body = scene.impostor({ network: scene.twin.id })
    return sent(body, votesOf(scene.quorum, body))
  },
  'cross-network: the same, the name of this network put in': (scene) => {
    const body = scene.impostor({ network: scene.twin.id })
    const here = { ...body, network: scene.network.id }
    return sent(here, [...votesOf(scene.quorum, body), ...votesOf(scene.hostile, here)])
  },
  'mutated: bytes of a right one': (scene) => {
    const right = encodeMessage(CertificateSchema, scene.newcomer)
    return { door: 'certificate', bytes: mutateBytes(scene.random, right) }
  },
  'mutated: a field of a right one': (scene) => {
    const right = scene.body('newcomer')
    const changed = { ...right, ...otherField(scene) }
    return sent(changed, [...votesOf(scene.quorum, right), ...votesOf(scene.hostile, changed)])
  },
  'mutated: bytes of a right body, well-formed around it': (scene) => {
    const { body, votes } = scene.newcomer
    return sentBytes(mutateBytes(scene.random, body), votes)
  },
  'made up: any bytes': (scene) => ({
    door: 'certificate',
    bytes: scene.random.bytes(randomInt(scene.random, 600)),
  }),
}

function sent(body: CertificateBody, votes: Votes): Attempt {
  return sentBytes(encodeCertificateBody(body), votes)
}

function sentBytes(body: Uint8Array, votes: Votes): Attempt {
  return {
    door: 'certificate',
    bytes: encodeMessage(
      CertificateSchema,
      create(CertificateSchema, { body, votes: votes.map((vote) => ({ ...vote })) }),
    ),
  }
}

function votesOf(voters: readonly SigningKey[], body: CertificateBody): Votes {
  const bytes = encodeCertificateBody(body)
  return voters.map((key) => ({ signer: key.publicKey, signature: key.sign('vote', bytes) }))
}

/** Of one key, said to be of validators. */
function namedVotes({ present }: ImpostorScene, key: SigningKey, body: CertificateBody): Votes {
  const signature = key.sign('vote', encodeCertificateBody(body))
  return present.map(({ publicKey }) => ({ signer: publicKey, signature }))
}

function fewVotes(scene: ImpostorScene, body: CertificateBody): Votes {
  const own = votesOf(scene.hostile, body)
  const strange = votesOf([scene.strangeKey(), scene.strangeKey()], body)
  const former = votesOf(scene.former.slice(0, randomInt(scene.random, 3)), body)
  return shuffled(scene.random, [...own, ...own, ...own, ...strange, ...former])
}

function otherField(scene: ImpostorScene): Partial<CertificateBody> {
  const { random } = scene
  const key = scene.strangeKey()
  const fields: readonly Partial<CertificateBody>[] = [
    { key: key.publicKey, id: key.id },
    { roles: ['validator', 'storage'] },
    { addresses: [`/ip4/192.0.2.${randomInt(random, 256)}/tcp/${1_024 + randomInt(random, 60_000)}`] },
    { family: `family-${randomInt(random, 100_000)}` },
    { diversityAddress: `203.0.113.${randomInt(random, 256)}` },
    { asn: 1 + randomInt(random, 100_000) },
    { issuedEpoch: HELD - randomInt(random, 900), ...expiry(scene, HELD - 900) },
    { position: { epoch: randomInt(random, HELD), value: random.bytes(32) } },
  ]
  return fields[randomInt(random, fields.length)] ?? {}
}

function expiry({ network }: ImpostorScene, issuedEpoch: number): Pick<CertificateBody, 'expiresAt'> {
  return { expiresAt: BEGIN + issuedEpoch * EPOCH + network.file.certificateTtlMs }
}

/** Both ends included. */
export function between(random: Random, from: number, to: number): number {
  return from + randomInt(random, to - from + 1)
}
