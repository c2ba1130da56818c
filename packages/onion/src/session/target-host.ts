import { WeftError } from '@weft/core'
import { MAX_HOST_BYTES, MAX_SERVICE_BYTES, MEMBER_KEY_BYTES } from './protocol.ts'

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

/** True for the name of a service: 1 to 32 lower-case letters, digits and hyphens. */
export function isServiceName(name: string): boolean {
  return name.length <= MAX_SERVICE_BYTES && /^[a-z0-9-]+$/.test(name)
}

/** @throws WeftError E_TARGET_INVALID when OPEN cannot carry the service */
export function checkService(name: string, member: Uint8Array | undefined): void {
  if (isServiceName(name) && member?.length === MEMBER_KEY_BYTES) return
  throw new WeftError({
    code: 'E_TARGET_INVALID',
    cause: `A stream cannot lead to a service with a name of ${name.length} characters of a member with a key of ${member?.length ?? 0} bytes.`,
    fix: 'Name a service by 1 to 32 lower-case letters, digits and hyphens, and its member by its key of 32 bytes.',
  })
}
