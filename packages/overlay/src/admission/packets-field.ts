import { bytesOf, distinct, listOf, type Refusal, tupleOf } from '../codec/strict-values.ts'
import type { PacketService } from '../member.ts'
import { packetAddressOf } from '../network/packet-address.ts'
import { MAX_PACKET_ADDRESSES } from '../network/place.ts'

/** The field `packets` of a certificate body as it is encoded: null, or addresses and keys. */
export function packetsField(packets: PacketService | undefined): unknown {
  return packets === undefined ? null : [packets.addresses, packets.linkKey, packets.onionKey]
}

/** @throws refusal */
export function packetsOf(value: unknown, refuse: Refusal): PacketService | undefined {
  if (value === null) return undefined
  const [addresses, linkKey, onionKey] = tupleOf(value, 'packets', 3, refuse)
  return {
    addresses: distinct(
      listOf(addresses, 'packets.addresses', 1, MAX_PACKET_ADDRESSES, refuse, (item, path) =>
        packetAddressOf(item, path, refuse),
      ),
      'packets.addresses',
      refuse,
    ),
    linkKey: agreementKeyOf(linkKey, 'packets.linkKey', refuse),
    onionKey: agreementKeyOf(onionKey, 'packets.onionKey', refuse),
  }
}

/** With the key of all zeros every secret is zero (RFC 7748, section 6.1). @throws refusal */
function agreementKeyOf(value: unknown, path: string, refuse: Refusal): Uint8Array {
  const key = bytesOf(value, path, 32, refuse)
  if (key.every((byte) => byte === 0)) throw refuse(`${path} is all zeros, which is no key`)
  return key
}
