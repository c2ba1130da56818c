import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { endianness } from 'node:os'
import { ipToBytes } from '@weft/onion'

export interface SocketEnd {
  /** IP literal. */
  readonly address: string
  readonly port: number
}

/** A process of this machine said that it is at `connection`; whether the sockets at `sender` are of the same user, too. Where the system does not tell, they are. */
export function isOfSameUser(sender: SocketEnd, connection: SocketEnd, peer: SocketEnd): boolean {
  const tables = (protocol: string): string[] => [`/proc/net/${protocol}`, `/proc/net/${protocol}6`].flatMap(read)
  const [tcp, udp] = [tables('tcp'), tables('udp')]
  if (tcp.length === 0 || udp.length === 0) return true
  return haveOneUser(usersAt(udp, sender), usersAt(tcp, connection, peer))
}

function haveOneUser(senders: ReadonlySet<string>, owners: ReadonlySet<string>): boolean {
  return senders.size === 1 && owners.size === 1 && senders.isSubsetOf(owners)
}

/** Users of the sockets that are bound to `own`, from the text of /proc/net/tcp or udp (proc_pid_net(5)). @param peer only of those connected there */
export function usersAt(tables: readonly string[], own: SocketEnd, peer?: SocketEnd): ReadonlySet<string> {
  const [ends, peers] = [endsOf(own), peer && endsOf(peer)]
  const users = new Set<string>()
  for (const table of tables)
    for (const line of table.split('\n').slice(1)) {
      const [, local = '', remote = '', , , , , user] = line.trim().split(/\s+/)
      if (user !== undefined && ends.has(local) && (peers === undefined || peers.has(remote))) users.add(user)
    }
  return users
}

/** How an address and port are written there: as they are, in the IPv4-mapped form, and as any address. */
function endsOf({ address, port }: SocketEnd): ReadonlySet<string> {
  const all = [address, isIPv6(address) ? '::' : `::ffff:${address}`, '::', '0.0.0.0']
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return new Set(all.map((one) => hexOf(one) + suffix))
}

/** Words of 32 bits in the order of bytes that this machine has. */
function hexOf(address: string): string {
  const bytes = Buffer.from(ipToBytes(address) ?? [])
  return (endianness() === 'LE' ? bytes.swap32() : bytes).toString('hex').toUpperCase()
}

function read(path: string): string[] {
  try {
    return [readFileSync(path, 'latin1')]
  } catch {
    return []
  }
}
