import { peerIdFromString } from '@libp2p/peer-id'
import { type DidKey, isDidKey } from '@weft/crypto'
import type { Refusal } from '../codec/strict-values.ts'
import { didOfPeer, toPeerId } from '../transport/peer-id.ts'
import { nodeAddressOf, parseNodeAddress } from './node-address.ts'

/** `/p2p/`, an id of 52 characters, `/p2p-circuit`. */
const FORM = /^\/p2p\/(12D3KooW[1-9A-HJ-NP-Za-km-z]{44})\/p2p-circuit$/

/** Longest address of a certificate as text; those of nodes that listen are shorter. */
export const MAX_CERTIFIED_ADDRESS = 69

/**
 * The address of a node that is reached through another: `/p2p/RELAY/p2p-circuit`, RELAY being the peer id of an Ed25519
 * key. Where the relay itself is stands in its own certificate and nowhere else, so that there is one spelling of it.
 */
export function formatRelayedAddress(relay: DidKey): string {
  return `/p2p/${toPeerId(relay).toString()}/p2p-circuit`
}

/** The relay of such an address; undefined for anything else. */
export function parseRelayedAddress(text: string): DidKey | undefined {
  const [, peer] = FORM.exec(text) ?? []
  if (peer === undefined) return undefined
  try {
    const relay = didOfPeer(peerIdFromString(peer))
    return isDidKey(relay) && formatRelayedAddress(relay) === text ? relay : undefined
  } catch {
    return undefined
  }
}

/** What a certificate may hold: where a node listens, or through whom it is reached. @throws refusal */
export function certifiedAddressOf(value: unknown, path: string, refuse: Refusal): string {
  if (typeof value === 'string' && parseNodeAddress(value) === undefined && parseRelayedAddress(value) !== undefined)
    return value
  return nodeAddressOf(value, path, refuse)
}
