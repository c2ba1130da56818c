import { WeftError, isLoopback } from '@weft/core'
import { shortId } from '@weft/crypto'
import { isCommonHost, isNodePort } from '../../network/dialable.ts'
import { parseNodeAddress } from '../../network/node-address.ts'
import type { Network } from '../../network/network.ts'
import { parsePacketAddress } from '../../network/packet-address.ts'
import { parseRelayedAddress } from '../../network/relayed-address.ts'
import { remoteHost } from '../../network/remote-host.ts'
import type { AdmissionCheck } from '../admission-check.ts'
import type { CertificateBody } from '../certificate-body.ts'

/**
 * Where the node says it is follows from its addresses, or in a devnet from the file's table, and from nothing else. Of
 * a node that is reached over relays only it follows from where it applies: nobody opens a connection from an address
 * at which it is not.
 */
export const placeCheck: AdmissionCheck = {
  name: 'place',
  run({ network, application: { body }, callerAddress }) {
    const why =
      portFault(body) ??
      (network.file.simulated === undefined
        ? realPlaceFault(network, body, callerAddress)
        : simulatedPlaceFault(network, body))
    if (why === undefined) return
    throw new WeftError({
      code: 'E_ADMISSION_PLACE',
      cause: `The place that ${shortId(body.id)} claims does not hold: ${why}.`,
      fix:
        network.file.simulated === undefined
          ? 'Declare addresses at which the node can be reached from outside, at ports from 1024 on, 80 or 443: network.announce and ports.public in weft.toml.'
          : 'Use the network file of this devnet unchanged; a node that its table does not name needs `weft devnet up` with more nodes.',
    })
  },
}

/** Every validator dials what is declared: an address that means a machine of its own network must not get that far. */
function realPlaceFault(network: Network, body: CertificateBody, callerAddress: string): string | undefined {
  if (body.simulated) return 'it is marked as simulated, and the network file has no simulated places'
  const own = listening(body).map(hostOf)
  const caller = own.length === 0 ? remoteHost(callerAddress) : undefined
  const hosts = caller === undefined ? own : [caller]
  const unusable = hosts.find((host) => !isCommonHost(network, host))
  if (unusable !== undefined) return `${unusable} is not an address at which every node of this network can dial it`
  if (hosts.includes(body.diversityAddress)) return undefined
  if (own.length > 0) return `${body.diversityAddress} is none of its addresses`
  return `it applies from ${caller ?? 'behind a relay'} and says that it is at ${body.diversityAddress}`
}

/** Validators dial what is declared, have members dial it, and all send packets there: no port of another service. */
function portFault(body: CertificateBody): string | undefined {
  const ports = [
    ...listening(body).map((address) => parseNodeAddress(address)?.port),
    ...(body.packets?.addresses ?? []).map((address) => parsePacketAddress(address)?.port),
  ]
  const other = ports.find((port) => port !== undefined && !isNodePort(port))
  return other === undefined ? undefined : `port ${other} is one at which other services are`
}

function listening({ addresses }: CertificateBody): readonly string[] {
  return addresses.filter((address) => parseRelayedAddress(address) === undefined)
}

function hostOf(address: string): string {
  return parseNodeAddress(address)?.host ?? ''
}

function simulatedPlaceFault(network: Network, body: CertificateBody): string | undefined {
  const place = network.file.simulated?.[body.id]
  if (place === undefined) return "it is not in the network file's table of simulated places"
  const remote = listening(body).find((address) => !isLoopback(hostOf(address)))
  if (remote !== undefined) return `${remote} is not loopback, as all addresses of a simulated network are`
  const claimed = [body.simulated, body.diversityAddress, body.asn, body.family, body.country, body.region]
  const written = [true, place.address, place.asn, place.family, place.country, place.region]
  if (claimed.every((value, index) => value === written[index])) return undefined
  return `it claims ${claimed.join(', ')}; the network file says ${written.join(', ')}`
}
