import koffi from 'koffi'
import { AF_INET, AF_INET6, encodeCanonical } from '../../packages/vpn/src/udp/socket-address.ts'

const SOCK_DGRAM = 2
const SOCK_RAW = 3
const SOL_SOCKET = 1
const SO_BROADCAST = 6
const SO_BINDTODEVICE = 25
const SO_MARK = 36
const CLOSE_ON_EXEC = 0o2000000
const NON_BLOCKING = 0o4000

const libc = koffi.load(null)
const socket = libc.func('int socket(int, int, int)') as (...numbers: number[]) => number
const setsockopt = libc.func('int setsockopt(int, int, int, void *, uint)') as (
  fd: number,
  level: number,
  option: number,
  value: Uint8Array,
  length: number,
) => number
const bind = libc.func('int bind(int, void *, uint)') as (fd: number, address: Uint8Array, length: number) => number
const sendto = libc.func('long sendto(int, void *, ulong, int, void *, uint)') as (
  fd: number,
  bytes: Uint8Array,
  length: number,
  flags: number,
  address: Uint8Array,
  addressLength: number,
) => number

export interface RawOptions {
  /** A protocol of IP: a raw socket, whose bytes follow the IP header; UDP without one. */
  readonly protocol?: number
  readonly device?: string
  readonly mark?: number
  readonly sourcePort?: number
}

/** A socket of the system with options that Node has not. */
export class RawSocket {
  readonly #fd: number
  readonly #family: typeof AF_INET | typeof AF_INET6

  /** @throws Error where the system refuses one */
  constructor(family: 4 | 6, { protocol, device, mark, sourcePort }: RawOptions = {}) {
    this.#family = family === 4 ? AF_INET : AF_INET6
    const type = (protocol === undefined ? SOCK_DGRAM : SOCK_RAW) | CLOSE_ON_EXEC | NON_BLOCKING
    this.#fd = must(socket(this.#family, type, protocol ?? 0))
    this.#set(SO_BROADCAST, number(1))
    if (device !== undefined) this.#set(SO_BINDTODEVICE, Buffer.from(`${device}\0`))
    if (mark !== undefined) this.#set(SO_MARK, number(mark))
    if (sourcePort === undefined) return
    const own = encodeCanonical(family === 4 ? '0.0.0.0' : '::', sourcePort, this.#family)
    must(bind(this.#fd, own, own.length))
  }

  /** @returns whether the system took it */
  send(bytes: Uint8Array, host: string, port = 0): boolean {
    const address = encodeCanonical(host, port, this.#family)
    return sendto(this.#fd, bytes, bytes.length, 0, address, address.length) >= 0
  }

  #set(option: number, value: Uint8Array): void {
    must(setsockopt(this.#fd, SOL_SOCKET, option, value, value.length))
  }
}

function number(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function must(result: number): number {
  if (result < 0) throw new Error(`the system refuses a socket: errno ${koffi.errno()}`)
  return result
}
