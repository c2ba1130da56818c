import { compareBytes } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { CertificateSchema, SignedMapSchema, create, encodeMessage } from '@weft/wire'
import { type OwnPackets, admissionProfile } from '../admission/admission-profile.ts'
import { encodeCertificateBody } from '../admission/certificate-body.ts'
import { encodeMapBody } from '../map/map-body.ts'
import { mapRoot } from '../map/map-entries.ts'
import type { Role } from '../member.ts'
import { epochAt, epochStart } from '../network/epoch.ts'
import type { NetworkFile } from '../network/network-file.ts'
import { networkIdOf } from '../network/network-id.ts'
import { quorumOf } from '../network/quorum.ts'
import type { StoredCertificate, StoredChanges } from './membership-store.ts'
import type { OverlayStores } from './overlay-stores.ts'

/** A member as its own settings have it. */
export interface StoredMember {
  readonly key: SigningKey
  readonly roles: readonly Role[]
  /** Where it listens. */
  readonly address: string
  readonly family: string
  readonly region: string
  readonly country: string
  readonly asn: number
  readonly packets?: OwnPackets
  readonly stores: OverlayStores
}

/** A first map has none, so that nobody has a position yet. */
const NO_BEACON = { placed: 0, beacon: undefined, inputs: undefined } as const

/**
 * Writes what the nodes of a network have stored that were admitted, and hold the map of this epoch: each its
 * certificate and the map, validators the certificates of all. Only who holds the keys of a quorum of validators can
 * make that up: a simulation, for networks that would take hours to admit.
 * @param members the validators of the file first @param now ms since the Unix epoch
 */
export function storeNetwork(file: NetworkFile, members: readonly StoredMember[], now: number): void {
  const network = networkIdOf(file)
  const epoch = epochAt(file, now)
  const expiresAt = epochStart(file, epoch) + file.certificateTtlMs
  const signers = members.slice(0, quorumOf(file.validators.length)).map(({ key }) => key)
  const sign = (purpose: 'vote' | 'map', bytes: Uint8Array) =>
    signers.map((key) => ({ signer: key.publicKey, signature: key.sign(purpose, bytes) }))
  const certified = members
    .map((member) => {
      const profile = admissionProfile({ ...member, networkId: network, network: file, addresses: [member.address] })
      const bytes = encodeCertificateBody({ ...profile, issuedEpoch: epoch, expiresAt })
      const certificate = encodeMessage(
        CertificateSchema,
        create(CertificateSchema, { body: bytes, votes: sign('vote', bytes) }),
      )
      return { key: member.key.publicKey, bytes, expiresAt, certificate, stores: member.stores }
    })
    .sort((a, b) => compareBytes(a.key, b.key))
  const root = mapRoot(certified.map(({ bytes }) => bytes))
  const body = encodeMapBody({ network, epoch, root, count: certified.length, signedAt: now, ...NO_BEACON })
  const map = encodeMessage(SignedMapSchema, create(SignedMapSchema, { body, signatures: sign('map', body) }))
  const all: StoredChanges['all'] = certified.map(({ key, bytes }) => ({ key, bytes }))
  const certificates: readonly StoredCertificate[] = certified.map(({ key, certificate }) => ({
    key,
    expiresAt,
    certificate,
  }))
  for (const { certificate, stores } of certified) {
    stores.membership.saveOwnCertificate(certificate)
    stores.membership.saveMap(map, { whole: true, entries: all, removed: [], all })
  }
  const validators = members.slice(0, file.validators.length)
  for (const { stores } of validators) stores.membership.saveCertificates(certificates)
}
