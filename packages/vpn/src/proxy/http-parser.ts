import { type WeftError, utf8 } from '@weft/core'
import { SessionCode, isTargetHost } from '@weft/onion'
import { isNobodyLeft } from '../route/nobody-left.ts'
import { isolationKey } from './isolation-key.ts'
import type { ProxyParser, ProxyRequest, ProxyStep } from './proxy-request.ts'

/** Bytes of a request's head at most. */
const MAX_HEAD = 16 * 1024
const END = utf8('\r\n\r\n')
const PAC_PATH = '/proxy.pac'

/** RFC 9112, section 3: method, target and version, one space between them. */
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([!-~]{1,2000}) HTTP\/1\.[01]$/
/** RFC 9112, section 5; a name, no space before the colon, and what a value may have (RFC 9110, section 5.5). */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\u0080-\u00ff]*?)[ \t]*$/
/** RFC 9110, section 7.1: the authority form. */
const AUTHORITY = /^(\[[0-9A-Fa-f:.]+\]|[^:@/[\]]+):(\d{1,5})$/

/** A status and the error type of RFC 9209, section 2.3, for the header Proxy-Status. */
type Refusal = readonly [status: string, error: string]

/**
 * The server's half of HTTP/1.1 CONNECT (RFC 9110, section 9.3.6; RFC 9112), sans-I/O. Beside it answers one GET, for the file by which
 * browsers configure themselves. Everything is strict: what two readers could understand in two ways is refused.
 */
export class HttpParser implements ProxyParser {
  readonly succeeded = utf8('HTTP/1.1 200 OK\r\n\r\n')
  readonly #port: number
  #pending = Buffer.alloc(0)
  #over = false

  /** @param port the proxy's own */
  constructor(port: number) {
    this.#port = port
  }

  push(bytes: Uint8Array): ProxyStep[] {
    if (this.#over) return []
    const from = Math.max(0, this.#pending.length - END.length + 1)
    this.#pending = Buffer.concat([this.#pending, bytes])
    const end = this.#pending.indexOf(END, from)
    if (end < 0 && this.#pending.length <= MAX_HEAD) return []
    this.#over = true
    const said = this.#pending
    this.#pending = Buffer.alloc(0)
    if (end < 0 || end > MAX_HEAD)
      return [
        refuse(
          '431 Request Header Fields Too Large',
          `a head of HTTP of more than ${MAX_HEAD} bytes`,
          'Have it send fewer or shorter headers to the proxy.',
        ),
      ]
    return [this.#read(said.toString('latin1', 0, end), said.subarray(end + END.length))]
  }

  failed(fault: WeftError): Uint8Array {
    const [status, error] = refusalOf(fault)
    return page(status, `${fault.code}: ${fault.cause}\nFix: ${fault.fix}\n`, [`Proxy-Status: weft; error=${error}`])
  }

  #read(head: string, rest: Uint8Array): ProxyStep {
    const [first = '', ...lines] = head.split('\r\n')
    const [, method, target] = REQUEST_LINE.exec(first) ?? []
    if (method === undefined || target === undefined) return malformed('no request line of HTTP/1.1')
    const fields = new Map<string, string>()
    for (const line of lines) {
      const [, name, value] = FIELD.exec(line) ?? []
      if (name === undefined || value === undefined) return malformed('a header that is none of HTTP/1.1')
      const key = name.toLowerCase()
      if (fields.has(key) && SINGLE.has(key)) return malformed(`the header ${key} twice`)
      fields.set(key, value)
    }
    if (method === 'GET' && target === PAC_PATH) return this.#pac(fields.get('host'))
    if (method !== 'CONNECT') return this.#notServed(method)
    // A CONNECT has no content: whoever sends some means something else by what comes behind the head.
    if (fields.has('transfer-encoding') || (fields.get('content-length') ?? '0') !== '0')
      return malformed('CONNECT with content')
    const address = addressOf(target)
    if (address === undefined) return malformed('CONNECT to what is no host and port', HOST_AND_PORT)
    const isolation = isolationOf(fields.get('proxy-authorization'))
    return { kind: 'request', request: { ...address, isolation }, rest }
  }

  /** Only to whoever asked this machine for it: a web page whose name leads here by a trick (DNS rebinding) learns nothing. */
  #pac(host: string | undefined): ProxyStep {
    if (host !== `127.0.0.1:${this.#port}` && host !== `localhost:${this.#port}`)
      return refuse(
        '403 Forbidden',
        `a request for ${PAC_PATH} by another name than that of this machine`,
        `Have the browser fetch http://127.0.0.1:${this.#port}${PAC_PATH}.`,
      )
    const text = `function FindProxyForURL(url, host) {\n  return 'SOCKS5 127.0.0.1:${this.#port}';\n}\n`
    return { kind: 'end', bytes: page('200 OK', text, [], 'application/x-ns-proxy-autoconfig') }
  }

  #notServed(method: string): ProxyStep {
    const bytes = page(
      '405 Method Not Allowed',
      `This port speaks SOCKS5 (RFC 1928) and HTTP CONNECT. Use for example: curl --proxy socks5h://127.0.0.1:${this.#port} URL\n`,
      ['Allow: CONNECT'],
    )
    return { kind: 'end', bytes, why: `the method ${method} of HTTP, of which it serves CONNECT alone` }
  }
}

/** Fields that would be read in two ways if they came twice. */
const SINGLE: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'proxy-authorization'])

function addressOf(target: string): Pick<ProxyRequest, 'host' | 'port'> | undefined {
  const [, named, digits] = AUTHORITY.exec(target) ?? []
  const port = Number(digits)
  if (named === undefined || port < 1 || port > 65_535) return undefined
  const isIPv6 = named.startsWith('[')
  const host = isIPv6 ? URL.parse(`http://${named}`)?.hostname.slice(1, -1) : named
  return host === undefined || (!isIPv6 && !isTargetHost(host)) ? undefined : { host, port }
}

/** Of Basic (RFC 7617) the same as of SOCKS5 with this user and password; of any other scheme the field as it is. */
function isolationOf(field: string | undefined): string | undefined {
  if (field === undefined) return undefined
  const [, encoded] = /^basic +([A-Za-z0-9+/]*={0,2})$/i.exec(field) ?? []
  const decoded = encoded === undefined ? undefined : new Uint8Array(Buffer.from(encoded, 'base64'))
  const colon = decoded?.indexOf(0x3a) ?? -1
  if (decoded === undefined || colon < 0 || colon > 255 || decoded.length - colon - 1 > 255) return `http ${field}`
  return isolationKey(decoded.subarray(0, colon), decoded.subarray(colon + 1))
}

function refusalOf(fault: WeftError): Refusal {
  switch (fault.details.code) {
    case SessionCode.policy:
      return ['403 Forbidden', 'destination_ip_prohibited']
    case SessionCode.nameNotFound:
      return ['502 Bad Gateway', 'dns_error']
    case SessionCode.nameServerFailed:
      return ['504 Gateway Timeout', 'dns_timeout']
    case SessionCode.hostUnreachable:
    case SessionCode.networkUnreachable:
      return ['502 Bad Gateway', 'destination_ip_unroutable']
    case SessionCode.connectionRefused:
      return ['502 Bad Gateway', 'connection_refused']
    case SessionCode.connectionReset:
      return ['502 Bad Gateway', 'connection_terminated']
    case SessionCode.timedOut:
      return ['504 Gateway Timeout', 'connection_timeout']
    case SessionCode.limit:
      return ['503 Service Unavailable', 'connection_limit_reached']
    default:
      if (fault.code === 'E_PROXY_FULL') return ['503 Service Unavailable', 'connection_limit_reached']
      return isNobodyLeft(fault.code) || fault.code === 'E_ROUTE_TIMEOUT'
        ? ['503 Service Unavailable', 'destination_unavailable']
        : ['502 Bad Gateway', 'proxy_internal_error']
  }
}

const HOST_AND_PORT = 'Give it a host and a port of 1 to 65535, as in CONNECT example.org:443.'
const NOT_HTTP = `It does not speak HTTP/1.1 as RFC 9112 has it: try another version of it, or SOCKS5 with names resolved by the proxy (socks5h).`

function malformed(why: string, fix = NOT_HTTP): ProxyStep {
  return refuse('400 Bad Request', why, fix)
}

function refuse(status: string, why: string, fix: string): ProxyStep {
  return { kind: 'end', bytes: page(status, `The proxy refuses ${why}.\nFix: ${fix}\n`), why, fix }
}

function page(
  status: string,
  text: string,
  fields: readonly string[] = [],
  type = 'text/plain; charset=utf-8',
): Uint8Array {
  const body = utf8(text)
  const head = [
    `HTTP/1.1 ${status}`,
    `Content-Type: ${type}`,
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    ...fields,
  ]
  return Buffer.concat([utf8(`${head.join('\r\n')}\r\n\r\n`), body])
}
