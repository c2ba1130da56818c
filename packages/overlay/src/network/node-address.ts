import { isIPv4 } from 'node:net'
import { canonicalHost, mappedIPv4 } from '@weft/core'
import type { Refusal } from '../codec/strict-values.ts'

/** Where a node listens: an IP address, a TCP port, and whether WebSocket is spoken there. */
export interface NodeAddress {
  /** An IPv4 or IPv6 literal. */
  readonly host: string
  readonly port: number
  readonly websocket: boolean
}

/** Longest address as text: `/ip6/` + 39 + `/tcp/65535/ws`. */
export const MAX_ADDRESS_LENGTH = 64

const FORM = /^\/(ip4|ip6)\/([0-9a-fA-F.:]+)\/tcp\/([1-9][0-9]{0,4})(\/ws)?$/

/**
 * Reads a multiaddr of the two forms that this version dials: `/ip4|ip6/ADDRESS/tcp/PORT[/ws]`. Names (dns4) are left
 * out on purpose: diversity rules and dial-back need the address itself, and a name can be pointed elsewhere later.
 * An address has one spelling here, its canonical one, and IPv4 is never written as IPv6: otherwise one host could
 * pass for several.
 */
export function parseNodeAddress(text: string): NodeAddress | undefined {
  if (text.length > MAX_ADDRESS_LENGTH) return undefined
  const match = FORM.exec(text)
  if (match === null) return undefined
  const [, family = '', host = '', port, websocket] = match
  if (!isOneSpelling(family, host) || Number(port) > 65_535) return undefined
  return { host, port: Number(port), websocket: websocket !== undefined }
}

/** Whether a host stands in a multiaddr as it must: `ip4` or `ip6` as it is, canonical, and no IPv4 in IPv6 form. */
export function isOneSpelling(family: string, host: string): boolean {
  return canonicalHost(host) === host && isIPv4(host) === (family === 'ip4') && mappedIPv4(host) === undefined
}

/** @throws refusal when it is not an address that can be dialled. */
export function nodeAddressOf(value: unknown, path: string, refuse: Refusal): string {
  if (typeof value !== 'string' || parseNodeAddress(value) === undefined) {
    const seen = typeof value === 'string' ? `'${value.slice(0, 80)}'` : typeof value
    throw refuse(`${path} must be an address like /ip4/192.0.2.1/tcp/4780, in its canonical spelling, and is ${seen}`)
  }
  return value
}
