import { BlockList, isIP } from 'node:net'
import { WeftError } from './error.ts'

/** Addresses and ports, as `CIDR:PORT`, `CIDR:FIRST-LAST` or `CIDR:*`; an IPv6 CIDR stands in brackets. */
export interface PortRule {
  matches(address: string, port: number): boolean
}

const FORM = /^(?:\[([0-9a-f:.]+)(?:\/(\d{1,3}))?\]|([0-9.]+)(?:\/(\d{1,2}))?):(?:(\*)|(\d{1,5})(?:-(\d{1,5}))?)$/

/** @throws WeftError E_EXIT_RULE */
export function parsePortRule(text: string): PortRule {
  const match = FORM.exec(text)
  const [, v6, v6bits, v4, v4bits, any, first, last] = match ?? []
  const network = v6 ?? v4 ?? ''
  const family = isIP(network)
  const whole = family === 6 ? 128 : 32
  const bits = Number((v6 === undefined ? v4bits : v6bits) ?? whole)
  const from = any === undefined ? Number(first) : 1
  const to = any === undefined ? Number(last ?? first) : 65_535
  if (match === null && FORM.test(`${text}:*`))
    throw refuse(text, 'a colon and a port, a range of ports, or * behind its address')
  if (match === null || family === 0 || (family === 6) !== (v6 !== undefined) || bits > whole)
    throw refuse(text, 'an address with or without /bits before the colon')
  if (from < 1 || to > 65_535 || from > to) throw refuse(text, 'a port of 1 to 65535, a range of them, or * behind it')
  const list = new BlockList()
  const type = family === 6 ? 'ipv6' : 'ipv4'
  list.addSubnet(network, bits, type)
  return {
    matches: (address, port) => port >= from && port <= to && isIP(address) === family && list.check(address, type),
  }
}

function refuse(text: string, valid: string): WeftError {
  return new WeftError({
    code: 'E_EXIT_RULE',
    cause: `'${text.slice(0, 80)}' is no rule for an exit: it needs ${valid}.`,
    fix: 'Write rules like 192.0.2.0/24:443, 127.0.0.1/32:8000-8999 or [2001:db8::/32]:*.',
  })
}
