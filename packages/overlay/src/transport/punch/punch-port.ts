import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { type Random, isLoopback, randomInt } from '@weft/core'
import { remoteHost } from '../../network/remote-host.ts'

/** Below what systems give out by themselves (Linux from 32768, RFC 6335 from 49152), above most programs. */
const FIRST_PORT = 20_000
const PORTS = 12_000

/**
 * The one local TCP port from which a node makes all its calls. A NAT that gives a port one face towards everybody
 * (RFC 4787, section 4.1) then shows others the same port that a hole will be punched from. It is not the port that the
 * node listens on: Node cannot share that with calls, and Linux lets calls share one only while nobody listens on it.
 */
export class PunchPort {
  readonly #port: number
  readonly #made = new WeakSet<Connection>()

  constructor(random: Random) {
    this.#port = FIRST_PORT + randomInt(random, PORTS)
  }

  /** The port to call this address from; undefined for this machine's own, where no NAT is. */
  portFor(address: Multiaddr): number | undefined {
    const host = remoteHost(address.toString())
    return host === undefined || isLoopback(host) ? undefined : this.#port
  }

  /** Notes a connection that was made from the port. */
  note(connection: Connection): void {
    this.#made.add(connection)
  }

  made(connection: Connection): boolean {
    return this.#made.has(connection)
  }
}
