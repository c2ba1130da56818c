import { DnsAnswers } from './dns-answers.ts'
import { DnsLink, type DnsLinkInit } from './dns-link.ts'
import { DnsServer } from './dns-server.ts'

/** DNS on this machine, answered by asking the exit in use. */
export class LocalDns {
  readonly endpoint: { readonly host: string; readonly port: number }
  readonly #link: DnsLink
  readonly #server: DnsServer

  private constructor(link: DnsLink, server: DnsServer, host: string, port: number) {
    this.#link = link
    this.#server = server
    this.endpoint = { host, port }
  }

  /** @throws WeftError as `DnsServer.listen` */
  static async listen(init: DnsLinkInit, host: string, port: number): Promise<LocalDns> {
    const link = new DnsLink(init)
    const answers = new DnsAnswers({ clock: init.clock, ask: (make) => link.ask(make) })
    const server = new DnsServer(answers, init.clock)
    return new LocalDns(link, server, host, await server.listen(host, port))
  }

  /** Other routes are in use. */
  moved(): void {
    this.#link.moved()
  }

  async close(): Promise<void> {
    this.#link.close()
    await this.#server.close()
  }
}
