import { WeftError } from '@weft/core'
import { MAX_HOST_BYTES } from './protocol.ts'

/**
 * True when OPEN can carry `host`: 1 to 255 characters of printable ASCII, no space. That is what a name (in other scripts its
 * punycode, RFC 5891) or an address literal can be made of, and safe in a log.
 */
export function isTargetHost(host: string): boolean {
  return host.length <= MAX_HOST_BYTES && /^[\x21-\x7e]+$/.test(host)
}

/** @throws WeftError E_TARGET_INVALID when OPEN cannot carry the target */
export function checkTarget(host: string, port: number): void {
  if (isTargetHost(host) && Number.isInteger(port) && port >= 1 && port <= 65_535) return
  throw new WeftError({
    code: 'E_TARGET_INVALID',
    cause: `A stream cannot lead to port ${port} of a host of ${host.length} characters.`,
    fix: 'Name a host of 1 to 255 ASCII characters without spaces, and a port from 1 to 65535.',
  })
}
