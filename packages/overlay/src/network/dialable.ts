import { addressReach, isLoopback } from '@weft/core'
import type { Network } from './network.ts'
import { parseNodeAddress } from './node-address.ts'

/** Ports below 1024 at which nodes may be: those at which firewalls let people out. */
const LOW_PORTS = [80, 443]

/**
 * Whether nodes may be at this port. At the others below 1024 other services are: no member may be made to knock there by
 * somebody who says that it is a node's.
 */
export function isNodePort(port: number): boolean {
  return port >= 1_024 || LOW_PORTS.includes(port)
}

/**
 * Whether a host means the same machine for every node of this network: a global address; where the validators are all at
 * private ones, these too; on one machine, or where places are simulated, loopback.
 */
export function isCommonHost(network: Pick<Network, 'file' | 'validators'>, host: string): boolean {
  if (network.file.simulated !== undefined) return isLoopback(host)
  const reach = addressReach(host)
  if (reach === 'special') return isLoopback(host) && isOneMachine(network)
  return reach === 'global' || isOneSite(network)
}

/** Whether a member dials this address when a validator asks it to. */
export function isDialable(network: Pick<Network, 'file' | 'validators'>, address: string): boolean {
  const parsed = parseNodeAddress(address)
  return parsed !== undefined && isNodePort(parsed.port) && isCommonHost(network, parsed.host)
}

/** A network whose file places all its validators at private addresses is one site's own: there they mean one machine. */
function isOneSite({ validators }: Pick<Network, 'validators'>): boolean {
  return validators.every(({ addresses }) => addresses.every((address) => addressReach(hostOf(address)) === 'private'))
}

/** The same on loopback: a network of one machine, to try things out. Nothing but this machine is dialled there. */
function isOneMachine({ validators }: Pick<Network, 'validators'>): boolean {
  return validators.every(({ addresses }) => addresses.every((address) => isLoopback(hostOf(address))))
}

function hostOf(address: string): string {
  return parseNodeAddress(address)?.host ?? ''
}
