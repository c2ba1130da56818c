import { WeftError } from '@weft/core'
import { sha256 } from '@weft/crypto'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, distinct, integerOf, listOf, textOf, timeOf, tupleOf } from '../codec/strict-values.ts'
import { ROLES, type Role } from '../member.ts'
import { roleOf } from '../network/network-file.ts'
import { NETWORK_ID } from '../network/network-id.ts'

/** What an inviter signs (purpose `invitation`): who may become a member, and within which limits. */
export interface Invitation {
  readonly network: string
  /** 32 bytes, Ed25519: made for this invitation. Who has its secret half may use it. */
  readonly key: Uint8Array
  /** Roles that may be asked for. */
  readonly roles: readonly Role[]
  /** Nodes that may be members by it at a time. */
  readonly uses: number
  /** ms since the Unix epoch: until when a node may join by it. Members go on behind it. */
  readonly expiresAt: number
  /** 32 bytes: the only node that may use it. */
  readonly node: Uint8Array | undefined
}

/** Bytes of one encoded invitation at most. */
export const MAX_INVITATION = 256
/** Nodes by one invitation at most: each is a row in the database of a validator. */
export const MAX_USES = 10_000
/** Roles that an invitation may give; that of a validator makes a candidate for a seat. */
export const INVITED_ROLES: readonly Role[] = ROLES.filter((role) => role !== 'client')
const VERSION = 1

export function encodeInvitation({ network, key, roles, uses, expiresAt, node }: Invitation): Uint8Array {
  return encodeCanonical([VERSION, network, key, roles, uses, expiresAt, node ?? null])
}

/** @throws WeftError E_INVITE_MALFORMED */
export function decodeInvitation(bytes: Uint8Array): Invitation {
  const tuple = tupleOf(decodeCanonical(bytes, MAX_INVITATION, refuse), 'invitation', 7, refuse)
  const [version, network, key, roles, uses, expiresAt, node] = tuple
  integerOf(version, 'version', VERSION, VERSION, refuse)
  return {
    network: textOf(network, 'network', NETWORK_ID, 33, refuse),
    key: bytesOf(key, 'key', 32, refuse),
    roles: distinct(
      listOf(roles, 'roles', 1, INVITED_ROLES.length, refuse, (item, path) => roleOf(item, path, refuse)),
      'roles',
      refuse,
    ),
    uses: integerOf(uses, 'uses', 1, MAX_USES, refuse),
    expiresAt: timeOf(expiresAt, 'expiresAt', refuse),
    node: node === null ? undefined : bytesOf(node, 'node', 32, refuse),
  }
}

/** The name of an invitation: SHA-256 of what was signed. */
export function invitationId(payload: Uint8Array): Uint8Array {
  return sha256(payload)
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_INVITE_MALFORMED',
    cause: `An invitation cannot be used: ${why}.`,
    fix: 'Ask whoever invited you for a new one (weft network invite); update the older of the two sides.',
  })
}
