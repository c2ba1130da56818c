import type { WeftError } from '@weft/core'
import { HttpParser } from './http-parser.ts'
import type { ProxyParser, ProxyStep } from './proxy-request.ts'
import { SocksParser } from './socks-parser.ts'

/** SOCKS5 or HTTP on one port: the first byte tells, as a method of HTTP begins with a letter. */
export class AnyParser implements ProxyParser {
  readonly #port: number
  #chosen: ProxyParser = new SocksParser()
  #isChosen = false

  /** @param port the proxy's own */
  constructor(port: number) {
    this.#port = port
  }

  push(bytes: Uint8Array): ProxyStep[] {
    const [first] = bytes
    if (!this.#isChosen && first !== undefined) {
      this.#isChosen = true
      if ((first >= 0x41 && first <= 0x5a) || (first >= 0x61 && first <= 0x7a))
        this.#chosen = new HttpParser(this.#port)
    }
    return this.#chosen.push(bytes)
  }

  get succeeded(): Uint8Array {
    return this.#chosen.succeeded
  }

  failed(fault: WeftError): Uint8Array {
    return this.#chosen.failed(fault)
  }
}
