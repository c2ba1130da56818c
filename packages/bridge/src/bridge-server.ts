import { once } from 'node:events'
import { type Server, createServer } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { type AddressInfo, type Socket, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { type Clock, toHex } from '@weft/core'
import { BridgeDoors } from './bridge-doors.ts'
import { type BridgeRefusals, type BridgeStatus, type InvitationUse, NO_USE } from './bridge-status.ts'
import type { Endpoint } from './endpoint.ts'
import { FairShare } from './fair-share.ts'
import { IDLE_MS, INVITATION_STREAMS, MEMBER_DIAL_MS, TARGET_PLACE_MS, TARGET_STREAMS } from './limits.ts'
import { type PassContent, bindingOf, isPassOf, parsePass } from './pass.ts'
import { ANSWER, OPENED, refusal } from './stream-answers.ts'
import { onceBothClosed, pump } from './stream-pump.ts'
import { answerAsWebServer } from './web-page.ts'

export interface BridgeServerInit {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  /** PEM. */
  readonly identity: { readonly certificate: string; readonly key: string }
  /** What strangers get at `/`; undefined for nothing. */
  readonly page: string | undefined
  /** The secret of an invitation that is in force. @param id hexadecimal */
  readonly secretOf: (id: string) => Uint8Array | undefined
  /** Whether a member takes calls there: nobody is led anywhere else. */
  readonly isMember: (target: Endpoint) => boolean
  /** Most that is carried, both ways together; undefined for no limit. */
  readonly bytesPerSecond: number | undefined
  readonly clock: Clock
}

/** What is compared where a request has nothing of the form of a pass. */
const NO_PASS: PassContent = {
  id: new Uint8Array(8),
  mac: new Uint8Array(32),
  target: { host: '0.0.0.0', port: 1 },
}

interface Use {
  streams: number
  opened: number
  toClients: number
  toMembers: number
}

interface Place {
  readonly id: string
  readonly target: Endpoint
  /** Monotonic ms, until which it is taken also by a stream that ended. */
  readonly until: number
}

interface Stream extends Place {
  readonly client: Socket
  readonly member: Socket
}

/**
 * A web server to strangers. To who shows the pass of an invitation (docs/specs/bridge.md) it leads a stream of bytes to one address of a
 * member, and sees nothing of what is in it.
 */
export class BridgeServer implements AsyncDisposable {
  readonly port: number
  readonly #init: BridgeServerInit
  readonly #server: Server
  readonly #doors: BridgeDoors
  readonly #share: FairShare<string>
  readonly #sockets = new Set<Socket>()
  readonly #streams = new Set<Stream>()
  /** Of streams that ended early: as many as connections may come meanwhile. */
  #places: readonly Place[] = []
  readonly #uses = new Map<string, Use>()
  /** Passes that were found valid, until their streams are opened. */
  readonly #passes = new WeakMap<IncomingMessage, PassContent>()
  readonly #refused: BridgeRefusals = { connections: 0, passes: 0, targets: 0, streams: 0, unreachable: 0 }

  /** @throws the error of the system: EADDRINUSE, EACCES, … */
  static async open(init: BridgeServerInit): Promise<BridgeServer> {
    const { certificate, key } = init.identity
    const server = createServer({
      cert: certificate,
      key,
      // A stranger's request to change protocols is answered like any other.
      shouldUpgradeCallback: (request: IncomingMessage): boolean => bridge.#takes(request),
    })
    server.listen({ host: init.host, port: init.port, exclusive: true, ipv6Only: false })
    const bridge: BridgeServer = new BridgeServer(init, server)
    await once(server, 'listening')
    Object.assign(bridge, { port: (server.address() as AddressInfo).port })
    return bridge
  }

  private constructor(init: BridgeServerInit, server: Server) {
    this.#init = init
    this.#server = server
    this.port = init.port
    this.#doors = new BridgeDoors(init.clock)
    this.#share = new FairShare(init.bytesPerSecond, init.clock)
    server.on('connection', (socket: Socket) => this.#onConnection(socket))
    server.on('request', (request: IncomingMessage, response) => {
      // Those that ask for an upgrade were looked at; the others are as well, so that all take as long.
      if (request.headers.upgrade === undefined) this.#look(request)
      answerAsWebServer(init.page, request, response)
    })
    server.on('upgrade', (request: IncomingMessage, _: Duplex, head: Buffer) => this.#onUpgrade(request, head))
  }

  status(): BridgeStatus {
    const uses = [...this.#uses.values()]
    const sum = (pick: (use: Use) => number): number => uses.reduce((total, use) => total + pick(use), 0)
    return {
      port: this.port,
      connections: this.#sockets.size,
      streams: this.#streams.size,
      clients: uses.filter(({ streams }) => streams > 0).length,
      opened: sum(({ opened }) => opened),
      toClients: sum(({ toClients }) => toClients),
      toMembers: sum(({ toMembers }) => toMembers),
      refused: { ...this.#refused },
    }
  }

  /** @param id hexadecimal */
  useOf(id: string): InvitationUse {
    return { ...(this.#uses.get(id) ?? NO_USE) }
  }

  /** Ends all streams of an invitation. */
  end(id: string): void {
    for (const stream of this.#streams) {
      if (stream.id !== id) continue
      stream.client.destroy()
      stream.member.destroy()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #onConnection(socket: Socket): void {
    const leave = this.#doors.enter(socket)
    if (leave === undefined) {
      this.#refused.connections++
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      leave()
    })
  }

  /** Whether it shows the pass of an invitation on this very connection. */
  #takes(request: IncomingMessage): boolean {
    const pass = this.#look(request)
    if (pass !== undefined) this.#passes.set(request, pass)
    return pass !== undefined
  }

  /** Takes as long for every request, whatever is in it. */
  #look({ url = '', socket }: IncomingMessage): PassContent | undefined {
    if (!(socket instanceof TLSSocket) || socket.getProtocol() === null) return undefined
    const shown = parsePass(url.slice(1))
    const pass = shown ?? NO_PASS
    const isValid = isPassOf(this.#init.secretOf(toHex(pass.id)), pass, bindingOf(socket))
    if (isValid && socket.getProtocol() === 'TLSv1.3') return pass
    if (shown !== undefined) this.#refused.passes++
    return undefined
  }

  #onUpgrade(request: IncomingMessage, head: Uint8Array): void {
    const pass = this.#passes.get(request)
    const client = request.socket
    client.on('error', () => client.destroy())
    if (pass === undefined || client.destroyed) {
      client.destroy()
      return
    }
    this.#doors.passed(client)
    // Streams may end in one direction. Until here the connection closes as that of any server of Node, also where no TLS was spoken.
    client.allowHalfOpen = true
    const id = toHex(pass.id)
    const use = this.#useOf(id)
    if (!this.#init.isMember(pass.target)) {
      this.#refused.targets++
      refuse(client, ANSWER.noMember)
    } else if (use.streams >= INVITATION_STREAMS || this.#streamsTo(id, pass.target) >= TARGET_STREAMS) {
      this.#refused.streams++
      refuse(client, ANSWER.tooMany)
    } else this.#lead(id, use, client, head, pass.target)
  }

  #useOf(id: string): Use {
    const known = this.#uses.get(id)
    if (known !== undefined) return known
    const use = { ...NO_USE }
    this.#uses.set(id, use)
    return use
  }

  #streamsTo(id: string, { host, port }: Endpoint): number {
    const now = this.#init.clock.monotonic()
    this.#places = this.#places.filter(({ until }) => until > now)
    let count = 0
    for (const { id: owner, target } of [...this.#streams, ...this.#places])
      if (owner === id && target.port === port && target.host === host) count++
    return count
  }

  #lead(id: string, use: Use, client: Socket, head: Uint8Array, target: Endpoint): void {
    const { clock } = this.#init
    const { host, port } = target
    const member = connect({ host, port, noDelay: true, allowHalfOpen: true })
    const until = clock.monotonic() + TARGET_PLACE_MS
    const stream: Stream = { id, target, until, client, member }
    this.#streams.add(stream)
    use.streams++
    let isOpen = false
    const cancel = clock.after(MEMBER_DIAL_MS, () => member.destroy())
    member.on('error', () => member.destroy())
    const onClient = (): void => void member.destroy()
    client.once('close', onClient)
    // A client that reads nothing more has its place until it is gone, also where the member is done with it.
    onceBothClosed(client, member, () => {
      this.#streams.delete(stream)
      this.#places = [...this.#places, { id, target, until }]
      use.streams--
    })
    member.once('close', () => {
      cancel()
      if (isOpen || client.destroyed) return
      this.#refused.unreachable++
      refuse(client, ANSWER.unreachable)
    })
    member.once('connect', () => {
      cancel()
      isOpen = true
      use.opened++
      client.removeListener('close', onClient)
      client.write(OPENED)
      if (head.length > 0) member.write(head)
      const counted = (count: (length: number) => void) => ({
        onBytes: (length: number): number => {
          count(length)
          return this.#share.take(id, length)
        },
        after: (ms: number, callback: () => void) => clock.after(ms, callback),
      })
      pump(
        member,
        client,
        counted((length) => (use.toClients += length)),
      )
      pump(
        client,
        member,
        counted((length) => (use.toMembers += length)),
      )
      for (const end of [client, member]) end.setTimeout(IDLE_MS, () => end.destroy())
    })
  }
}

function refuse(client: Duplex, status: number): void {
  client.end(refusal(status), () => client.destroy())
}
