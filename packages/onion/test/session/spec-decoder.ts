/**
 * A decoder of packets by the tables of docs/specs/session.md alone, to see that the text suffices: it knows nothing of
 * src/session, and is slow. What it throws means a malformed packet.
 */

export type Fields = Record<string, unknown>

class Malformed extends Error {
  override readonly name = 'Malformed'
}

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Malformed(what)
}

class Bytes {
  #left: Buffer

  constructor(all: Uint8Array) {
    this.#left = Buffer.from(all)
  }

  get length(): number {
    return this.#left.length
  }

  take(length: number): Buffer {
    must(length <= this.#left.length, 'the packet ends before the frame does')
    const taken = this.#left.subarray(0, length)
    this.#left = this.#left.subarray(length)
    return taken
  }

  fixed(length: 1 | 2): number {
    return this.take(length).readUIntBE(0, length)
  }

  /** RFC 9000, section 16, the shortest form only, up to 2^53 - 1. */
  integer(): number {
    must(this.#left.length > 0, 'an integer is missing')
    const form = (this.#left[0] as number) >> 6
    let value = 0n
    for (const [at, byte] of this.take(2 ** form).entries())
      value = value * 256n + BigInt(at === 0 ? byte & 0x3f : byte)
    const shortest = [6n, 14n, 30n, 62n].findIndex((bits) => value < 2n ** bits)
    must(shortest === form, 'not the shortest form')
    must(value < 2n ** 53n, 'beyond 2^53 - 1')
    return Number(value)
  }

  /** 0, 4, 8, … */
  stream(): number {
    const id = this.integer()
    must(id % 4 === 0, 'not opened by a client')
    return id
  }
}

export function decodeBySpec(payload: Uint8Array): Fields[] {
  const bytes = new Bytes(payload)
  const frames: Fields[] = []
  while (bytes.length > 0) {
    const type = bytes.fixed(1)
    if (type === 0x00) {
      must(
        bytes.take(bytes.length).every((byte) => byte === 0),
        'padding',
      )
    } else frames.push(decodeFrame(type, bytes))
  }
  return frames
}

const hex = (bytes: Buffer): string => bytes.toString('hex')

function decodeFrame(type: number, bytes: Bytes): Fields {
  if (type >= 0x08 && type <= 0x0f) return decodeStream(type, bytes)
  if (type >= 0x38 && type <= 0x3f) return decodeDatagram(type, bytes)
  const decode = PLAIN[type]
  must(decode !== undefined, 'no such type')
  return decode(bytes)
}

/** Fields in the order of the table: an object's are evaluated in it. */
const PLAIN: Record<number, (bytes: Bytes) => Fields> = {
  0x01: () => ({ frame: 'PING' }),
  0x02: decodeAck,
  0x04: (b) => ({ frame: 'RESET_STREAM', stream: b.stream(), code: b.integer(), finalSize: b.integer() }),
  0x05: (b) => ({ frame: 'STOP_SENDING', stream: b.stream(), code: b.integer() }),
  0x10: (b) => ({ frame: 'MAX_DATA', limit: b.integer() }),
  0x11: (b) => ({ frame: 'MAX_STREAM_DATA', stream: b.stream(), limit: b.integer() }),
  0x12: (b) => ({ frame: 'MAX_STREAMS', limit: b.integer() }),
  0x1c: decodeClose,
  0x20: (b) => ({ frame: 'NAME', name: hex(b.take(32)) }),
  0x21: (b) => ({ frame: 'JOIN', leg: b.integer(), status: statusOf(b, 1), name: hex(b.take(32)) }),
  0x22: (b) => ({ frame: 'LEG', leg: b.integer(), sequence: b.integer(), status: statusOf(b, 0) }),
  0x30: decodeOpen,
  0x31: (b) => ({ frame: 'OPENED', stream: b.stream(), address: hex(addressOf(b)) }),
  0x32: (b) => ({ frame: 'REFUSED', stream: b.stream(), code: b.integer() }),
  0x33: (b) => ({ frame: 'UNREACHED', channel: b.stream(), target: b.integer(), code: b.integer() }),
}

function statusOf(bytes: Bytes, least: number): number {
  const status = bytes.integer()
  must(status >= least && status <= 2, 'a status')
  return status
}

function decodeAck(bytes: Bytes): Fields {
  const largest = bytes.integer()
  const delay = bytes.integer()
  const more = bytes.integer()
  must(more + 1 <= 64, 'ranges')
  const ranges: [number, number][] = [[largest - bytes.integer(), largest]]
  for (let index = 0; index < more; index++) {
    const [[below] = [0]] = ranges.slice(-1)
    const high = below - bytes.integer() - 2
    ranges.push([high - bytes.integer(), high])
  }
  must(
    ranges.every(([low]) => low >= 0),
    'below 0',
  )
  return { frame: 'ACK', delay, ranges }
}

function decodeStream(type: number, bytes: Bytes): Fields {
  const stream = bytes.stream()
  const offset = (type & 0x04) === 0 ? 0 : bytes.integer()
  const data = bytes.take((type & 0x02) === 0 ? bytes.length : bytes.integer())
  must(offset + data.length < 2 ** 53, 'a stream beyond 2^53 - 1')
  return { frame: 'STREAM', stream, offset, last: (type & 0x01) !== 0, bytes: hex(data) }
}

function decodeClose(bytes: Bytes): Fields {
  const code = bytes.integer()
  const length = bytes.integer()
  must(length <= 200, 'a reason')
  const text = bytes.take(length)
  const reason = text.toString('utf8')
  must(Buffer.from(reason).equals(text), 'UTF-8')
  return { frame: 'CLOSE', code, reason }
}

function decodeOpen(bytes: Bytes): Fields {
  const open = { frame: 'OPEN', stream: bytes.stream(), protocol: bytes.fixed(1) }
  must(open.protocol >= 1 && open.protocol <= 6, 'a protocol')
  if (open.protocol === 1 || open.protocol === 6) return { ...open, ...target(bytes) }
  if (open.protocol !== 5) return open
  const member = hex(bytes.take(32))
  const name = bytes.take(bytes.fixed(1)).toString('latin1')
  must(/^[a-z0-9-]{1,32}$/.test(name), 'a service')
  return { ...open, member, name }
}

function target(bytes: Bytes): { port: number; host: string } {
  const port = bytes.fixed(2)
  const host = bytes.take(bytes.fixed(1)).toString('latin1')
  must(port > 0 && /^[!-~]{1,255}$/.test(host), 'a target')
  return { port, host }
}

function addressOf(bytes: Bytes): Buffer {
  const length = bytes.fixed(1)
  must(length === 4 || length === 16, 'an address')
  return bytes.take(length)
}

function decodeDatagram(type: number, bytes: Bytes): Fields {
  const head = { frame: 'DATAGRAM', channel: bytes.stream(), target: bytes.integer() }
  const to = (type & 0x02) === 0 ? {} : target(bytes)
  const isPart = (type & 0x04) !== 0
  const part = isPart ? { number: bytes.integer(), total: bytes.integer(), offset: bytes.integer() } : undefined
  const data = bytes.take((type & 0x01) === 0 ? bytes.length : bytes.integer())
  must((part?.total ?? data.length) <= 65_507, 'a datagram')
  if (part !== undefined) must(data.length > 0 && part.offset + data.length <= part.total, 'a part')
  return { ...head, ...to, ...part, bytes: hex(data) }
}
