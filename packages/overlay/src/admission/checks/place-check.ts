import { WeftError, addressReach, isLoopback } from '@weft/core'
import { shortId } from '@weft/crypto'
import { parseNodeAddress } from '../../network/node-address.ts'
import type { Network } from '../../network/network.ts'
import type { AdmissionCheck } from '../admission-check.ts'
import type { CertificateBody } from '../certificate-body.ts'

/** Where the node says it is follows from its addresses, or in a devnet from the file's table, and from nothing else. */
export const placeCheck: AdmissionCheck = {
  name: 'place',
  run({ network, application: { body } }) {
    const why =
      network.file.simulated === undefined ? realPlaceFault(network, body) : simulatedPlaceFault(network, body)
    if (why === undefined) return
    throw new WeftError({
      code: 'E_ADMISSION_PLACE',
      cause: `The place that ${shortId(body.id)} claims does not hold: ${why}.`,
      fix:
        network.file.simulated === undefined
          ? 'Declare addresses at which the node can be reached from outside: network.announce in weft.toml.'
          : 'Use the network file of this devnet unchanged; a node that its table does not name needs `weft devnet up` with more nodes.',
    })
  },
}

/** Every validator dials what is declared: an address that means a machine of its own network must not get that far. */
function realPlaceFault(network: Network, body: CertificateBody): string | undefined {
  if (body.simulated) return 'it is marked as simulated, and the network file has no simulated places'
  const hosts = body.addresses.map(hostOf)
  const [local, oneMachine] = [isOneSite(network), isOneMachine(network)]
  const unusable = hosts.find((host) => {
    const reach = addressReach(host)
    return (reach === 'special' && !(oneMachine && isLoopback(host))) || (reach === 'private' && !local)
  })
  if (unusable !== undefined) return `${unusable} is not an address at which every node of this network can dial it`
  return hosts.includes(body.diversityAddress) ? undefined : `${body.diversityAddress} is none of its addresses`
}

/** A network whose file places all its validators at private addresses is one site's own: there they mean one machine. */
function isOneSite({ validators }: Network): boolean {
  return validators.every(({ addresses }) => addresses.every((address) => addressReach(hostOf(address)) === 'private'))
}

/** The same on loopback: a network of one machine, to try things out. Nothing but this machine is dialled there. */
function isOneMachine({ validators }: Network): boolean {
  return validators.every(({ addresses }) => addresses.every((address) => isLoopback(hostOf(address))))
}

function hostOf(address: string): string {
  return parseNodeAddress(address)?.host ?? ''
}

function simulatedPlaceFault(network: Network, body: CertificateBody): string | undefined {
  const place = network.file.simulated?.[body.id]
  if (place === undefined) return "it is not in the network file's table of simulated places"
  const remote = body.addresses.find((address) => !isLoopback(hostOf(address)))
  if (remote !== undefined) return `${remote} is not loopback, as all addresses of a simulated network are`
  const claimed = [body.simulated, body.diversityAddress, body.asn, body.family, body.country, body.region]
  const written = [true, place.address, place.asn, place.family, place.country, place.region]
  if (claimed.every((value, index) => value === written[index])) return undefined
  return `it claims ${claimed.join(', ')}; the network file says ${written.join(', ')}`
}
