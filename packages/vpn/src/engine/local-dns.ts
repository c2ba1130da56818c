import type { Clock } from '@weft/core'
import { DnsAnswers } from './dns-answers.ts'
import { DnsLink, type DnsLinkInit } from './dns-link.ts'
import { DnsServer } from './dns-server.ts'

/** DNS on this machine, answered by asking the exit in use. */
export class LocalDns {
  readonly endpoint: { readonly host: string; readonly port: number }
  readonly #clock: Clock
  readonly #link: DnsLink
  readonly #answers: DnsAnswers
  readonly #server: DnsServer
  /** On ::1. */
  #server6: DnsServer | undefined

  private constructor(clock: Clock, link: DnsLink, answers: DnsAnswers, server: DnsServer, host: string, port: number) {
    this.#clock = clock
    this.#link = link
    this.#answers = answers
    this.#server = server
    this.endpoint = { host, port }
  }

  /** @throws WeftError as `DnsServer.listen` */
  static async listen(init: DnsLinkInit, host: string, port: number): Promise<LocalDns> {
    const link = new DnsLink(init)
    const answers = new DnsAnswers({ clock: init.clock, ask: (make) => link.ask(make) })
    const server = new DnsServer(answers, init.clock)
    return new LocalDns(init.clock, link, answers, server, host, await server.listen(host, port))
  }

  /**
   * Answers on ::1 as well, until `endIPv6`: on the same port, or on any that is free, as nobody but rules of this machine has to know it.
   * @returns the port; undefined on a machine without IPv6
   */
  async beginIPv6(): Promise<number | undefined> {
    const server = new DnsServer(this.#answers, this.#clock)
    for (const port of [this.endpoint.port, 0])
      try {
        const listening = await server.listen('::1', port)
        this.#server6 = server
        return listening
      } catch {
        // Another program has the port there.
      }
    return undefined
  }

  async endIPv6(): Promise<void> {
    const server = this.#server6
    this.#server6 = undefined
    await server?.close()
  }

  /** Other routes are in use: nothing that exits of those before said is told any more. */
  moved(): void {
    this.#answers.moved()
    this.#link.moved()
  }

  async close(): Promise<void> {
    this.#link.close()
    await Promise.all([this.#server.close(), this.endIPv6()])
  }
}
