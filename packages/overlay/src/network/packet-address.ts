import { isIPv4 } from 'node:net'
import type { Refusal } from '../codec/strict-values.ts'
import { MAX_ADDRESS_LENGTH, isOneSpelling } from './node-address.ts'

/** Where a node takes packets of the VPN: an IP address and a UDP port. */
export interface PacketAddress {
  /** An IPv4 or IPv6 literal in its canonical spelling. */
  readonly host: string
  readonly port: number
}

const FORM = /^\/(ip4|ip6)\/([0-9a-f.:]+)\/udp\/([1-9][0-9]{0,4})$/

/** Reads a multiaddr of the form `/ip4|ip6/ADDRESS/udp/PORT`, in its one canonical spelling like `parseNodeAddress`. */
export function parsePacketAddress(text: string): PacketAddress | undefined {
  if (text.length > MAX_ADDRESS_LENGTH) return undefined
  const [, family = '', host = '', port] = FORM.exec(text) ?? []
  if (!isOneSpelling(family, host) || Number(port) > 65_535) return undefined
  return { host, port: Number(port) }
}

/** The multiaddr of a packet address. */
export function formatPacketAddress({ host, port }: PacketAddress): string {
  return `/${isIPv4(host) ? 'ip4' : 'ip6'}/${host}/udp/${port}`
}

/** @throws refusal when it is not an address that packets can be sent to. */
export function packetAddressOf(value: unknown, path: string, refuse: Refusal): string {
  if (typeof value !== 'string' || parsePacketAddress(value) === undefined) {
    const seen = typeof value === 'string' ? `'${value.slice(0, 80)}'` : typeof value
    throw refuse(`${path} must be an address like /ip4/192.0.2.1/udp/4782, in its canonical spelling, and is ${seen}`)
  }
  return value
}
