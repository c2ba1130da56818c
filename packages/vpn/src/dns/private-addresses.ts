import { addressReach } from '@weft/core'
import { ipFromBytes } from '@weft/onion'
import { TYPE } from './dns-codes.ts'
import { type DnsRecord, u16 } from './dns-message.ts'

/** Keys of parameters that name addresses (RFC 9460, section 14.3.2). */
const IPV4_HINT = 4
const IPV6_HINT = 6

/**
 * True when an answer names an address that is not public. Whoever runs a name can let it lead into the program's own network (DNS
 * rebinding), where the exit's guard does not stand.
 */
export function namesPrivateAddress(bytes: Uint8Array, records: readonly DnsRecord[]): boolean {
  return records.some((record) => isPrivate(bytes, record))
}

function isPrivate(bytes: Uint8Array, { type, dataAt, end }: DnsRecord): boolean {
  const data = bytes.subarray(dataAt, end)
  if (type === TYPE.a) return data.length !== 4 || !isPublic(data)
  if (type === TYPE.aaaa) return data.length !== 16 || !isPublic(data)
  if (type === TYPE.svcb || type === TYPE.https) return hasPrivateHint(data)
  return false
}

function isPublic(address: Uint8Array): boolean {
  return addressReach(ipFromBytes(address)) === 'global'
}

/** What cannot be read counts as private: a program may read it in another way. */
function hasPrivateHint(data: Uint8Array): boolean {
  // Priority, then a name that is never compressed.
  let at = 2
  for (let length = data[at]; length !== 0; length = data[at]) {
    if (length === undefined || length >= 64) return true
    at += 1 + length
  }
  at++
  while (at < data.length) {
    const [key, length] = [u16(data, at), u16(data, at + 2)]
    const from = at + 4
    at = from + length
    if (at > data.length) return true
    const size = key === IPV4_HINT ? 4 : key === IPV6_HINT ? 16 : 0
    if (size === 0) continue
    if (length % size !== 0) return true
    for (let hint = from; hint < at; hint += size) if (!isPublic(data.subarray(hint, hint + size))) return true
  }
  return false
}
