import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { FLAGS } from './lib/chromium.ts'
import { eventually } from './lib/eventually.ts'
import { CHROMIUM, skipWithout } from './lib/needs.ts'
import { runTool } from './lib/run-tool.ts'
import { SECRET, SERVER, TunNetwork } from './lib/tun-network.ts'
import { weftJson } from './lib/weft.ts'

// Programs that others wrote, as their packages have them, over three nodes in namespaces: none of them knows of Weft.

const BASE_PORT = 21_200
const PROXY = BASE_PORT + 61
const DNS = BASE_PORT + 64
const PAGE = 'http://www.test:8080/who'
const IPERF = 5_201
const FILL = join(import.meta.dirname, 'lib', 'fill-exit.program.ts')
/** Ports of the server: one where nobody listens, and one of which nothing is heard. */
const CLOSED = 9
const SILENT = 19
/** Of a range for documentation; the exit's machine has no route to the first, and a router says that of the second. */
const NO_NETWORK = '198.51.100.7'
const NO_HOST = '198.51.100.8'

interface Iperf {
  readonly error?: string
  readonly end: {
    readonly sum_sent?: { readonly bytes: number }
    readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number }
    readonly sum?: { readonly packets: number; readonly lost_packets: number; readonly bits_per_second: number }
  }
}

interface Failure {
  readonly code: string
  readonly cause: string
  readonly fix: string
  readonly count: number
}

describe('other people’s programs', { skip: skipWithout('root', 'nat', 'tun', 'curl', 'clients') }, () => {
  let network: TunNetwork
  let iperf: ChildProcess
  let profiles = 0

  const client = (...words: readonly string[]): Promise<string> => network.exec('c', words, 90_000)
  /**
   * One run of iperf3. Its server takes one at a time, and for a moment behind each it has no listener: who comes in that moment is
   * reset, or told that it is busy, before anything was measured.
   */
  const measure = async (...words: readonly string[]): Promise<Iperf['end']> => {
    const run = async (): Promise<Iperf> =>
      JSON.parse(await client('iperf3', '-J', '-c', SERVER, '-p', String(IPERF), ...words)) as Iperf
    const { end, error } = await eventually(
      'iperf3 with its server to itself',
      run,
      (ran) => !/server is busy|unable to receive control message/.test(ran.error ?? ''),
    )
    assert.equal(error, undefined)
    return end
  }

  /** What a page is to Chromium when it has loaded it. @param flags of its own, such as a proxy */
  const browse = (url: string, ...flags: readonly string[]): Promise<string> => {
    const profile = `--user-data-dir=${join(network.home('client'), `chromium${profiles++}`)}`
    return client(CHROMIUM, '--headless', ...FLAGS, profile, ...flags, '--dump-dom', url)
  }

  /** What curl is refused with: the reply of SOCKS5 (RFC 1928, section 6) and the status of HTTP CONNECT. */
  const refused = async (url: string): Promise<readonly [socks: number, http: number]> => {
    const curl = ['netns', 'exec', network.namespace('c'), 'curl', '-sS', '--max-time', '30', '-w', '%{http_connect}']
    const [socks, http] = await Promise.all([
      runTool('ip', [...curl, '--proxy', `socks5h://127.0.0.1:${PROXY}`, url]),
      runTool('ip', [...curl, '--proxy', `http://127.0.0.1:${PROXY}`, '--proxytunnel', url]),
    ])
    const [, reply] = /\((\d+)\)\s*$/.exec(socks.stderr) ?? []
    // 97 and 56: the proxy refused (curl(1)).
    assert.deepEqual([socks.code, http.code], [97, 56], `${url}: ${socks.stderr}${http.stderr}`)
    return [Number(reply), Number(http.stdout.toString())]
  }
  /** The reasons that `weft vpn status` has, by code. */
  const reasons = async (): Promise<ReadonlyMap<string, Failure>> => {
    const { failures } = await weftJson<{ failures: readonly Failure[] }>(['vpn', 'status'], network.env)
    const told = JSON.stringify(failures)
    for (const secret of [SERVER, SECRET, NO_NETWORK, NO_HOST, '.test']) assert.ok(!told.includes(secret), told)
    return new Map(failures.map((failure) => [failure.code, failure]))
  }

  before(async () => {
    network = await TunNetwork.up(BASE_PORT, { oneExit: true })
    iperf = spawn('ip', ['netns', 'exec', network.namespace('s'), 'iperf3', '-s', '-B', SERVER, '-p', String(IPERF)])
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], network.env)
  })
  after(async () => {
    if (iperf?.exitCode === null && iperf.kill('SIGKILL')) await once(iperf, 'exit')
    await network?.[Symbol.asyncDispose]()
  })

  describe('by SOCKS5', () => {
    test('torsocks leads a program that knows of no proxy, and looks names up by the commands of Tor', async () => {
      const torsocks = ['torsocks', '-a', '127.0.0.1', '-P', String(PROXY)]
      assert.equal(await client(...torsocks, 'curl', '-sS', '--max-time', '30', PAGE), network.exitOutside)
      assert.equal(
        await client(...torsocks, '-i', 'curl', '-sS', '--max-time', '30', `http://${SERVER}:8080/who`),
        network.exitOutside,
      )
      await assert.rejects(client(...torsocks, 'curl', '-sS', '--max-time', '30', 'http://nobody.test/'), /curl: \(6\)/)
    })

    test('proxychains leads one, with names of its own making', async () => {
      const file = join(network.home('client'), 'proxychains.conf')
      writeFileSync(file, `strict_chain\nproxy_dns\n[ProxyList]\nsocks5 127.0.0.1 ${PROXY}\n`)
      const words = ['proxychains4', '-q', '-f', file, 'curl', '-sS', '--max-time', '30', PAGE]
      assert.equal(await client(...words), network.exitOutside)
    })

    test('Chromium is led by the PAC file', { skip: skipWithout('chromium') }, async () => {
      const page = await browse(PAGE, `--proxy-pac-url=http://127.0.0.1:${PROXY}/proxy.pac`)
      assert.match(page, new RegExp(`>${RegExp.escape(network.exitOutside)}<`))
    })

    test('ncat speaks over it', async () => {
      const ask = 'printf "GET /who HTTP/1.0\\r\\n\\r\\n"'
      const over = `ncat --proxy 127.0.0.1:${PROXY} --proxy-type socks5 ${SERVER} 8080`
      const page = await client('sh', '-c', `${ask} | ${over}`)
      assert.ok(page.startsWith('HTTP/1.1 200') && page.endsWith(network.exitOutside), page)
    })
  })

  describe('what leads nowhere is told as each protocol has it, with its reason', () => {
    before(async () => {
      await network.exec('x', ['ip', 'route', 'add', 'throw', NO_NETWORK])
      await network.exec('x', ['ip', 'route', 'add', 'unreachable', NO_HOST])
      await network.drop('s', `tcp dport ${SILENT}`)
    })

    test('targets that are not there, do not answer or are not to be reached, and names', async () => {
      const targets: readonly (readonly [url: string, socks: number, http: number, code: string])[] = [
        [`http://${SERVER}:${CLOSED}/`, 5, 502, 'E_TARGET_REFUSED'],
        [`http://${NO_NETWORK}/`, 3, 502, 'E_TARGET_NETWORK'],
        [`http://${NO_HOST}/`, 4, 502, 'E_TARGET_HOST'],
        [`http://${SERVER}:${SILENT}/`, 6, 504, 'E_TARGET_TIMEOUT'],
        [`http://${SECRET}:8080/`, 2, 403, 'E_TARGET_POLICY'],
        ['http://secret.test:8080/', 2, 403, 'E_TARGET_POLICY'],
        [`http://${SERVER}:25/`, 2, 403, 'E_TARGET_POLICY'],
        ['http://nobody.test/', 4, 502, 'E_TARGET_NAME'],
        ['http://silent.test/', 4, 504, 'E_TARGET_NAME_SERVER'],
      ]
      const told = await Promise.all(targets.map(([url]) => refused(url)))
      assert.deepEqual(
        told,
        targets.map(([, socks, http]) => [socks, http]),
      )
      const found = await reasons()
      for (const [url, , , code] of targets) {
        const { cause = '', fix = '' } = found.get(code) ?? {}
        assert.ok(cause !== '' && fix !== '', `${url}: ${code} is missing or says nothing`)
      }
      assert.deepEqual(new Set(found.keys()), new Set(targets.map(([, , , code]) => code)))
    })

    test('datagrams, where the exit has all the channels that it gives one client', async () => {
      const said = await client(process.execPath, FILL, String(PROXY))
      assert.match(said, /refused with 1\n/)
      const { cause = '', fix = '' } = (await reasons()).get('E_EXIT_FULL') ?? {}
      assert.match(`${cause} ${fix}`, /is at its limit.*another exit/i)
    })

    test('an exit whose name server is dead', async () => {
      await network.drop('s', 'udp dport 53')
      try {
        assert.deepEqual(await refused('http://other.test/'), [4, 504])
      } finally {
        await network.dropNothing('s')
      }
    })
  })

  test('dig asks the DNS port, by UDP and by TCP', async () => {
    for (const how of ['+notcp', '+tcp']) {
      const words = ['@127.0.0.1', '-p', String(DNS), how, '+short', '+tries=1', 'www.test', 'A']
      assert.equal((await client('dig', ...words)).trim(), SERVER)
    }
    const refused = await client('dig', '@127.0.0.1', '-p', String(DNS), '+tries=1', 'secret.test', 'A')
    assert.match(refused, /status: NOERROR/)
    assert.match(refused, /EDE: 15 \(Blocked\)/)
    assert.match(refused, /ANSWER: 0/)
  })

  describe('by TUN', () => {
    before(async () => {
      await weftJson(['vpn', 'down'], network.env)
      await weftJson(['vpn', 'up', '--tun', '--wait', '--timeout', '60s'], network.env)
    })

    test('iperf3 sends and receives by TCP, also over several connections at once', async (t) => {
      for (const words of [[], ['-R'], ['-P', '4']]) {
        const { sum_received: received } = await measure('-n', '20M', ...words)
        // What is on its way when the sender has sent all is not counted.
        assert.ok(received !== undefined && received.bytes >= 10_000_000, JSON.stringify(received))
        t.diagnostic(`${words.join(' ') || 'up'}: ${(received.bits_per_second / 1e6).toFixed(0)} Mbit/s`)
      }
    })

    test('iperf3 gets its datagrams through, both ways', async (t) => {
      for (const words of [[], ['-R']]) {
        const { sum } = await measure('-u', '-b', '5M', '-l', '1200', '-n', '2M', ...words)
        assert.ok(sum !== undefined && sum.packets > 1_000, JSON.stringify(sum))
        t.diagnostic(`${words.join(' ') || 'up'}: ${sum.lost_packets} of ${sum.packets} lost`)
        assert.ok(sum.lost_packets <= sum.packets / 5, `${sum.lost_packets} of ${sum.packets} are lost`)
      }
    })

    test('Chromium, which knows of no proxy', { skip: skipWithout('chromium') }, async () => {
      assert.match(await browse(PAGE), new RegExp(`>${RegExp.escape(network.exitOutside)}<`))
    })

    test('dig asks the name server that the system has, and is answered through the tunnel', async () => {
      const find = (): Promise<string> => client('dig', '+short', '+tries=1', 'www.test', 'A')
      assert.equal((await eventually('the answer', find, (found) => found.trim() !== '')).trim(), SERVER)
    })
  })
})
