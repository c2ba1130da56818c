import { ipFromBytes } from '@weft/onion'
import { type IpHeader, PROTOCOL } from '../ip/ip-header.ts'
import type { ExitPolicy } from './exit-policy.ts'
import { isGroup } from './is-group.ts'

export interface IpVerdictsInit {
  readonly policy: Pick<ExitPolicy, 'refusal' | 'refusalOfAddress'>
  readonly clock: { monotonic(): number }
}

/** Targets whose verdict is kept; a power of two. */
const SLOTS = 4_096
/** ms for which a verdict holds: as long as the policy keeps the addresses of this machine. */
const VERDICT_MS = 10_000

/**
 * What the exit's policy says of the packets of clients: of each packet's own target, asked anew when it was not asked lately. TCP and
 * UDP go by address and port; echo requests, and later fragments, which no exit without their first one sends on, by address alone;
 * every other protocol is refused, as nothing says what it would be for.
 */
export class IpVerdicts {
  readonly #init: IpVerdictsInit
  /** Of each slot: four words of the address, and the port with the version above it. */
  readonly #keys = new Uint32Array(SLOTS * 5)
  readonly #until = new Float64Array(SLOTS)
  readonly #refused = new Uint8Array(SLOTS)
  readonly #words = new Uint32Array(5)

  constructor(init: IpVerdictsInit) {
    this.#init = init
    this.#until.fill(Number.NEGATIVE_INFINITY)
  }

  /** Whether the packet that `header` was read from may go where it wants to. */
  allows(header: IpHeader, bytes: Uint8Array): boolean {
    const hasPort = header.protocol === PROTOCOL.tcp || header.protocol === PROTOCOL.udp
    if (!hasPort && (header.isFirst ? !header.isEchoRequest : !isEcho(header))) return false
    if (hasPort && header.isFirst && header.destinationPort === 0) return false
    const slot = this.#slotOf(header, bytes)
    const now = this.#init.clock.monotonic()
    if (now >= (this.#until[slot] as number) || !this.#isKey(slot)) {
      this.#keys.set(this.#words, slot * 5)
      this.#until[slot] = now + VERDICT_MS
      this.#refused[slot] = this.#isRefused(header, bytes) ? 1 : 0
    }
    return this.#refused[slot] === 0
  }

  #slotOf({ destinationAt, addressBytes, destinationPort, version }: IpHeader, bytes: Uint8Array): number {
    const words = this.#words
    words.fill(0)
    for (let i = 0; i < addressBytes; i++)
      words[i >> 2] = ((words[i >> 2] as number) << 8) | (bytes[destinationAt + i] as number)
    words[4] = (version << 16) | destinationPort
    let hash = 0
    for (let i = 0; i < 5; i++) hash = Math.imul(hash ^ (words[i] as number), 0x9e3779b1)
    return (hash >>> 16) & (SLOTS - 1)
  }

  #isKey(slot: number): boolean {
    for (let i = 0; i < 5; i++) if (this.#keys[slot * 5 + i] !== this.#words[i]) return false
    return true
  }

  #isRefused({ destinationAt, addressBytes, destinationPort }: IpHeader, bytes: Uint8Array): boolean {
    const { policy } = this.#init
    const address = ipFromBytes(bytes.subarray(destinationAt, destinationAt + addressBytes))
    if (isGroup(address)) return true
    const refusal = destinationPort === 0 ? policy.refusalOfAddress(address) : policy.refusal(address, destinationPort)
    return refusal !== undefined
  }
}

function isEcho({ protocol, version }: IpHeader): boolean {
  return protocol === (version === 4 ? PROTOCOL.icmp : PROTOCOL.icmpv6)
}
