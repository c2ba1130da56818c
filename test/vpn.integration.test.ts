import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { portOwner, seededRandom } from '@weft/core'
import { socksConnect } from '../bench/vpn/socks-connect.ts'
import { launchChromium } from './lib/chromium.ts'
import { echoServer, webSocketEchoServer } from './lib/echo-servers.ts'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { MUTATIONS, sendHostile } from './lib/hostile-datagrams.ts'
import { skipWithout } from './lib/needs.ts'
import { tcpIn, udpIn } from './lib/pcap.ts'
import { runTool } from './lib/run-tool.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// The main job of the VPN on real processes: an ordinary client fetches over three nodes, and goes on when nodes die.

const BASE_PORT = 24_600
/** Behind those of the nodes. */
const UNUSED_PORT = BASE_PORT + 199
/** What is sent from here no node sent. */
const HOSTILE_PORT = BASE_PORT + 198
const SIZE = 100_000_000
/** Bytes of every packet on the wire. */
const PACKET = 1440
/** `npm run test:long` lets connections stand for ten minutes. */
const ECHO_MS = process.env['WEFT_LONG'] === undefined ? 5_000 : 600_000

interface Hop {
  readonly node: string
  readonly role: string
}
interface Route {
  readonly state: string
  readonly legs: readonly { readonly state: string; readonly hops: readonly Hop[]; readonly rttMs?: number }[]
}
interface Carried {
  readonly packetsReceived: number
  readonly packetsForwarded: number
  readonly packetsDropped: Readonly<Record<string, number>>
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
  /** Processes that the server was asked by. */
  const askedBy = new Set<number | undefined>()
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

  /** Fetches while everything on the wire is recorded. The nodes that the request took, from the entry to the exit. */
  const fetchCaptured = async (file: string, from: string): Promise<readonly Hop[]> => {
    const hopsNow = async (): Promise<readonly Hop[]> => (await connected()).legs[0]?.hops ?? []
    const fetchOnce = async (): Promise<{ readonly before: readonly Hop[]; readonly after: readonly Hop[] }> => {
      const before = await hopsNow()
      await using _ = await capture(file)
      assert.equal((await curl('--output', join(directory, 'part'), from)).code, 0)
      return { before, after: await hopsNow() }
    }
    // Another leg may come into use at any time; then it is not known which of both the request took.
    const one = await eventually('one route for the whole request', fetchOnce, ({ before, after: now }) =>
      before.every(({ node }, index) => node === now[index]?.node),
    )
    return one.after
  }

  const pidOf = async (name: string): Promise<number> => {
    const { nodes } = await weftJson<{ nodes: { name: string; pid: number }[] }>(['devnet', 'status', '--dir', net])
    const pid = nodes.find((node) => node.name === name)?.pid
    assert.ok(pid !== undefined && pid > 1, name)
    return pid
  }

  before(async () => {
    writeFileSync(upload, content)
    server = createServer((request, response) => void serve(request, response, content, askedBy)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const up = await upDevnet<{ nodes: { name: string; id: string; ports: { packets: number } }[] }>({
      dir: net,
      basePort: BASE_PORT,
      seed: 'vpn',
    })
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
    const exit = await pidOf(names.get(hops[2]?.node ?? '') ?? '')
    assert.deepEqual([...askedBy], [exit])
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
      const hops = await fetchCaptured(file, `${target}/part?marker-of-the-request`)
      const [entry = 0, relay = 0, exit = 0] = hops.map(({ node }) => packetPorts.get(node))
      const bytes = readFileSync(file)
      for (const word of ['marker-of-the', 'GET /', 'HTTP/1.1']) assert.equal(bytes.includes(word), false, word)
      const packets = udpIn(bytes)
      // On the loopback a capture sees what one system call sent: several packets behind each other.
      for (const { payload } of packets) assert.equal(payload.length % PACKET, 0)
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

  test(
    '100,000 replayed, changed, cut, longer and made-up packets: no hop accepts more than the true ones that come meanwhile, and the route stands',
    { skip: skipWithout('root', 'tcpdump') },
    async (t) => {
      const file = join(directory, 'hostile.pcap')
      const carried = async (id: string): Promise<Carried> => {
        const home = { WEFT_HOME: join(net, names.get(id) ?? '') }
        return (await weftJson<{ carried: Carried }>(['vpn', 'status'], home)).carried
      }
      // Ten times: an exit hears a request and acknowledgements, the fewer the busier the machine is.
      const hops = await fetchCaptured(file, `${url}/part?[1-10]`)
      const datagrams = udpIn(readFileSync(file))
      const random = seededRandom(4)
      const kinds = Object.entries(MUTATIONS)
      const each = Math.ceil(100_000 / kinds.length / 3)
      for (const { node, role } of hops) {
        const port = packetPorts.get(node) ?? 0
        const packets = datagrams
          .filter(({ to, payload }) => to === port && payload.length % PACKET === 0)
          .flatMap(({ payload }) =>
            Array.from({ length: payload.length / PACKET }, (_, at) =>
              payload.subarray(at * PACKET, (at + 1) * PACKET),
            ),
          )
        assert.ok(packets.length > 10, `${role}: ${packets.length} packets were seen`)
        const own = join(directory, `own-${role}.pcap`)
        const trueOnes = await capture(
          own,
          `(udp and not src port ${HOSTILE_PORT} and dst port (${port} or ${UNUSED_PORT})) or (tcp and dst port ${port})`,
        )
        // What waited in the node's socket when the capture began is in no capture: behind a stray of ours nothing of it is left.
        const { foreign = 0 } = (await carried(node)).packetsDropped
        await sendHostile(port, packets, MUTATIONS.truncated, 1, random, HOSTILE_PORT)
        const atFirst = await eventually(
          `sight of a stray by the ${role}`,
          () => carried(node),
          ({ packetsDropped }) => (packetsDropped['foreign'] ?? 0) > foreign,
        )
        for (const [kind, mutate] of kinds) {
          const before = await carried(node)
          await sendHostile(port, packets, mutate, each, random, HOSTILE_PORT)
          // A receiver under load may lose some before it looks at them.
          const now = await eventually(
            `refusal of ${kind} packets by the ${role}`,
            () => carried(node),
            ({ packetsDropped }) => sum(packetsDropped) - sum(before.packetsDropped) > 0.9 * each,
          )
          t.diagnostic(
            `${role}, ${kind}: ${each} sent, ${sum(now.packetsDropped) - sum(before.packetsDropped)} refused`,
          )
        }
        // What is received, and not yet looked at, counts as accepted until it is refused.
        const last = await eventually(
          `quiet at the ${role}`,
          async () => [await carried(node), await carried(node)] as const,
          ([one, two]) => sum(one.packetsDropped) === sum(two.packetsDropped),
        )
        const accepted = taken(last[1]) - taken(atFirst)
        await trueOnes[Symbol.asyncDispose]()
        const inOwn = readFileSync(own)
        const bytes = [...udpIn(inOwn), ...tcpIn(inOwn)]
          .filter(({ to }) => to === port)
          .reduce((total, { payload }) => total + payload.length, 0)
        // A link whose handshake is not answered within a second, as under such a flood, may come in TLS: so many are in it at most.
        const came = Math.floor(bytes / PACKET)
        t.diagnostic(`${role}: ${accepted} accepted, ${came} true ones came`)
        assert.ok(accepted <= came, `${role}: ${accepted} were accepted, and ${came} were true`)
      }
      assert.equal(await digest(curl(url)), hash)
    },
  )

  test(
    `a WebSocket of a browser and a connection as of ssh echo for ${ECHO_MS / 1_000} s`,
    { skip: skipWithout('chromium') },
    async (t) => {
      const pages = webSocketEchoServer().listen(0, '127.0.0.1')
      const shell = echoServer().listen(0, '127.0.0.1')
      await Promise.all([once(pages, 'listening'), once(shell, 'listening')])
      // Chromium goes to its own machine without a proxy, if it is not told otherwise.
      const browser = await launchChromium({
        proxy: { server: `socks5://127.0.0.1:${BASE_PORT + 1}`, bypass: '<-loopback>' },
      })
      try {
        const page = await browser.newPage()
        const origin = `127.0.0.1:${(pages.address() as AddressInfo).port}`
        await page.goto(`http://${origin}/`)
        const until = performance.now() + ECHO_MS
        const [texts, keys] = await Promise.all([
          page.evaluate(echoTexts, { url: `ws://${origin}/`, ms: ECHO_MS }),
          echoKeys((shell.address() as AddressInfo).port, until),
        ])
        t.diagnostic(`${texts} texts and ${keys} keys came back`)
        assert.ok(texts > 0 && keys > 0)
      } finally {
        await browser.close()
        pages.closeAllConnections()
        pages.close()
        shell.close()
      }
    },
  )

  test('curl comes through by HTTP CONNECT as well, with user and password, and reads why it is refused', async () => {
    const byHttp = ['--proxy', `http://127.0.0.1:${BASE_PORT + 1}`, '--proxytunnel', '--proxy-user', 'by:http']
    assert.equal(await digest(curl(...byHttp, url)), hash)
    const { code, stderr } = await curl(...byHttp, '--include', 'http://10.1.2.3/')
    assert.deepEqual([code, /403/.test(stderr)], [56, true], 'curl(1): the proxy refused')
    const pac = await fetch(`http://127.0.0.1:${BASE_PORT + 1}/proxy.pac`)
    assert.equal(pac.headers.get('content-type'), 'application/x-ns-proxy-autoconfig')
    assert.match(await pac.text(), /return 'SOCKS5 127\.0\.0\.1:\d+'/)
  })

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

/** In the browser: sends texts over a WebSocket, each once the one before came back. @returns how many came back */
async function echoTexts({ url, ms }: { readonly url: string; readonly ms: number }): Promise<number> {
  const socket = new WebSocket(url)
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const end = performance.now() + ms
  let count = 0
  const send = (): void => socket.send(`text ${count}`)
  socket.onopen = send
  socket.onerror = () => reject(new Error(`the WebSocket failed after ${count} texts`))
  socket.onclose = ({ wasClean }) =>
    wasClean ? resolve(count) : reject(new Error(`the WebSocket was cut after ${count} texts`))
  socket.onmessage = ({ data }) => {
    if (data !== `text ${count}`) reject(new Error(`${data} came in place of text ${count}`))
    count++
    if (performance.now() > end) socket.close(1000)
    else requestAnimationFrame(send)
  }
  return promise
}

/** Types words into a connection over the proxy, each once the one before came back. @returns how many came back */
async function echoKeys(target: number, until: number): Promise<number> {
  const socket = await socksConnect(BASE_PORT + 1, target)
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let count = 0
  let echoed = ''
  socket.on('error', reject)
  socket.on('close', () => (performance.now() < until ? reject(new Error(`cut after ${count} words`)) : resolve(count)))
  socket.on('data', (bytes) => {
    echoed += String(bytes)
    if (!echoed.endsWith('\n')) return
    if (echoed !== `word ${count}\n`) reject(new Error(`${echoed} came in place of word ${count}`))
    echoed = ''
    count++
    if (performance.now() > until) socket.end()
    else socket.write(`word ${count}\n`)
  })
  socket.write('word 0\n')
  return promise
}

/** Records what passes on the loopback until it is disposed. */
async function capture(
  file: string,
  filter = `udp and portrange ${BASE_PORT}-${UNUSED_PORT}`,
): Promise<AsyncDisposable> {
  const args = ['-i', 'lo', '--immediate-mode', '-U', '-w', file, filter]
  const child = spawn('tcpdump', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close')
  let said = ''
  const { promise: listening, resolve } = Promise.withResolvers<void>()
  // Read to its end: a pipe that nobody reads any more ends tcpdump, which has more to say.
  child.stderr.on('data', (chunk) => {
    said += String(chunk)
    if (said.includes('listening on')) resolve()
  })
  await Promise.race([listening, closed])
  assert.match(said, /listening on/)
  return {
    async [Symbol.asyncDispose]() {
      // What tcpdump has not been given when it is ended is lost: once it has written this packet, it has all before it.
      const last = randomBytes(PACKET)
      const socket = createSocket('udp4')
      const isWritten = async (): Promise<boolean> => {
        socket.send(last, UNUSED_PORT, '127.0.0.1')
        return readFileSync(file).includes(last)
      }
      await eventually('the end of a capture', isWritten, (written) => written)
      socket.close()
      child.kill('SIGINT')
      await closed
    },
  }
}

const PART = 2_000_000

/** GET gives the content, GET /part its beginning, PUT the hash of what it got. */
async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  content: Uint8Array,
  askedBy: Set<number | undefined>,
): Promise<void> {
  const { remotePort = 0, localPort } = request.socket
  askedBy.add(portOwner(remotePort, 'tcp', localPort)?.pid)
  if (request.method !== 'PUT') {
    response.end(request.url?.startsWith('/part') === true ? content.subarray(0, PART) : content)
    return
  }
  const hash = createHash('sha256')
  for await (const chunk of request) hash.update(chunk as Buffer)
  response.end(hash.digest('hex'))
}

/** Packets that a link and, at a relay, a circuit opened. */
function taken({ packetsReceived, packetsDropped }: Carried): number {
  // Of a datagram that is no packet nothing is received.
  const { foreign: _, ...refused } = packetsDropped
  return packetsReceived - sum(refused)
}

function sum(counters: Readonly<Record<string, number>>): number {
  return Object.values(counters).reduce((total, count) => total + count, 0)
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
