import assert from 'node:assert/strict'
import { type Socket, createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Resolver } from 'node:dns/promises'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Known, NameServer, a, txt } from '../packages/vpn/test/dns/name-server.ts'
import { SocksAssociation, datagramFrom, datagramTo, datagramToName } from '../bench/vpn/socks-associate.ts'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// UDP and DNS on real processes: a program's datagrams and questions go over three nodes and come back.

const BASE_PORT = 23_800
const PROXY = BASE_PORT + 1
const DNS = BASE_PORT + 4
/** More than UDP carries. */
const BIG = 'z'.repeat(20_000)
const ZONE = new Map<string, Known>([
  ['www.test', [a('192.0.2.1'), a('2001:db8::1'), txt('hello')]],
  ['big.test', [txt(BIG)]],
  ['inside.test', [a('10.0.0.1')]],
])

interface Status {
  readonly state: string
  readonly dns?: { readonly host: string; readonly port: number }
  readonly streams: { readonly open: number }
  readonly failures: readonly { readonly code: string }[]
  readonly carried?: { readonly exitChannels: number }
}

/** A UDP server of this machine that sends back what it hears, and whom it heard. */
class Echo implements Disposable {
  readonly #socket: Socket
  readonly ports = new Set<number>()
  heard = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (bytes, { port, address }) => {
      this.heard++
      this.ports.add(port)
      socket.send(bytes, port, address)
    })
  }

  static async listen(): Promise<Echo> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new Echo(socket)
  }

  get port(): number {
    return this.#socket.address().port
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }
}

describe('UDP over a devnet of twelve nodes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-udp-'))
  const net = join(directory, 'net')
  const env = { WEFT_HOME: join(net, 'client') }
  let names: readonly string[] = []
  let server: NameServer

  const status = (): Promise<Status> => weftJson<Status>(['vpn', 'status'], env)
  /** Of all exits together. */
  const channels = async (): Promise<number> => {
    const all = await Promise.all(
      names.map((name) => weftJson<Status>(['vpn', 'status'], { WEFT_HOME: join(net, name) })),
    )
    return all.reduce((sum, { carried }) => sum + (carried?.exitChannels ?? 0), 0)
  }

  before(async () => {
    const { nodes } = await upDevnet<{ nodes: { name: string; roles: string[] }[] }>({
      dir: net,
      basePort: BASE_PORT,
      seed: 'udp',
    })
    names = nodes.filter(({ roles }) => roles.includes('exit')).map(({ name }) => name)
    // The exits' own name server, as their operators would set it.
    server = await NameServer.listen(ZONE)
    for (const name of names) {
      appendFileSync(join(net, name, 'weft.toml'), `\n[exit]\nname_servers = ["127.0.0.1:${server.port}"]\n`)
      await weftJson(['devnet', 'restart', name, '--dir', net])
    }
    await eventually('a route', status, ({ state }) => state === 'connected')
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    await server[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  test('10,000 datagrams to a server and back over three nodes: as good as none is lost', async (t) => {
    using echo = await Echo.listen()
    using program = await SocksAssociation.open(PROXY)
    const total = 10_000
    /** So many are under way at once. */
    const window = 64
    const seen = new Set<number>()
    const { promise, resolve } = Promise.withResolvers<undefined>()
    let sent = 0
    const sendNext = (): void => {
      const bytes = Buffer.alloc(200)
      bytes.writeUInt32BE(sent++)
      program.send(datagramTo(echo.port, bytes))
    }
    program.socket.on('message', (bytes) => {
      const { port, bytes: content } = datagramFrom(bytes)
      assert.equal(port, echo.port)
      assert.ok(!seen.has(content.readUInt32BE()), 'none comes twice')
      seen.add(content.readUInt32BE())
      if (sent < total) sendNext()
      else if (seen.size === total) resolve(undefined)
    })
    const began = performance.now()
    for (let i = 0; i < window; i++) sendNext()
    // What is lost is not sent again: another takes its place under way once nothing came for a while.
    let before = -1
    const watch = setInterval(() => {
      if (seen.size === before && sent === total) resolve(undefined)
      if (seen.size === before && sent < total) sendNext()
      before = seen.size
    }, 2_000)
    await promise
    clearInterval(watch)
    const ms = performance.now() - began
    t.diagnostic(`${seen.size} of ${total} came back, ${Math.round((1000 * seen.size) / ms)} a second`)
    assert.ok(seen.size >= 0.999 * total, `${seen.size}`)
    assert.equal(echo.ports.size, 1, 'one socket of the exit for all of them')
  })

  test('datagrams of every length up to 65,507 bytes come back whole', async () => {
    using echo = await Echo.listen()
    using program = await SocksAssociation.open(PROXY)
    for (const length of [0, 1, 512, 1200, 1250, 1350, 1472, 4096, 32_000, 65_497]) {
      const bytes = Buffer.alloc(length, length & 0xff)
      const answer = await echoed(program, datagramTo(echo.port, bytes))
      assert.deepEqual(datagramFrom(answer).bytes, bytes, String(length))
    }
  })

  test('one association talks to many, each known by its address', async () => {
    const servers = await Promise.all(Array.from({ length: 50 }, () => Echo.listen()))
    using program = await SocksAssociation.open(PROXY)
    const from = new Map<number, string>()
    program.socket.on('message', (bytes) => {
      const { port, bytes: content } = datagramFrom(bytes)
      from.set(port, content.toString())
    })
    const again = setInterval(() => {
      for (const { port } of servers) if (!from.has(port)) program.send(datagramTo(port, Buffer.from(`for ${port}`)))
    }, 100)
    await eventually(
      'an answer of each',
      () => Promise.resolve(from.size),
      (size) => size === servers.length,
    )
    clearInterval(again)
    for (const { port } of servers) assert.equal(from.get(port), `for ${port}`)
    assert.equal(new Set(servers.flatMap(({ ports }) => [...ports])).size, 1, 'all see one port')
    for (const server of servers) server[Symbol.dispose]()
  })

  test('a name is resolved by the exit; other credentials have another exit socket', async () => {
    using echo = await Echo.listen()
    using one = await SocksAssociation.open(PROXY, 'one')
    using two = await SocksAssociation.open(PROXY, 'two')
    for (const program of [one, two]) {
      const answer = await echoed(program, datagramToName('echo.localhost', echo.port, Buffer.from('x')))
      assert.deepEqual([datagramFrom(answer).address, datagramFrom(answer).port], ['127.0.0.1', echo.port])
    }
    assert.equal(echo.ports.size, 2)
  })

  test('what an exit refuses is told by weft vpn status, without its target', async () => {
    using program = await SocksAssociation.open(PROXY)
    for (const [host, expected] of [
      ['10.1.2.3', 'E_TARGET_POLICY'],
      ['169.254.169.254', 'E_TARGET_POLICY'],
      ['239.1.2.3', 'E_TARGET_POLICY'],
      ['127.255.255.255', 'E_TARGET_POLICY'],
    ] as const) {
      const before = (await status()).failures[0]
      program.send(datagramToName(host, 53, Buffer.from('x')))
      const { failures } = await eventually('the reason', status, ({ failures: now }) => {
        return JSON.stringify(now[0]) !== JSON.stringify(before)
      })
      assert.equal(failures[0]?.code, expected, host)
      assert.ok(!JSON.stringify(failures).includes(host))
    }
    // A node of the network, whose packet port stands on loopback.
    using echo = await Echo.listen()
    program.send(datagramTo(BASE_PORT + 18, Buffer.from('x')))
    const answer = await echoed(program, datagramTo(echo.port, Buffer.from('still works')))
    assert.equal(datagramFrom(answer).bytes.toString(), 'still works')
  })

  test('an association ends with its connection: its port is closed, and the exit lets go of its socket', async () => {
    await eventually('an end of those before', channels, (count) => count === 0)
    using echo = await Echo.listen()
    using program = await SocksAssociation.open(PROXY)
    await echoed(program, datagramTo(echo.port, Buffer.from('x')))
    assert.equal(await channels(), 1)
    program.connection.end()
    await eventually('the end', channels, (count) => count === 0)
    const next = createSocket('udp4').bind(program.relay, '127.0.0.1')
    await once(next, 'listening')
    next.close()
    assert.equal((await status()).streams.open, 0)
  })

  test('names are answered on the DNS port by asking the exit: addresses, text, unknown names, and long answers by TCP', async () => {
    const resolver = new Resolver({ timeout: 10_000, tries: 2 })
    resolver.setServers([`127.0.0.1:${DNS}`])
    assert.deepEqual(await resolver.resolve4('www.test'), ['192.0.2.1'])
    assert.deepEqual(await resolver.resolve6('www.test'), ['2001:db8::1'])
    assert.deepEqual(await resolver.resolveTxt('www.test'), [['hello']])
    assert.equal((await resolver.resolveTxt('big.test')).flat().join(''), BIG)
    await assert.rejects(resolver.resolve4('nobody.test'), { code: 'ENOTFOUND' })
    await assert.rejects(resolver.resolve4('inside.test'), { code: 'ENODATA' }, 'no private address')
    assert.deepEqual(await resolver.resolve4('localhost'), ['127.0.0.1'])
    const before = server.asked.length
    await resolver.resolve4('www.test')
    assert.equal(server.asked.length, before, 'from what was asked lately')
    const { dns } = await status()
    assert.deepEqual(dns, { host: '127.0.0.1', port: DNS })
  })

  test('200 questions at once are answered', async () => {
    const resolver = new Resolver({ timeout: 10_000, tries: 2 })
    resolver.setServers([`127.0.0.1:${DNS}`])
    const asked = Array.from({ length: 200 }, (_, index) =>
      resolver.resolve4(`n${index}.test`).then(
        () => 'found',
        ({ code }: NodeJS.ErrnoException) => code,
      ),
    )
    const answers = await Promise.all(asked)
    assert.deepEqual(new Set(answers), new Set(['ENOTFOUND']))
    assert.deepEqual(await resolver.resolve6('www.test'), ['2001:db8::1'])
  })

  test('when the exit is killed, the association goes on through another', async (t) => {
    using echo = await Echo.listen()
    using program = await SocksAssociation.open(PROXY)
    await echoed(program, datagramTo(echo.port, Buffer.from('x')))
    const { legs } = await weftJson<{ legs: { hops: { node: string }[] }[] }>(['vpn', 'route'], env)
    const exit = legs[0]?.hops.at(-1)?.node ?? ''
    const killed = performance.now()
    await weftJson(['devnet', 'kill', exit, '--dir', net])
    await echoed(program, datagramTo(echo.port, Buffer.from('y')))
    t.diagnostic(`an answer ${Math.round(performance.now() - killed)} ms after the kill was begun`)
    assert.equal(echo.ports.size, 2, 'it comes from another socket')
    const resolver = new Resolver({ timeout: 10_000, tries: 2 })
    resolver.setServers([`127.0.0.1:${DNS}`])
    await assert.rejects(resolver.resolve4('after-the-kill.test'), { code: 'ENOTFOUND' })
  })

  test('vpn.dns, and with it the port, ends with the proxy', async () => {
    await weftJson(['vpn', 'down'], env)
    const resolver = new Resolver({ timeout: 1_000, tries: 1 })
    resolver.setServers([`127.0.0.1:${DNS}`])
    await assert.rejects(resolver.resolve4('www.test'), { code: 'ECONNREFUSED' })
    assert.equal((await status()).dns, undefined)
    const other = createSocket('udp4').bind(DNS, '127.0.0.1')
    await once(other, 'listening')
    const { code, stderr } = await weft(['vpn', 'up'], env)
    other.close()
    assert.equal(code, 1)
    assert.match(
      stderr,
      new RegExp(`E_PORT_TAKEN: UDP port ${DNS} \\(ports\\.base \\+ 4\\) is taken by .*${process.pid}`),
    )
    await weftJson(['vpn', 'up', '--wait'], env)
    assert.deepEqual((await status()).dns, { host: '127.0.0.1', port: DNS })
  })
})

/** Sends a datagram, again each half second, until something comes back. */
async function echoed(program: SocksAssociation, datagram: Buffer): Promise<Buffer> {
  const answer = once(program.socket, 'message') as Promise<[Buffer]>
  program.send(datagram)
  const again = setInterval(() => program.send(datagram), 500)
  try {
    const [bytes] = await answer
    return bytes
  } finally {
    clearInterval(again)
  }
}
