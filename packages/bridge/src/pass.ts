import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { concatBytes, fromBase64Url, toBase64Url, utf8 } from '@weft/core'
import { ID_BYTES, SECRET_BYTES } from './bridge-line.ts'
import { type Endpoint, decodeEndpoint, encodeEndpoint } from './endpoint.ts'

const VERSION = 1
const MAC_BYTES = 32
const LABEL = utf8('weft:bridge:v1\0')
/** Characters of the longest pass: that for an IPv6 address. */
const MAX_PASS = Math.ceil(((1 + ID_BYTES + MAC_BYTES + 19) * 4) / 3)

/** What an invitation is recognised by. */
export interface Credential {
  readonly id: Uint8Array
  readonly secret: Uint8Array
}

export interface PassContent {
  readonly id: Uint8Array
  readonly mac: Uint8Array
  readonly target: Endpoint
}

/**
 * What belongs to one TLS connection and to no other: `tls-exporter` of RFC 9266. So a pass is of no use on another connection, also to
 * somebody who stands between and ends TLS himself.
 * @throws Error before the handshake is done
 */
export function bindingOf(socket: TLSSocket): Uint8Array {
  return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
}

/**
 * version 1 ‖ id 8 ‖ HMAC-SHA256 (RFC 2104) keyed with the secret, of `weft:bridge:v1\0` ‖ binding 32 ‖ id ‖ target, 32 ‖ target; as
 * base64url.
 */
export function makePass({ id, secret }: Credential, binding: Uint8Array, target: Endpoint): string {
  const where = encodeEndpoint(target)
  return toBase64Url(concatBytes([Uint8Array.of(VERSION), id, macOf(secret, binding, id, where), where]))
}

/** What a text says that has the form of a pass; undefined for all others. */
export function parsePass(text: string): PassContent | undefined {
  if (text.length > MAX_PASS) return undefined
  let bytes: Uint8Array
  try {
    bytes = fromBase64Url(text)
  } catch {
    return undefined
  }
  const head = 1 + ID_BYTES + MAC_BYTES
  const where = decodeEndpoint(bytes.subarray(head))
  if (bytes[0] !== VERSION || where === undefined || bytes.length !== head + where.length) return undefined
  return { id: bytes.slice(1, 1 + ID_BYTES), mac: bytes.slice(1 + ID_BYTES, head), target: where.endpoint }
}

/** For an invitation that is not known: so that it takes as long to find that out as that the MAC is wrong. */
const NOBODY = new Uint8Array(randomBytes(SECRET_BYTES))

/** @param secret of the invitation that the pass names; undefined when there is none */
export function isPassOf(
  secret: Uint8Array | undefined,
  { id, mac, target }: PassContent,
  binding: Uint8Array,
): boolean {
  const expected = macOf(secret ?? NOBODY, binding, id, encodeEndpoint(target))
  return timingSafeEqual(mac, expected) && secret !== undefined
}

function macOf(secret: Uint8Array, binding: Uint8Array, id: Uint8Array, target: Uint8Array): Uint8Array {
  return createHmac('sha256', secret).update(LABEL).update(binding).update(id).update(target).digest()
}
