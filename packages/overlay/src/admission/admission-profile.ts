import { WeftError, isUnspecified } from '@weft/core'
import { type SigningKey, shortId } from '@weft/crypto'
import { type PacketService, type Role, carriesPackets } from '../member.ts'
import type { NetworkFile } from '../network/network-file.ts'
import { parseNodeAddress } from '../network/node-address.ts'
import { formatPacketAddress } from '../network/packet-address.ts'
import { MAX_PACKET_ADDRESSES } from '../network/place.ts'
import { parseRelayedAddress } from '../network/relayed-address.ts'
import type { ResourceDescriptor } from '../resources/resource-descriptor.ts'
import { type CertificateBody, decodeCertificateBody, encodeCertificateBody } from './certificate-body.ts'

/** What a node wants certified of itself; with an epoch and an end it is a certificate's body. */
export type AdmissionProfile = Omit<CertificateBody, 'issuedEpoch' | 'expiresAt'>

/** How a node takes packets; where follows from its addresses. */
export interface OwnPackets extends Omit<PacketService, 'addresses'> {
  /** UDP, the same at each of its hosts. */
  readonly port: number
}

export interface ProfileInit {
  readonly networkId: string
  readonly network: NetworkFile
  readonly key: SigningKey
  readonly roles: readonly Role[]
  /** Where it listens, or through whom it is reached. */
  readonly addresses: readonly string[]
  /** The IP address from which other nodes see it call; needed where all its addresses are relayed ones. */
  readonly seenAt?: string | undefined
  /** Left out of the profile of a node that carries none. */
  readonly packets?: OwnPackets | undefined
  readonly family: string
  readonly region?: string | undefined
  readonly country?: string | undefined
  readonly asn?: number | undefined
  readonly resources?: ResourceDescriptor | undefined
}

/**
 * The profile of this node: its place is that of the network file's table in a devnet, else as configured, with the
 * address that diversity rules look at taken from its first declared one at which it listens, or from where it calls.
 * @throws WeftError E_ANNOUNCE_NEEDED, E_NOT_IN_SIMULATION, E_CERTIFICATE_MALFORMED
 */
export function admissionProfile(init: ProfileInit): AdmissionProfile {
  const { key, network, addresses } = init
  const hosts = addresses
    .filter((address) => parseRelayedAddress(address) === undefined)
    .map((address) => parseNodeAddress(address)?.host)
  const host = addresses.length > 0 && hosts.length === 0 ? init.seenAt : hosts[0]
  if (host === undefined || hosts.some((each) => each === undefined || isUnspecified(each))) {
    throw new WeftError({
      code: 'E_ANNOUNCE_NEEDED',
      cause: `The addresses [${addresses.join(', ')}] do not say where other nodes can dial this one.`,
      fix: 'Set network.announce in weft.toml to addresses like /ip4/192.0.2.1/tcp/4780 that can be reached from outside.',
    })
  }
  const packets =
    init.packets !== undefined && carriesPackets(init.roles) ? packetServiceAt(hosts, init.packets) : undefined
  const common = {
    network: init.networkId,
    key: key.publicKey,
    id: key.id,
    roles: init.roles.filter((role) => role !== 'client'),
    addresses,
    packets,
    position: undefined,
    beaconKey: undefined,
    measured: undefined,
    resources: init.resources,
  }
  if (network.simulated === undefined) {
    const { family, region = 'unknown', country = 'ZZ', asn = 0 } = init
    return checked({ ...common, family, region, country, asn, diversityAddress: host, simulated: false })
  }
  const place = network.simulated[key.id]
  if (place === undefined) {
    throw new WeftError({
      code: 'E_NOT_IN_SIMULATION',
      cause: `The network file has simulated places, and none for this node (${shortId(key.id)}).`,
      fix: 'Use the key that the devnet made for this node, or start the devnet anew with more nodes.',
    })
  }
  const { address, asn, family, country, region } = place
  return checked({ ...common, family, region, country, asn, diversityAddress: address, simulated: true })
}

/** The packets of a node at the first of its hosts, as many as may be declared. */
function packetServiceAt(
  hosts: readonly (string | undefined)[],
  { port, linkKey, onionKey }: OwnPackets,
): PacketService {
  const distinct = [...new Set(hosts)].flatMap((host) => host ?? []).slice(0, MAX_PACKET_ADDRESSES)
  return { addresses: distinct.map((host) => formatPacketAddress({ host, port })), linkKey, onionKey }
}

/** What no validator would read is refused here already. @throws WeftError E_CERTIFICATE_MALFORMED */
function checked(profile: AdmissionProfile): AdmissionProfile {
  decodeCertificateBody(encodeCertificateBody({ ...profile, issuedEpoch: 0, expiresAt: 0 }))
  return profile
}
