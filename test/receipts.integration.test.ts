import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { socksConnect } from '../bench/vpn/socks-connect.ts'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// Pay for circuits over a real network: a client with tokens, one without, hops that redeem, and an issuer that knows little.

const BASE_PORT = 27_800
const BYTES = 20_000_000

interface Node {
  readonly name: string
  readonly id: string
  readonly roles: readonly string[]
  readonly ports: { readonly proxy?: number }
}
interface Receipts {
  readonly tokens: number
  readonly purse?: {
    readonly paid: number
    readonly refused: readonly unknown[]
    readonly overcharged: readonly unknown[]
  }
  readonly books?: { readonly owed: number; readonly redeemed: number; readonly refused: number }
  readonly fault?: { readonly code: string; readonly cause: string; readonly fix: string }
}
interface Route {
  readonly state: string
  readonly legs: readonly { readonly state: string; readonly hops: readonly { readonly node: string }[] }[]
  readonly events: readonly { readonly cause: string }[]
}

describe('circuits that are paid for', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-receipts-'))
  const net = join(directory, 'net')
  let target: Server
  let nodes: readonly Node[] = []
  let issuer: Node

  const env = (name: string): Record<string, string> => ({ WEFT_HOME: join(net, name) })
  const receiptsOf = async (name: string): Promise<Receipts> => {
    const { receipts } = await weftJson<{ receipts?: Receipts }>(['vpn', 'receipts'], env(name))
    return receipts ?? assert.fail(`${name} has no receipts`)
  }
  const route = (name: string): Promise<Route> => weftJson<Route>(['vpn', 'route'], env(name))
  const nameOf = (id: string): string => nodes.find((node) => node.id === id)?.name ?? assert.fail(id)
  /** Bytes that came over the proxy of a client until the other end closed or the connection broke. */
  const download = async (proxyPort: number): Promise<number> => {
    const socket = await socksConnect(proxyPort, (target.address() as AddressInfo).port)
    let bytes = 0
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
    socket.on('error', () => {})
    socket.write('d')
    await once(socket, 'close')
    return bytes
  }

  before(async () => {
    await upDevnet({ dir: net, basePort: BASE_PORT, seed: 'receipts' })
    nodes = (await weftJson<{ nodes: Node[] }>(['devnet', 'status', '--dir', net])).nodes
    issuer = nodes.find(({ name, roles }) => name.startsWith('storage') && !roles.includes('exit')) ?? assert.fail()
    const set = (name: string, lines: readonly string[]): void =>
      appendFileSync(join(net, name, 'weft.toml'), ['', '[receipts]', ...lines, ''].join('\n'))
    const hops = nodes.filter(({ roles }) => roles.some((role) => ['entry', 'relay', 'exit'].includes(role)))
    const names = [...new Set(['client', ...hops.map(({ name }) => name), issuer.name])]
    for (const name of names)
      set(name, [
        'mode = "on"',
        `issuers = ["${issuer.id}"]`,
        'redeem_seconds = 2',
        ...(name === issuer.name ? ['issuer = true'] : []),
      ])
    // Of somebody who issues none.
    const other = nodes.find(({ id }) => id !== issuer.id) ?? assert.fail()
    set('client2', ['mode = "on"', `issuers = ["${other.id}"]`])
    await weftJson(['devnet', 'restart', issuer.name, '--dir', net])
    const rest = names.filter((one) => one !== issuer.name)
    await weftJson(['devnet', 'restart', ...rest, 'client2', '--dir', net])
    target = createServer((socket) => {
      socket.on('error', () => {})
      // What begins otherwise is taken as it comes.
      socket.once('data', (first: Buffer) => {
        if (first.toString('latin1', 0, 1) === 'd') socket.end(Buffer.alloc(BYTES))
        else socket.resume()
      })
    }).listen(0, '127.0.0.1')
    await once(target, 'listening')
  })
  after(async () => {
    target.close()
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    rmSync(directory, { recursive: true })
  })

  test('each hop of a download is paid, and redeems what it got', async () => {
    await eventually(
      'tokens',
      () => receiptsOf('client'),
      ({ tokens, purse }) => tokens > 0 && purse !== undefined,
    )
    const { legs } = await eventually(
      'a route',
      () => route('client'),
      ({ state, legs: now }) => state === 'connected' && now.some((leg) => leg.state === 'active'),
    )
    const exit = legs.find(({ state }) => state === 'active')?.hops.at(-1)?.node ?? assert.fail()
    assert.equal(await download(BASE_PORT + 1), BYTES)
    const { purse } = await eventually(
      'payments that were taken',
      () => receiptsOf('client'),
      (now) => (now.purse?.paid ?? 0) >= 9,
    )
    assert.deepEqual([purse?.refused, purse?.overcharged], [[], []])
    const { books } = await eventually(
      'what the exit redeemed',
      () => receiptsOf(nameOf(exit)),
      (now) => (now.books?.redeemed ?? 0) >= 3 && now.books?.owed === 0,
    )
    assert.equal(books?.refused, 0)
    let redeemed = 0
    for (const { name, roles } of nodes)
      if (roles.some((role) => ['entry', 'relay', 'exit'].includes(role)))
        redeemed +=
          (
            await eventually(
              'books',
              () => receiptsOf(name),
              (now) => now.books?.owed === 0,
            )
          ).books?.redeemed ?? 0
    assert.ok(redeemed >= 9, `${redeemed} in all`)
  })

  test('what the issuer keeps and logs names no client beside a hop', async () => {
    const home = join(net, issuer.name)
    const database = new DatabaseSync(join(home, 'receipt-issuer', 'issuer.sqlite'), { readOnly: true })
    const callers = database.prepare('SELECT caller FROM issued').all()
    assert.deepEqual(
      callers.map(({ caller }) => caller),
      ['guests'],
      'a pure client is no member',
    )
    const spent = database.prepare('SELECT nonce, payee FROM spent').all()
    assert.ok(spent.length >= 9)
    assert.deepEqual(Object.keys(spent[0] ?? {}), ['nonce', 'payee'])
    database.close()
    const log = readFileSync(join(home, 'logs', 'daemon.log'), 'utf8')
    for (const { nonce } of spent) assert.ok(!log.includes(Buffer.from(nonce as Uint8Array).toString('hex')))
  })

  test('a client without tokens is told why, and its circuits end with the reason', async () => {
    await eventually(
      'a route',
      () => route('client2'),
      ({ state }) => state === 'connected',
    )
    const { port } = target.address() as AddressInfo
    const proxy = nodes.find(({ name }) => name === 'client2')?.ports.proxy ?? assert.fail()
    const socket = await socksConnect(proxy, port)
    socket.on('error', () => {})
    socket.on('data', () => {})
    // Something is always under way: circuits are cut when they are used.
    const more = setInterval(() => void socket.write(Buffer.alloc(256 * 1024)), 250)
    try {
      await eventually(
        'why',
        () => receiptsOf('client2'),
        ({ fault }) => fault?.code === 'E_RECEIPT_NO_TOKENS',
      )
      await eventually(
        'circuits that end unpaid',
        () => route('client2'),
        ({ events }) => events.some(({ cause }) => cause.includes('it is owed a payment')),
        30_000,
      )
    } finally {
      clearInterval(more)
      socket.destroy()
    }
  })

  test('what a hop was paid is in its books after a power cut, and nothing is redeemed twice', async () => {
    const { name } = nodes.find(({ roles }) => roles.includes('exit')) ?? assert.fail()
    const earlier = (await receiptsOf(name)).books
    await weftJson(['devnet', 'kill', name, '--dir', net])
    await weftJson(['devnet', 'restart', name, '--dir', net])
    const later = await eventually(
      'books',
      () => receiptsOf(name),
      (now) => now.books?.owed === 0,
    )
    assert.ok((later.books?.redeemed ?? 0) >= (earlier?.redeemed ?? 0))
    assert.equal(later.books?.refused, earlier?.refused)
  })
})
