import { canonicalHost, mappedIPv4 } from '@weft/core'
import type { Endpoint } from '@weft/onion'
import { AF_INET, decodeSocketAddress, isLinkLocal } from './socket-address.ts'

/** Senders remembered; source addresses can be forged, so that more must not cost memory. */
const CAPACITY = 4_096

/** How an IPv6 socket writes IPv4 addresses (RFC 4291, section 2.5.5.2). */
const MAPPED = '::ffff:'

/**
 * One object for each sender, so that a packet makes none and others can compare by identity. When it is full it
 * forgets all: who still sends is back with the next packet.
 */
export class EndpointTable {
  readonly #byText = new Map<string, Endpoint>()
  /** IPv4 address and port as one number below 2^48. */
  readonly #byNumber = new Map<number, Endpoint>()

  /** Senders that are remembered. */
  get size(): number {
    return this.#byText.size
  }

  /** Of the sockaddr at `offset`; undefined for a sender that cannot be answered. */
  ofSocketAddress(view: DataView, offset: number): Endpoint | undefined {
    if (view.getUint16(offset, true) !== AF_INET) return this.#ofDecoded(view, offset)
    const number = view.getUint32(offset + 4) * 65_536 + view.getUint16(offset + 2)
    let endpoint = this.#byNumber.get(number)
    if (endpoint === undefined) {
      endpoint = this.#ofDecoded(view, offset)
      if (endpoint === undefined) return undefined
      this.#byNumber.set(number, endpoint)
    }
    return endpoint
  }

  /** Of an address as node:dgram writes it. */
  ofText(text: string, port: number): Endpoint | undefined {
    const address = text.startsWith(MAPPED) && text.includes('.') ? text.slice(MAPPED.length) : text
    const known = this.#byText.get(`${address}|${port}`)
    if (known !== undefined) return known
    if (port === 0 || isLinkLocal(address)) return undefined
    const canonical = canonicalHost(address)
    return canonical === undefined ? undefined : this.#intern({ address: mappedIPv4(canonical) ?? canonical, port })
  }

  #ofDecoded(view: DataView, offset: number): Endpoint | undefined {
    const decoded = decodeSocketAddress(view, offset)
    return decoded === undefined ? undefined : this.#intern(decoded)
  }

  #intern(endpoint: Endpoint): Endpoint {
    const key = `${endpoint.address}|${endpoint.port}`
    const known = this.#byText.get(key)
    if (known !== undefined) return known
    if (this.#byText.size >= CAPACITY) {
      this.#byText.clear()
      this.#byNumber.clear()
    }
    this.#byText.set(key, endpoint)
    return endpoint
  }
}
