import { isIP } from 'node:net'
import { WeftError } from '@weft/core'
import { type DidKey, sha256, toDidKey } from '@weft/crypto'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { booleanOf, bytesOf, distinct, integerOf, listOf, textOf, timeOf, tupleOf } from '../codec/strict-values.ts'
import { type Member, type PacketService, ROLES, type Role } from '../member.ts'
import { MAX_EPOCH } from '../network/epoch.ts'
import { roleOf } from '../network/network-file.ts'
import { NETWORK_ID } from '../network/network-id.ts'
import { certifiedAddressOf } from '../network/relayed-address.ts'
import { COUNTRY, FAMILY, MAX_ADDRESSES, MAX_ASN, REGION } from '../network/place.ts'
import type { ResourceDescriptor } from '../resources/resource-descriptor.ts'
import { type BeaconKeyEntry, beaconKeyField, beaconKeyOf } from './beacon-key-field.ts'
import { type Measured, measuredField, measuredOf } from './measured-field.ts'
import { packetsField, packetsOf } from './packets-field.ts'
import { type CertifiedPosition, positionField, positionOf } from './position-field.ts'
import { resourcesField, resourcesOf } from './resources-field.ts'

/** What a quorum certifies of one node (docs/specs/admission.md). The same bytes are the node's entry in the map. */
export interface CertificateBody {
  readonly network: string
  /** 32 bytes, Ed25519. */
  readonly key: Uint8Array
  /** The node's id: the did:key of `key`. */
  readonly id: DidKey
  readonly roles: readonly Role[]
  readonly addresses: readonly string[]
  readonly family: string
  readonly region: string
  readonly country: string
  readonly asn: number
  readonly diversityAddress: string
  readonly simulated: boolean
  /** Map epoch in which the node applied. */
  readonly issuedEpoch: number
  /** ms since the Unix epoch. */
  readonly expiresAt: number
  /** Where an entry, relay or exit takes packets; undefined for all others. */
  readonly packets: PacketService | undefined
  /** Where a beacon put the node; undefined until the first one after its admission. */
  readonly position: CertifiedPosition | undefined
  /** Of a validator only: what it takes part in beacons with. */
  readonly beaconKey: BeaconKeyEntry | undefined
  /** What a quorum of validators measured; undefined where nothing was asked for. */
  readonly measured: Measured | undefined
  /** What the node says of its machine, which nobody checked but what is attested; undefined where it says nothing. */
  readonly resources: ResourceDescriptor | undefined
}

/** Bytes of one encoded body at most: eight addresses of 69 characters, four of 64, ten roles, resources, and the rest. */
export const MAX_CERTIFICATE_BODY = 2 * 1024
const VERSION = 3
const FIELDS = 18

export function encodeCertificateBody(body: CertificateBody): Uint8Array {
  return encodeCanonical([
    VERSION,
    body.network,
    body.key,
    body.roles,
    body.addresses,
    body.family,
    body.region,
    body.country,
    body.asn,
    body.diversityAddress,
    body.simulated,
    body.issuedEpoch,
    body.expiresAt,
    packetsField(body.packets),
    positionField(body.position),
    beaconKeyField(body.beaconKey),
    measuredField(body.measured),
    resourcesField(body.resources),
  ])
}

/** @throws WeftError E_CERTIFICATE_MALFORMED */
export function decodeCertificateBody(bytes: Uint8Array): CertificateBody {
  const value = decodeCanonical(bytes, MAX_CERTIFICATE_BODY, refuse)
  if (Array.isArray(value) && (value[0] === 1 || value[0] === 2))
    throw refuse(`it is of version ${value[0]}, which did not say what was measured of a node; this is version 3`)
  const tuple = tupleOf(value, 'body', FIELDS, refuse)
  const [
    version,
    network,
    key,
    roles,
    addresses,
    family,
    region,
    country,
    asn,
    diversityAddress,
    simulated,
    epoch,
    expiresAt,
    packets,
    position,
    beaconKey,
    measured,
    resources,
  ] = tuple
  integerOf(version, 'version', VERSION, VERSION, refuse)
  const publicKey = bytesOf(key, 'key', 32, refuse)
  const address = textOf(diversityAddress, 'diversityAddress', /^[0-9a-fA-F.:]+$/, 39, refuse)
  if (isIP(address) === 0) throw refuse(`diversityAddress '${address}' is not an IP address`)
  const holder = {
    network: textOf(network, 'network', NETWORK_ID, 33, refuse),
    key: publicKey,
    expiresAt: timeOf(expiresAt, 'expiresAt', refuse),
  }
  return {
    ...holder,
    id: toDidKey(publicKey),
    roles: distinct(
      listOf(roles, 'roles', 1, ROLES.length, refuse, (item, path) => roleOf(item, path, refuse)),
      'roles',
      refuse,
    ),
    addresses: distinct(
      listOf(addresses, 'addresses', 1, MAX_ADDRESSES, refuse, (item, path) => certifiedAddressOf(item, path, refuse)),
      'addresses',
      refuse,
    ),
    family: textOf(family, 'family', FAMILY, 64, refuse),
    region: textOf(region, 'region', REGION, 32, refuse),
    country: textOf(country, 'country', COUNTRY, 2, refuse),
    asn: integerOf(asn, 'asn', 0, MAX_ASN, refuse),
    diversityAddress: address,
    simulated: booleanOf(simulated, 'simulated', refuse),
    issuedEpoch: integerOf(epoch, 'issuedEpoch', 0, MAX_EPOCH, refuse),
    packets: packetsOf(packets, refuse),
    position: positionOf(position, refuse),
    beaconKey: beaconKeyOf(beaconKey, refuse),
    measured: measuredOf(measured, refuse),
    resources: resourcesOf(resources, holder, refuse),
  }
}

/** The name of a certificate: SHA-256 of its body. Its votes are not part of it, as any quorum of them is as good. */
export function certificateHash(bodyBytes: Uint8Array): Uint8Array {
  return sha256(bodyBytes)
}

/** A certified node as the layers above see it. */
export function memberOf(body: CertificateBody, bodyBytes: Uint8Array): Member {
  return {
    id: body.id,
    roles: body.roles,
    addresses: body.addresses,
    family: body.family,
    region: body.region,
    country: body.country,
    asn: body.asn,
    diversityAddress: body.diversityAddress,
    simulated: body.simulated,
    certificateEpoch: body.issuedEpoch,
    expiresAt: body.expiresAt,
    certificateHash: certificateHash(bodyBytes),
    ...(body.packets === undefined ? {} : { packets: body.packets }),
    ...(body.measured === undefined ? {} : { measured: body.measured }),
    ...(body.resources === undefined ? {} : { resources: body.resources }),
    ...(body.position === undefined ? {} : { position: body.position.value }),
    ...(body.beaconKey === undefined ? {} : { beaconKey: body.beaconKey.publicKey }),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_CERTIFICATE_MALFORMED',
    cause: `The body of a certificate cannot be used: ${why}.`,
    fix: 'The node that made it has to follow docs/specs/admission.md; update the older of the two sides.',
  })
}
