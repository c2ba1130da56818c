import { WeftError, fromBase64Url, toBase64Url } from '@weft/core'
import { type SignedEnvelope, SigningKey, toDidKey, fromDidKey, type DidKey } from '@weft/crypto'
import { decodeCanonical, encodeCanonical } from '../codec/canonical-cbor.ts'
import { bytesOf, listOf, textOf, tupleOf } from '../codec/strict-values.ts'
import { nodeAddressOf } from '../network/node-address.ts'
import { NETWORK_ID } from '../network/network-id.ts'
import { MAX_ADDRESSES } from '../network/place.ts'
import { MAX_INVITATION, decodeInvitation } from './invitation.ts'
import type { IssuedInvitation } from './issue-invitation.ts'

/** A node that whoever joins may ask for the network file. */
export interface BootstrapNode {
  readonly id: DidKey
  readonly addresses: readonly string[]
}

/** All that a person needs to join a network. A secret, when it holds an invitation. */
export interface JoinToken {
  /** The id of the network, by which the file is known to be the right one. */
  readonly network: string
  readonly bootstrap: readonly BootstrapNode[]
  /** Undefined in a network that is open. */
  readonly invitation: IssuedInvitation | undefined
}

const PREFIX = 'weft-join-'
const VERSION = 1
/** Nodes that a token names at most: it is pasted by people. */
export const MAX_BOOTSTRAP_NODES = 4
/** Characters; all that a token may hold fits. */
export const MAX_JOIN_TOKEN = 6 * 1024
const MAX_BYTES = 4 * 1024

export function formatJoinToken({ network, bootstrap, invitation }: JoinToken): string {
  const nodes = bootstrap.map(({ id, addresses }) => [fromDidKey(id), addresses])
  return PREFIX + toBase64Url(encodeCanonical([VERSION, network, nodes, invitationField(invitation)]))
}

/** @throws WeftError E_JOIN_TOKEN, E_INVITE_MALFORMED; neither shows any of the token */
export function parseJoinToken(text: string): JoinToken {
  if (!text.startsWith(PREFIX)) throw refuse(`it does not begin with ${PREFIX}`)
  if (text.length > MAX_JOIN_TOKEN) throw refuse(`it has ${text.length} characters; the limit is ${MAX_JOIN_TOKEN}`)
  const tuple = tupleOf(decodeCanonical(bytesIn(text.slice(PREFIX.length)), MAX_BYTES, hidden), 'token', 4, hidden)
  const [version, network, nodes, invitation] = tuple
  if (version !== VERSION) throw refuse('it is of another version')
  return {
    network: textOf(network, 'network', NETWORK_ID, 33, hidden),
    bootstrap: listOf(nodes, 'nodes', 1, MAX_BOOTSTRAP_NODES, hidden, bootstrapNodeOf),
    invitation: issuedOf(invitation),
  }
}

function bootstrapNodeOf(value: unknown, path: string): BootstrapNode {
  const [key, addresses] = tupleOf(value, path, 2, hidden)
  return {
    id: toDidKey(bytesOf(key, path, 32, hidden)),
    addresses: listOf(addresses, path, 1, MAX_ADDRESSES, hidden, (item, at) => nodeAddressOf(item, at, hidden)),
  }
}

function invitationField(issued: IssuedInvitation | undefined): unknown {
  if (issued === undefined) return null
  const { payload, signer, signature } = issued.envelope
  return [payload, signer, signature, issued.seed]
}

function issuedOf(value: unknown): IssuedInvitation | undefined {
  if (value === null) return undefined
  const [payload, signer, signature, seed] = tupleOf(value, 'invitation', 4, hidden)
  if (!(payload instanceof Uint8Array) || payload.length > MAX_INVITATION) throw hidden()
  const envelope: SignedEnvelope = {
    payload,
    signer: bytesOf(signer, 'signer', 32, hidden),
    signature: bytesOf(signature, 'signature', 64, hidden),
  }
  const secret = bytesOf(seed, 'seed', 32, hidden)
  const invitation = decodeInvitation(payload)
  if (Buffer.compare(new SigningKey(secret).publicKey, invitation.key) !== 0) throw hidden()
  return { invitation, envelope, seed: secret }
}

function bytesIn(text: string): Uint8Array {
  try {
    return fromBase64Url(text)
  } catch {
    throw hidden()
  }
}

/** Words of a parser would show parts of the token. */
function hidden(): WeftError {
  return refuse('a part of it is missing or was changed')
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_JOIN_TOKEN',
    cause: `This is no join token that can be read: ${why}.`,
    fix: 'Copy the whole line that weft network invite printed; it begins with weft-join-.',
  })
}
