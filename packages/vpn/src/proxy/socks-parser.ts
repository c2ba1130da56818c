import type { WeftError } from '@weft/core'
import { SessionCode, ipToBytes } from '@weft/onion'
import { isNobodyLeft } from '../route/nobody-left.ts'
import { isolationKey } from './isolation-key.ts'
import type { ProxyParser, ProxyStep } from './proxy-request.ts'
import { IPV4, IPV6, NAME, hostOf } from './socks-address.ts'
import { SOCKS_REPLY, type SocksReply } from './socks-codes.ts'

const VERSION = 5
const NO_AUTHENTICATION = 0
const USER_PASSWORD = 2
const NO_METHOD = 0xff
const CONNECT = 1
const UDP_ASSOCIATE = 3
/** Of Tor's extensions of SOCKS5 (socks-extensions.txt, section 2), which torsocks and others look names up with. */
const RESOLVE = 0xf0
const RESOLVE_PTR = 0xf1
const COMMANDS: readonly number[] = [CONNECT, UDP_ASSOCIATE, RESOLVE, RESOLVE_PTR]
/** The longest message of a client: user and password (RFC 1929), 513 bytes. */
const MAX_PENDING = 4 * 1024

/** The answer to a request (RFC 1928, section 6), with the address 0.0.0.0:0: nobody is told where the exit stands. */
export function socksReply(reply: SocksReply): Uint8Array {
  return Uint8Array.of(VERSION, reply, 0, IPV4, 0, 0, 0, 0, 0, 0)
}

/** The answer to UDP ASSOCIATE: where the program sends its datagrams. @param address IP literal */
export function socksAssociated(address: string, port: number): Uint8Array {
  const raw = ipToBytes(address) ?? new Uint8Array(4)
  const type = raw.length === 16 ? IPV6 : IPV4
  return Uint8Array.of(VERSION, SOCKS_REPLY.succeeded, 0, type, ...raw, port >> 8, port & 0xff)
}

/** The answer to RESOLVE and RESOLVE_PTR. @param found IP literal, or name */
export function socksResolved(found: string): Uint8Array {
  const raw = ipToBytes(found)
  const name = raw === undefined ? Buffer.from(found, 'latin1') : undefined
  const address = name === undefined ? [raw?.length === 16 ? IPV6 : IPV4, ...(raw ?? [])] : [NAME, name.length, ...name]
  return Uint8Array.of(VERSION, SOCKS_REPLY.succeeded, 0, ...address, 0, 0)
}

const SOCKS4_REJECTED = Uint8Array.of(0, 0x5b, 0, 0, 0, 0, 0, 0)
/**
 * The server's half of SOCKS5 (RFC 1928, with user and password of RFC 1929), sans-I/O: bytes in, steps out. It takes
 * CONNECT, UDP ASSOCIATE, and Tor's RESOLVE and RESOLVE_PTR. Once it refused or has the request it takes no more.
 */
export class SocksParser implements ProxyParser {
  #pending: Uint8Array = new Uint8Array()
  #state: 'greeting' | 'password' | 'request' | 'over' = 'greeting'
  #isolation: string | undefined
  readonly succeeded = socksReply(SOCKS_REPLY.succeeded)

  failed(fault: WeftError): Uint8Array {
    return socksReply(replyOf(fault))
  }

  push(bytes: Uint8Array): ProxyStep[] {
    if (this.#state === 'over') return []
    const joined = new Uint8Array(this.#pending.length + bytes.length)
    joined.set(this.#pending)
    joined.set(bytes, this.#pending.length)
    this.#pending = joined
    const steps: ProxyStep[] = []
    for (;;) {
      const step = this.#step()
      if (step === undefined) break
      steps.push(step)
      if (step.kind !== 'answer') {
        this.#state = 'over'
        this.#pending = new Uint8Array()
        return steps
      }
    }
    if (this.#pending.length > MAX_PENDING) {
      this.#state = 'over'
      steps.push(refuse(socksReply(SOCKS_REPLY.generalFailure), 'a message longer than any of SOCKS5'))
    }
    return steps
  }

  #step(): ProxyStep | undefined {
    switch (this.#state) {
      case 'greeting':
        return this.#greeting()
      case 'password':
        return this.#password()
      case 'request':
        return this.#request()
      case 'over':
        return undefined
    }
  }

  #greeting(): ProxyStep | undefined {
    const [version, count] = this.#pending
    if (version === undefined) return undefined
    if (version === 4)
      return refuse(SOCKS4_REJECTED, 'a request of SOCKS4, which leaves it to programs to look names up')
    if (version !== VERSION) return refuse(Uint8Array.of(VERSION, NO_METHOD), `version ${version} of SOCKS`)
    if (count === undefined || this.#pending.length < 2 + count) return undefined
    const methods = this.#pending.subarray(2, 2 + count)
    this.#take(2 + count)
    if (methods.includes(USER_PASSWORD)) {
      this.#state = 'password'
      return { kind: 'answer', bytes: Uint8Array.of(VERSION, USER_PASSWORD) }
    }
    if (!methods.includes(NO_AUTHENTICATION))
      return refuse(
        Uint8Array.of(VERSION, NO_METHOD),
        'no method of authentication that this proxy knows',
        'Let it use none, or any user and password: these keep its connections on a route of their own.',
      )
    this.#state = 'request'
    return { kind: 'answer', bytes: Uint8Array.of(VERSION, NO_AUTHENTICATION) }
  }

  #password(): ProxyStep | undefined {
    const [version, userLength] = this.#pending
    if (version === undefined) return undefined
    if (version !== 1) return refuse(Uint8Array.of(1, 1), `version ${version} of user and password`)
    if (userLength === undefined) return undefined
    const passwordLength = this.#pending[2 + userLength]
    if (passwordLength === undefined) return undefined
    const end = 3 + userLength + passwordLength
    if (this.#pending.length < end) return undefined
    const [user, password] = [this.#pending.subarray(2, 2 + userLength), this.#pending.subarray(3 + userLength, end)]
    this.#isolation = isolationKey(user, password)
    this.#take(end)
    this.#state = 'request'
    return { kind: 'answer', bytes: Uint8Array.of(1, 0) }
  }

  #request(): ProxyStep | undefined {
    const bytes = this.#pending
    const [version, command, reserved, type, length] = bytes
    if (version === undefined) return undefined
    if (version !== VERSION) return refuseRequest(SOCKS_REPLY.generalFailure, `version ${version} in the request`)
    if (command === undefined || reserved === undefined || type === undefined) return undefined
    if (reserved !== 0) return refuseRequest(SOCKS_REPLY.generalFailure, 'a reserved byte that is not zero')
    if (type !== IPV4 && type !== NAME && type !== IPV6)
      return refuseRequest(SOCKS_REPLY.addressTypeNotSupported, `address type ${type}`)
    if (!COMMANDS.includes(command)) return refuseRequest(SOCKS_REPLY.commandNotSupported, `command ${command}`)
    if (type === NAME && length === undefined) return undefined
    const start = type === NAME ? 5 : 4
    const size = type === IPV4 ? 4 : type === IPV6 ? 16 : (length ?? 0)
    if (size === 0) return refuseRequest(SOCKS_REPLY.generalFailure, 'an empty name')
    const end = start + size + 2
    if (bytes.length < end) return undefined
    const address = bytes.subarray(start, start + size)
    const port = ((bytes[end - 2] as number) << 8) | (bytes[end - 1] as number)
    const host = hostOf(type, address)
    if (host === undefined) return refuseRequest(SOCKS_REPLY.generalFailure, 'a name with bytes that no name has')
    // Its address is passed over: datagrams are taken from where the connection comes from, which a router may have changed.
    if (command === UDP_ASSOCIATE) return { kind: 'associate', request: { port, isolation: this.#isolation } }
    if (command === RESOLVE_PTR && type === NAME)
      return refuseRequest(SOCKS_REPLY.addressTypeNotSupported, 'a name where it asks for the name of an address')
    if (command === RESOLVE || command === RESOLVE_PTR)
      return { kind: 'resolve', request: { host, isReverse: command === RESOLVE_PTR, isolation: this.#isolation } }
    if (port === 0)
      return refuseRequest(SOCKS_REPLY.generalFailure, 'a request for port 0', 'Give it a port of 1 to 65535.')
    return { kind: 'request', request: { host, port, isolation: this.#isolation }, rest: bytes.slice(end) }
  }

  #take(count: number): void {
    this.#pending = this.#pending.subarray(count)
  }
}

function refuse(bytes: Uint8Array, why: string, fix?: string): ProxyStep {
  return { kind: 'end', bytes, why, ...(fix === undefined ? {} : { fix }) }
}

function refuseRequest(reply: SocksReply, why: string, fix?: string): ProxyStep {
  return refuse(socksReply(reply), why, fix)
}

/** RFC 1928, section 6. */
function replyOf(fault: WeftError): SocksReply {
  switch (fault.details.code) {
    case SessionCode.policy:
      return SOCKS_REPLY.notAllowed
    case SessionCode.nameNotFound:
    case SessionCode.hostUnreachable:
    case SessionCode.nameServerFailed:
      return SOCKS_REPLY.hostUnreachable
    case SessionCode.networkUnreachable:
      return SOCKS_REPLY.networkUnreachable
    case SessionCode.connectionRefused:
    case SessionCode.connectionReset:
      return SOCKS_REPLY.connectionRefused
    case SessionCode.timedOut:
      return SOCKS_REPLY.ttlExpired
    default:
      return isNobodyLeft(fault.code) || fault.code === 'E_ROUTE_TIMEOUT'
        ? SOCKS_REPLY.networkUnreachable
        : SOCKS_REPLY.generalFailure
  }
}
