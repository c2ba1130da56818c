// Messages of netlink in the byte order of the machine, which is little-endian here (linux/netlink.h, nfnetlink.h, nfnetlink_conntrack.h).

const HEADER_BYTES = 16
/** Behind the header: family, version, resource. */
const ATTRIBUTES_AT = HEADER_BYTES + 4
const ATTRIBUTE_HEADER_BYTES = 4
const GET = 0x101
const NEW = 0x100
const DELETE = 0x102
const ERROR = 2
const DONE = 3
const REQUEST = 1
const DUMP = 0x300
const TYPE_MASK = 0x3fff
/** Attributes of an entry, and of a tuple in it. */
const TUPLE_ORIG = 1
const STATUS = 3
const ID = 12
const ZONE = 18
const STATUS_MASK = 26
const TUPLE_IP = 1
const SOURCE4 = 1
const SOURCE6 = 3
/** The source is another outside, as of all that is masqueraded. */
const SOURCE_NAT = 0x10

export const AF_INET = 2
export const AF_INET6 = 10

/** Whether an entry is looked for that the address at `at` began, of 4 or 16 bytes. */
export type IsWanted = (bytes: Uint8Array, at: number, length: number) => boolean

/** What a part of the answer to {@link dumpMessage} says. */
export interface DumpPart {
  /** Messages that remove those of its entries that are wanted. */
  readonly removals: readonly Buffer[]
  readonly isLast: boolean
}

/** Asks for the entries whose source is another outside; a kernel that does not look at that (before Linux 5.17) gives all. */
export function dumpMessage(family: number): Buffer {
  const flag = Buffer.alloc(4)
  flag.writeUInt32BE(SOURCE_NAT)
  return message(GET, DUMP, family, [attribute(STATUS, flag), attribute(STATUS_MASK, flag)])
}

/** @throws Error when the kernel refused */
export function readDump(part: Buffer, isWanted: IsWanted): DumpPart {
  const removals: Buffer[] = []
  for (let at = 0; at + HEADER_BYTES <= part.length;) {
    const length = part.readUInt32LE(at)
    const end = at + length
    if (length < ATTRIBUTES_AT || end > part.length) throw new Error('a message of conntrack is cut off')
    const type = part.readUInt16LE(at + 4)
    if (type === DONE) return { removals, isLast: true }
    if (type === ERROR) throw new Error(`conntrack: errno ${-part.readInt32LE(at + HEADER_BYTES)}`)
    if (type === NEW && hasWantedSource(part, at, end, isWanted)) removals.push(removalOf(part, at, end))
    at += aligned(length)
  }
  return { removals, isLast: false }
}

function hasWantedSource(part: Buffer, at: number, end: number, isWanted: IsWanted): boolean {
  const tuple = find(part, at + ATTRIBUTES_AT, end, TUPLE_ORIG)
  const ip = tuple < 0 ? -1 : find(part, tuple + ATTRIBUTE_HEADER_BYTES, endOf(part, tuple), TUPLE_IP)
  if (ip < 0) return false
  const isIPv4 = part[at + HEADER_BYTES] === AF_INET
  const source = find(part, ip + ATTRIBUTE_HEADER_BYTES, endOf(part, ip), isIPv4 ? SOURCE4 : SOURCE6)
  if (source < 0) return false
  const length = part.readUInt16LE(source) - ATTRIBUTE_HEADER_BYTES
  return length === (isIPv4 ? 4 : 16) && isWanted(part, source + ATTRIBUTE_HEADER_BYTES, length)
}

/** By its tuple, without which such a message would remove all entries that there are; and by its id, as it may be another by now. */
function removalOf(part: Buffer, at: number, end: number): Buffer {
  const same = [TUPLE_ORIG, ID, ZONE].flatMap((type) => {
    const found = find(part, at + ATTRIBUTES_AT, end, type)
    return found < 0 ? [] : [part.subarray(found, found + aligned(part.readUInt16LE(found)))]
  })
  return message(DELETE, 0, part[at + HEADER_BYTES] as number, same)
}

/** Where the first attribute of a type is; -1 when there is none. */
function find(bytes: Buffer, from: number, end: number, type: number): number {
  for (let at = from; at + ATTRIBUTE_HEADER_BYTES <= end; at = aligned(endOf(bytes, at))) {
    const attributeEnd = endOf(bytes, at)
    if (attributeEnd < at + ATTRIBUTE_HEADER_BYTES || attributeEnd > end) return -1
    if ((bytes.readUInt16LE(at + 2) & TYPE_MASK) === type) return at
  }
  return -1
}

function endOf(bytes: Buffer, at: number): number {
  return at + bytes.readUInt16LE(at)
}

function attribute(type: number, content: Uint8Array): Buffer {
  const header = Buffer.alloc(ATTRIBUTE_HEADER_BYTES)
  header.writeUInt16LE(ATTRIBUTE_HEADER_BYTES + content.length)
  header.writeUInt16LE(type, 2)
  return Buffer.concat([header, content])
}

function message(type: number, flags: number, family: number, attributes: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(ATTRIBUTES_AT), ...attributes])
  bytes.writeUInt32LE(bytes.length)
  bytes.writeUInt16LE(type, 4)
  bytes.writeUInt16LE(REQUEST | flags, 6)
  bytes[HEADER_BYTES] = family
  return bytes
}

function aligned(length: number): number {
  return (length + 3) & ~3
}
