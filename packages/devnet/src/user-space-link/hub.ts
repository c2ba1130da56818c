import type { Random } from '@weft/core'
import { Line, type LineProfile } from './line.ts'

export interface HubOptions {
  /** IPv4 address of each end. */
  readonly hosts: readonly string[]
  /** What happens on the way, by the end that a packet comes from and the one that it goes to. */
  readonly profiles: readonly (readonly LineProfile[])[]
  readonly random: Random
}

/** Of an IPv4 header (RFC 791): its least length, and where the destination is. */
const HEADER_BYTES = 20
const DESTINATION_AT = 16

/**
 * Lines from each of several ends to each other. Of two, whatever comes from one goes to the other, as over a wire; of more, each packet
 * goes where its IPv4 destination is. Time comes in from outside.
 */
export class Hub {
  /** Packets for none of the ends, IPv6 among them. */
  strayed = 0
  /** By the end that they lead to, and the one that they come from. */
  readonly #lines: readonly (readonly Line[])[]
  readonly #byHost: ReadonlyMap<number, number>

  constructor({ hosts, profiles, random }: HubOptions) {
    this.#byHost = new Map(hosts.map((host, at) => [Buffer.from(host.split('.').map(Number)).readUInt32BE(), at]))
    this.#lines = hosts.map((_, to) => profiles.map((from) => new Line(from[to] ?? { delayMs: 0, loss: 0 }, random)))
  }

  /** What happens on the way from now on, as in {@link HubOptions}. */
  change(profiles: HubOptions['profiles']): void {
    for (const [to, lines] of this.#lines.entries())
      for (const [from, line] of lines.entries()) line.change(profiles[from]?.[to] ?? { delayMs: 0, loss: 0 })
  }

  /** Takes a packet that came from an end at `now`, ms; it must not be changed afterwards. */
  send(from: number, packet: Uint8Array, now: number): void {
    const to = this.#lines.length === 2 ? 1 - from : this.#destinationOf(packet)
    const line = to === undefined || to === from ? undefined : this.#lines[to]?.[from]
    if (line === undefined) this.strayed++
    else line.send(packet, now)
  }

  /** When the next packet is there, ms; Infinity while none is under way. */
  get nextDue(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const lines of this.#lines)
      for (const { nextDue } of lines) if (nextDue !== undefined && nextDue < earliest) earliest = nextDue
    return earliest
  }

  /** The next packet that is there for an end at `now`. */
  receive(to: number, now: number): Uint8Array | undefined {
    for (const line of this.#lines[to] ?? []) {
      const packet = line.receive(now)
      if (packet !== undefined) return packet
    }
    return undefined
  }

  #destinationOf(packet: Uint8Array): number | undefined {
    if (packet.length < HEADER_BYTES || (packet[0] as number) >> 4 !== 4) return undefined
    return this.#byHost.get(new DataView(packet.buffer, packet.byteOffset).getUint32(DESTINATION_AT))
  }
}
