import { createHash } from 'node:crypto'
import { WeftError, concatBytes, equalBytes, fromBase64Url, toBase64Url, utf8 } from '@weft/core'
import { type Endpoint, decodeEndpoint, encodeEndpoint } from './endpoint.ts'

/** All that a client has to know of a bridge. A secret: who has it may use the bridge, and finds it. */
export interface Bridge {
  readonly endpoint: Endpoint
  /** 32 bytes: SHA-256 of the public key in its certificate (SubjectPublicKeyInfo, DER; RFC 7469, section 2.4). */
  readonly pin: Uint8Array
  /** 8 bytes: which invitation it is. */
  readonly id: Uint8Array
  /** 32 bytes. */
  readonly secret: Uint8Array
  /** What the client says in TLS as the name of the server (RFC 6066, section 3); empty for nothing. */
  readonly serverName: string
}

const PIN_BYTES = 32
export const ID_BYTES = 8
export const SECRET_BYTES = 32
const CHECK_BYTES = 4
const PREFIX = 'weft-bridge-'
const VERSION = 1
/** Characters; all that a line may hold fits. */
export const MAX_BRIDGE_LINE = 512

/** Labels of letters, digits and hyphens (RFC 952, RFC 1123, section 2.1), at least two; never an address. */
const SERVER_NAME = /^(?=.{3,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/

export function isServerName(text: string): boolean {
  return SERVER_NAME.test(text)
}

/** version 1 ‖ id 8 ‖ secret 32 ‖ pin 32 ‖ endpoint ‖ length 1 ‖ server name ‖ first 4 bytes of SHA-256 of all this. */
export function formatBridgeLine({ endpoint, pin, id, secret, serverName }: Bridge): string {
  const name = utf8(serverName)
  const body = concatBytes([
    Uint8Array.of(VERSION),
    id,
    secret,
    pin,
    encodeEndpoint(endpoint),
    Uint8Array.of(name.length),
    name,
  ])
  return PREFIX + toBase64Url(concatBytes([body, checkOf(body)]))
}

/** @throws WeftError E_BRIDGE_LINE, which shows nothing of the line */
export function parseBridgeLine(text: string): Bridge {
  if (!text.startsWith(PREFIX)) throw refuse(`it does not begin with ${PREFIX}`)
  if (text.length > MAX_BRIDGE_LINE) throw refuse(`it has ${text.length} characters; the limit is ${MAX_BRIDGE_LINE}`)
  const bytes = bytesIn(text.slice(PREFIX.length))
  if (bytes.length <= CHECK_BYTES) throw hidden()
  const body = bytes.subarray(0, -CHECK_BYTES)
  if (!equalBytes(checkOf(body), bytes.subarray(-CHECK_BYTES))) throw hidden()
  if (body[0] !== VERSION) throw refuse('it is of another version')
  let at = 1
  const take = (length: number): Uint8Array => body.slice(at, (at += length))
  const id = take(ID_BYTES)
  const secret = take(SECRET_BYTES)
  const pin = take(PIN_BYTES)
  const where = decodeEndpoint(body.subarray(at))
  if (where === undefined) throw hidden()
  at += where.length
  const [length = -1] = take(1)
  const name = take(Math.max(length, 0))
  const serverName = String.fromCharCode(...name)
  if (name.length !== length || at !== body.length || (serverName !== '' && !isServerName(serverName))) throw hidden()
  return { endpoint: where.endpoint, pin, id, secret, serverName }
}

function checkOf(body: Uint8Array): Uint8Array {
  return createHash('sha256').update(body).digest().subarray(0, CHECK_BYTES)
}

function bytesIn(text: string): Uint8Array {
  try {
    return fromBase64Url(text)
  } catch {
    throw hidden()
  }
}

/** Words of a parser would show parts of the line. */
function hidden(): WeftError {
  return refuse('a part of it is missing or was changed')
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_BRIDGE_LINE',
    cause: `This is no line of a bridge that can be read: ${why}.`,
    fix: 'Copy the whole line that weft bridge invite printed; it begins with weft-bridge-.',
  })
}
