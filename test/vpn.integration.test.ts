import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { skipWithout } from './lib/needs.ts'
import { runTool } from './lib/run-tool.ts'
import { weft, weftJson } from './lib/weft.ts'

// The main job of the VPN on real processes: an ordinary client fetches over three nodes, and goes on when nodes die.

const BASE_PORT = 24_600
const SIZE = 100_000_000

interface Hop {
  readonly node: string
  readonly role: string
}
interface Route {
  readonly state: string
  readonly legs: readonly { readonly state: string; readonly hops: readonly Hop[]; readonly rttMs?: number }[]
}
interface Status {
  readonly state: string
  readonly failures: readonly { readonly code: string }[]
}

describe('the VPN of a devnet of twelve nodes', { skip: skipWithout('curl') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-vpn-'))
  const net = join(directory, 'net')
  const env = { WEFT_HOME: join(net, 'client') }
  const content = randomBytes(SIZE)
  const hash = createHash('sha256').update(content).digest('hex')
  const upload = join(directory, 'upload.bin')
  /** Addresses that the server was asked from. */
  const seen = new Set<string | undefined>()
  let names: ReadonlyMap<string, string>
  /** UDP ports of the nodes, by id. */
  let packetPorts: ReadonlyMap<string, number>
  let server: Server
  let url: string

  /** curl over the client's proxy, with a deadline of its own. */
  const curl = (...args: readonly string[]) =>
    runTool('curl', [
      '--silent',
      '--show-error',
      '--max-time',
      '120',
      '--proxy',
      `socks5h://127.0.0.1:${BASE_PORT + 1}`,
      ...args,
    ])
  const route = (): Promise<Route> => weftJson<Route>(['vpn', 'route'], env)
  const connected = (): Promise<Route> => eventually('a route', route, ({ state }) => state === 'connected')
  const hop = async (role: string): Promise<string> => {
    const { legs } = await connected()
    const node = legs[0]?.hops.find((each) => each.role === role)?.node
    assert.ok(node !== undefined)
    return node
  }

  const pidOf = async (name: string): Promise<number> => {
    const { nodes } = await weftJson<{ nodes: { name: string; pid: number }[] }>(['devnet', 'status', '--dir', net])
    const pid = nodes.find((node) => node.name === name)?.pid
    assert.ok(pid !== undefined && pid > 1, name)
    return pid
  }

  before(async () => {
    writeFileSync(upload, content)
    server = createServer((request, response) => void serve(request, response, content, seen)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const up = await weftJson<{ nodes: { name: string; id: string; ports: { packets: number } }[] }>([
      'devnet',
      'up',
      '--nodes',
      '12',
      '--dir',
      net,
      '--base-port',
      String(BASE_PORT),
      '--seed',
      'vpn',
      '--detach',
    ])
    names = new Map(up.nodes.map(({ name, id }) => [id, name]))
    packetPorts = new Map(up.nodes.map(({ id, ports }) => [id, ports.packets]))
  })
  after(async () => {
    await weft(['devnet', 'down', '--dir', net])
    assert.deepEqual(findNodeProcesses(net), [])
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  })

  test('a file of 100 MB comes back whole over three distinct nodes, and the server sees the exit only', async () => {
    const { legs } = await connected()
    const hops = legs[0]?.hops ?? []
    assert.deepEqual(
      hops.map(({ role }) => role),
      ['entry', 'relay', 'exit'],
    )
    assert.equal(new Set(hops.map(({ node }) => node)).size, 3)
    for (const { node } of hops) assert.ok(names.has(node), node)
    assert.equal(await digest(curl(url)), hash)
    assert.deepEqual([...seen], ['127.0.0.1'])
  })

  test('twenty at once, and an upload', async () => {
    const digests = await Promise.all(Array.from({ length: 20 }, () => digest(curl(`${url}/part`))))
    const part = createHash('sha256').update(content.subarray(0, PART)).digest('hex')
    assert.deepEqual(new Set(digests), new Set([part]))
    const { code, stdout, stderr } = await curl('--upload-file', upload, `${url}/upload`)
    assert.deepEqual([code, stdout.toString(), stderr], [0, hash, ''])
  })

  test(
    'on each leg there are packets of one size, and neither the request nor the target',
    {
      skip: skipWithout('root', 'tcpdump'),
    },
    async () => {
      const file = join(directory, 'wire.pcap')
      const target = url.replace('127.0.0.1', 'marker-of-the-target.localhost')
      const hopsNow = async (): Promise<number[]> =>
        ((await connected()).legs[0]?.hops ?? []).map(({ node }) => packetPorts.get(node) ?? 0)
      const fetchOnce = async (): Promise<{ readonly before: number[]; readonly after: number[] }> => {
        const before = await hopsNow()
        await using _ = await capture(file, `udp and portrange ${BASE_PORT}-${BASE_PORT + 199}`)
        const { code } = await curl('--output', join(directory, 'part'), `${target}/part?marker-of-the-request`)
        assert.equal(code, 0)
        return { before, after: await hopsNow() }
      }
      // Another leg may come into use at any time; then it is not known which of both the request took.
      const one = await eventually('one route for the whole request', fetchOnce, ({ before, after: now }) =>
        before.every((port, index) => port === now[index]),
      )
      const [entry = 0, relay = 0, exit = 0] = one.after
      const bytes = readFileSync(file)
      for (const word of ['marker-of-the', 'GET /', 'HTTP/1.1']) assert.equal(bytes.includes(word), false, word)
      const packets = udpIn(bytes)
      // On the loopback a capture sees what one system call sent: several packets behind each other.
      for (const { length } of packets) assert.equal(length % 1440, 0)
      const between = (from: number | undefined, to: number): number =>
        packets.filter((one) => one.to === to && (from === undefined ? !ports.has(one.from) : one.from === from)).length
      const ports = new Set(packetPorts.values())
      for (const [from, to] of [
        [undefined, entry],
        [entry, relay],
        [relay, exit],
        [exit, relay],
        [relay, entry],
      ] as const)
        assert.ok(between(from, to) > 0, `${from ?? 'client'} to ${to}`)
    },
  )

  test('what cannot be reached is told as SOCKS5 has it, and weft vpn status says why', async () => {
    const free = await unusedPort()
    const refused: readonly (readonly [string, string, string])[] = [
      [`http://127.0.0.1:${free}/`, '5', 'E_TARGET_REFUSED'],
      ['http://10.1.2.3/', '2', 'E_TARGET_POLICY'],
      ['http://169.254.169.254/', '2', 'E_TARGET_POLICY'],
      ['http://[::1]/', '2', 'E_TARGET_POLICY'],
      // The API of a node, which only its own machine may ask: never by way of an exit.
      [`http://127.0.0.1:${BASE_PORT}/livez`, '2', 'E_TARGET_POLICY'],
    ]
    for (const [target, reply, expected] of refused) {
      const { code, stderr } = await curl(target)
      // 97: the proxy's handshake failed (curl(1)), with the reply of RFC 1928, section 6.
      assert.equal(code, 97, target)
      assert.match(stderr, new RegExp(`\\(${reply}\\)`), target)
      const { failures } = await weftJson<Status>(['vpn', 'status'], env)
      assert.equal(failures[0]?.code, expected, target)
    }
    const { stdout } = await weft(['vpn', 'status'], env)
    assert.match(stdout, /E_TARGET_POLICY: .*\n +Fix: /)
    assert.ok(!stdout.includes('10.1.2.3'), 'targets are kept nowhere')
  })

  for (const role of ['relay', 'entry', 'exit']) {
    test(`when the ${role} is killed, requests work again`, async (t) => {
      const node = await hop(role)
      const name = names.get(node) ?? ''
      process.kill(await pidOf(name), 'SIGKILL')
      const killed = performance.now()
      let tries = 0
      await eventually(
        'a request that works',
        async () => {
          tries++
          return (await curl(`${url}/part`)).code
        },
        (code) => code === 0,
      )
      const ms = performance.now() - killed
      t.diagnostic(`${name} (${role}): ${tries} requests, ${ms.toFixed(0)} ms`)
      const { legs } = await connected()
      assert.ok(legs[0]?.hops.every((each) => each.node !== node))
      await weftJson(['devnet', 'restart', name, '--dir', net])
    })
  }

  test('down ends the proxy, and up brings it back', async () => {
    await weftJson(['vpn', 'down'], env)
    assert.equal((await curl(url)).code, 7, 'nobody listens')
    assert.match((await weft(['vpn', 'route'], env)).stdout, /^vpn {2}off/)
    const { state } = await weftJson<Status>(['vpn', 'up', '--wait'], env)
    assert.equal(state, 'connected')
    assert.equal(await digest(curl(url)), hash)
  })
})

/** Records what passes on the loopback until it is disposed. */
async function capture(file: string, filter: string): Promise<AsyncDisposable> {
  const child = spawn('tcpdump', ['-i', 'lo', '-U', '-w', file, filter], { stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close')
  let said = ''
  for await (const chunk of child.stderr) {
    said += String(chunk)
    if (said.includes('listening on')) break
  }
  assert.match(said, /listening on/)
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT')
      await closed
    },
  }
}

/** Ports and payload lengths of the UDP datagrams over IPv4 in a capture (pcap, link type Ethernet). */
function udpIn(pcap: Buffer): { readonly from: number; readonly to: number; readonly length: number }[] {
  const found = []
  for (let at = 24; at + 16 <= pcap.length;) {
    const length = pcap.readUInt32LE(at + 8)
    const ip = at + 16 + 14
    const udp = ip + ((pcap[ip] as number) & 15) * 4
    // The header's own length has 16 bits; of a super-packet the frame's is what counts.
    found.push({
      from: pcap.readUInt16BE(udp),
      to: pcap.readUInt16BE(udp + 2),
      length: at + 16 + length - (udp + 8),
    })
    at += 16 + length
  }
  return found
}

const PART = 2_000_000

/** GET gives the content, GET /part its beginning, PUT the hash of what it got. */
async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  content: Uint8Array,
  seen: Set<string | undefined>,
): Promise<void> {
  seen.add(request.socket.remoteAddress)
  if (request.method !== 'PUT') {
    response.end(request.url === '/part' ? content.subarray(0, PART) : content)
    return
  }
  const hash = createHash('sha256')
  for await (const chunk of request) hash.update(chunk as Buffer)
  response.end(hash.digest('hex'))
}

async function digest(fetched: ReturnType<typeof runTool>): Promise<string> {
  const { code, stdout, stderr } = await fetched
  assert.equal(code, 0, stderr)
  return createHash('sha256').update(stdout).digest('hex')
}

async function unusedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
