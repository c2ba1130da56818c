import type { Endpoint } from '@weft/onion'
import type { SegmentBatch } from './segment-batch.ts'
import { AF_INET6, type AddressFamily, encodeSocketAddress } from './socket-address.ts'

/** Destinations remembered; beyond it all are forgotten and made again. */
const CAPACITY = 4_096

/** What sending to an endpoint needs. */
export interface Destination {
  /** As node:dgram takes it: IPv4 in its mapped form on an IPv6 socket. */
  readonly host: string
  readonly port: number
  readonly socketAddress: Uint8Array
  /** Packets go there as two datagrams each. */
  readonly halved: boolean
  /** Whether the kernel takes several packets as one on the way there; false once it refused. */
  segmented: boolean
  /** What waits to be sent there. */
  batch: SegmentBatch<Destination> | undefined
}

/** Finds the destination of an endpoint: by the object, and by what it says when the object is a new one. */
export class DestinationTable {
  readonly #family: AddressFamily
  readonly #takesIPv4: boolean
  readonly #byText = new Map<string, Destination>()
  #byObject = new WeakMap<Endpoint, Destination>()
  #lastEndpoint: Endpoint | undefined
  #last: Destination | undefined

  /** @param dual whether an IPv6 socket sends to IPv4 as well */
  constructor(family: AddressFamily, dual: boolean) {
    this.#family = family
    this.#takesIPv4 = family !== AF_INET6 || dual
  }

  /** Undefined when the socket cannot send there. */
  of(endpoint: Endpoint): Destination | undefined {
    if (endpoint === this.#lastEndpoint) return this.#last
    let destination = this.#byObject.get(endpoint)
    if (destination === undefined) {
      destination = this.#find(endpoint)
      if (destination === undefined) return undefined
      this.#byObject.set(endpoint, destination)
    }
    this.#lastEndpoint = endpoint
    this.#last = destination
    return destination
  }

  #find(endpoint: Endpoint): Destination | undefined {
    const halved = endpoint.over === 'halves'
    const key = `${endpoint.address}|${endpoint.port}${halved ? '|2' : ''}`
    const known = this.#byText.get(key)
    if (known !== undefined) return known
    const isV4 = !endpoint.address.includes(':')
    const socketAddress = isV4 && !this.#takesIPv4 ? undefined : encodeSocketAddress(endpoint, this.#family)
    if (socketAddress === undefined) return undefined
    if (this.#byText.size >= CAPACITY) {
      this.#byText.clear()
      this.#byObject = new WeakMap()
    }
    const host = isV4 && this.#family === AF_INET6 ? `::ffff:${endpoint.address}` : endpoint.address
    const destination = { host, port: endpoint.port, socketAddress, halved, segmented: true, batch: undefined }
    this.#byText.set(key, destination)
    return destination
  }
}
