import { canonicalHost, mappedIPv4 } from '@weft/core'
import type { Endpoint } from '@weft/onion'
import { AF_INET, AF_INET6, SOCKET_ADDRESS_BYTES, decodeSocketAddress, isLinkLocal } from './socket-address.ts'

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

  /** The last sender by IPv6, and its sockaddr as far as it tells him from others. */
  #last: Endpoint | undefined
  readonly #lastIPv6 = new DataView(new ArrayBuffer(SOCKET_ADDRESS_BYTES))

  /** Senders that are remembered. */
  get size(): number {
    return this.#byText.size
  }

  /** Of the sockaddr at `offset`; undefined for a sender that cannot be answered. */
  ofSocketAddress(view: DataView, offset: number): Endpoint | undefined {
    const at = addressAt(view, offset)
    if (at === undefined) return this.#ofIPv6(view, offset)
    const number = view.getUint32(at) * 65_536 + view.getUint16(offset + 2)
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

  /** Packets come in runs of one sender: the last is known without making its text. */
  #ofIPv6(view: DataView, offset: number): Endpoint | undefined {
    let isLast = this.#lastIPv6.getUint16(2) === view.getUint16(offset + 2)
    for (let word = 8; isLast && word < 24; word += 4)
      isLast = this.#lastIPv6.getUint32(word) === view.getUint32(offset + word)
    if (isLast && this.#last !== undefined) return this.#last
    this.#last = this.#ofDecoded(view, offset)
    this.#lastIPv6.setUint16(2, view.getUint16(offset + 2))
    for (let word = 8; word < 24; word += 4) this.#lastIPv6.setUint32(word, view.getUint32(offset + word))
    return this.#last
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
      this.#last = undefined
    }
    this.#byText.set(key, endpoint)
    return endpoint
  }
}

/** Where the IPv4 address stands in a sockaddr, one in IPv6's mapped form included; undefined in any other of IPv6. */
function addressAt(view: DataView, offset: number): number | undefined {
  const family = view.getUint16(offset, true)
  if (family === AF_INET) return offset + 4
  if (family !== AF_INET6 || view.getUint32(offset + 16) !== 0xffff) return undefined
  return view.getUint32(offset + 8) === 0 && view.getUint32(offset + 12) === 0 ? offset + 20 : undefined
}
