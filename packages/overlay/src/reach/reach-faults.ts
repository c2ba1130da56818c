import type { Fault } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Role } from '../member.ts'

/** Of a node whose port is closed, and which is reached over relays. */
export function relayedOnly(
  host: string,
  ports: readonly number[],
  by: readonly DidKey[],
  through: readonly DidKey[],
): Fault {
  return {
    code: 'E_REACH_RELAYED',
    cause: `${notFound(host, ports, by)} Others reach it over the relays ${namesOf(through)}, and directly after that where both sides' routers allow it.`,
    fix: `Nothing has to be done. ${howToOpen(ports)} for direct connections.`,
  }
}

/** Of a node whose port is closed, and whose roles need it open. @param packets the UDP port that has to be open as well */
export function notPublic(
  host: string,
  ports: readonly number[],
  by: readonly DidKey[],
  roles: readonly Role[],
  packets: number | undefined,
): Fault {
  return {
    code: 'E_REACH_NOT_PUBLIC',
    cause: `${notFound(host, ports, by)} ${roles.join(', ')} must be reached at a public address.`,
    fix: `${howToOpen(roles.includes('entry') && packets !== undefined ? [...ports, packets] : ports, packets)}, or take ${roles.join(', ')} out of the roles of this node (--roles).`,
  }
}

/** Of a node whose port is closed while no relay has a place for it. */
export function noRelay(host: string, ports: readonly number[], by: readonly DidKey[]): Fault {
  return {
    code: 'E_REACH_NO_RELAY',
    cause: `${notFound(host, ports, by)} No relay of this network gave it a place.`,
    fix: `${howToOpen(ports)}; or wait: the node asks again by itself.`,
  }
}

function notFound(host: string, ports: readonly number[], by: readonly DidKey[]): string {
  const tried = by.length === 0 ? '' : ` ${namesOf(by)} dialled it back in vain.`
  return `TCP port ${ports[0]} of this node cannot be reached from outside at ${host}.${tried}`
}

function howToOpen(ports: readonly number[], packets?: number): string {
  const tcp = `TCP ${ports.length === 1 ? 'port' : 'ports'} ${ports.join(' and ')}`
  const all = packets === undefined ? tcp : `${tcp} and UDP port ${packets}`
  return `Forward ${all} of the router to this machine (ports.public, ports.packets) and open the same in its firewall`
}

function namesOf(ids: readonly DidKey[]): string {
  return ids.map((id) => `…${shortId(id)}`).join(', ')
}
