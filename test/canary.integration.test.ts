import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { portOwner } from '@weft/core'
import { ApiClient } from '../packages/devnet/src/api/api-client.ts'
import { eventually } from './lib/eventually.ts'
import { findNodeProcesses } from './lib/find-node-processes.ts'
import { skipWithout } from './lib/needs.ts'
import { runTool } from './lib/run-tool.ts'
import { upDevnet } from './lib/up-devnet.ts'
import { weft, weftJson } from './lib/weft.ts'

// Words that nobody but their owner may read are used in a network that logs all it can, and looked for in all it leaves behind.

const BASE_PORT = 22_600
/** Packets that a route carries meanwhile: whole events and some seconds of the meters. */
const BODY_BYTES = 3_000_000

interface DevnetUp {
  readonly nodes: readonly { readonly name: string; readonly pid: number; readonly home: string }[]
}

/** Something that must stand nowhere, in any of the ways that a program would write it. */
interface Canary {
  readonly what: string
  readonly forms: readonly Buffer[]
}

const ofText = (what: string, text: string): Canary => ({
  what,
  forms: [Buffer.from(text), Buffer.from(Buffer.from(text).toString('hex'))],
})

function ofKey(what: string, key: Buffer): Canary {
  const hex = key.toString('hex')
  const texts = [hex, hex.toUpperCase(), key.toString('base64').replaceAll('=', ''), key.toString('base64url')]
  // As an array of numbers is printed.
  texts.push([...key].join(','), [...key].join(', '))
  return { what, forms: [key, ...texts.map((text) => Buffer.from(text))] }
}

/** All files below a directory but keys, which are where they belong. */
const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() && !entry.name.endsWith('.key') ? [join(entry.parentPath, entry.name)] : [],
  )

/** UDP ports of a process (proc_pid_net(5)). */
function udpPorts(pid: number): number[] {
  const lines = ['udp', 'udp6'].flatMap((table) => readFileSync(`/proc/net/${table}`, 'latin1').split('\n').slice(1))
  const ports = lines.flatMap((line) => /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) /.exec(line)?.[1] ?? [])
  return [...new Set(ports)].map((port) => parseInt(port, 16)).filter((port) => portOwner(port, 'udp')?.pid === pid)
}

test(
  'no log, event, answer or file of a network that logs at debug has a key, a destination or the address of a client',
  { skip: skipWithout('curl'), timeout: 600_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-canary-'))
    const net = join(directory, 'net')
    const word = `canary${randomBytes(6).toString('hex')}`
    const content = join(directory, `${word}-file`)
    writeFileSync(content, `${word}-content `.repeat(5_000))
    const server = createServer((request, response) => {
      request.resume()
      response.end(Buffer.alloc(BODY_BYTES, `${word}-answer `))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      const plan = { dir: net, basePort: BASE_PORT, seed: 'canary' }
      // Once for the homes, and once with all that can be logged.
      const first = await upDevnet<DevnetUp>(plan)
      await weft(['devnet', 'down', '--dir', net])
      for (const { home } of first.nodes)
        writeFileSync(join(home, 'weft.toml'), '[log]\nlevel = "debug"\n', { mode: 0o600 })
      const { nodes } = await upDevnet<DevnetUp>(plan)
      const client = nodes.find(({ name }) => name === 'client') ?? assert.fail()
      const env = { WEFT_HOME: client.home }
      await eventually(
        'a route',
        () => weftJson<{ state: string }>(['vpn', 'route'], env),
        ({ state }) => state === 'connected',
      )
      // That of the DNS port is for programs of this machine, and in its status.
      const { dns } = await weftJson<{ dns?: { port: number } }>(['vpn', 'status'], env)
      const ports = udpPorts(client.pid).filter((port) => port !== dns?.port)
      assert.ok(ports.length > 0, 'the client has no UDP port')

      const events: string[] = []
      const follow = new AbortController()
      const following = nodes.map(async ({ home }) => {
        try {
          for await (const event of new ApiClient(home).events({ signal: follow.signal }))
            events.push(JSON.stringify(event))
        } catch (error) {
          if (!follow.signal.aborted) throw error
        }
      })
      const curl = (proxy: string, ...args: readonly string[]) =>
        runTool('curl', ['--silent', '--max-time', '60', '--output', '/dev/null', '--proxy', proxy, ...args])
      const by = (scheme: string, user = ''): string => `${scheme}://${user}127.0.0.1:${BASE_PORT + 1}`
      const isolated = by('socks5h', `${word}-user:${word}-password@`)
      const target = `http://${word}-host.localhost:${port}/${word}-path?${word}-query`
      for (const proxy of [by('socks5h'), by('http'), isolated]) {
        const { code, stderr } = await curl(proxy, '--proxytunnel', '--data', `${word}-body`, target)
        assert.equal(code, 0, stderr)
      }
      // What fails is the likeliest to be told: no such name, refused by the exit's policy, nobody there, no HTTP.
      for (const url of [
        `http://${word}-missing.invalid/`,
        'http://10.66.77.88:4321/',
        `http://${word}-host.localhost:9/`,
        `https://${word}-host.localhost:${port}/`,
      ])
        for (const proxy of [by('socks5h'), by('http')])
          assert.notEqual((await curl(proxy, '--proxytunnel', '--insecure', url)).code, 0, url)
      const { ref } = await weftJson<{ ref: string }>(['put', content], env)
      assert.equal((await weft(['get', ref, '--output', join(directory, 'back')], env)).code, 0)
      const { token } = await weftJson<{ token: string }>(['token', 'create', 'canary', '--scopes', 'node:read'], env)
      await runTool('curl', [
        '--silent',
        '--header',
        `Authorization: Bearer ${token}`,
        `http://127.0.0.1:${BASE_PORT}/api/v1/status`,
      ])

      const answers = await Promise.all(
        nodes.flatMap(({ home }) =>
          [['status'], ['vpn', 'status'], ['vpn', 'route'], ['vpn', 'exits'], ['peers'], ['members']].map(
            async (words) => {
              const { stdout, stderr } = await weft([...words, '--json'], { WEFT_HOME: home })
              return `${stdout}${stderr}`
            },
          ),
        ),
      )
      follow.abort()
      await Promise.all(following)
      assert.ok(events.some((event) => event.includes('throughput')))
      // What is written at the end as well.
      await weft(['devnet', 'down', '--dir', net])

      const keys = nodes.flatMap(({ name, home }) =>
        readdirSync(home, { recursive: true, withFileTypes: true }).flatMap((entry) => {
          if (!entry.name.endsWith('.key')) return []
          return [ofKey(`${name}: ${entry.name}`, readFileSync(join(entry.parentPath, entry.name)))]
        }),
      )
      assert.ok(keys.length >= 40, `${keys.length} keys`)
      const canaries = [
        ...keys,
        ofText('a word of the client’s traffic', word),
        ofText('a destination', `127.0.0.1:${port}`),
        ofText('a destination that was refused', '10.66.77.88'),
        ofText('a reference', ref.slice(-24)),
        ofText('a token', token.slice(-24)),
        ...ports.flatMap((one) => [
          ofText('the address of a client', `127.0.0.1:${one}`),
          ofText('the port of a client', `"port":${one}`),
        ]),
      ]
      const files = filesBelow(net)
      assert.ok(files.some((file) => basename(file) === 'daemon.log' && readFileSync(file).includes('"level":"debug"')))
      const texts: readonly (readonly [string, Buffer])[] = [
        ...files.map((file) => [file.slice(net.length), readFileSync(file)] as const),
        ['events', Buffer.from(events.join('\n'))],
        ['answers', Buffer.from(answers.join('\n'))],
      ]
      const find = (sought: readonly Canary[]): string[] =>
        texts.flatMap(([where, bytes]) =>
          sought.flatMap(({ what, forms }) =>
            forms.some((form) => bytes.includes(form)) ? `${what} in ${where}` : [],
          ),
        )
      // What is there is found, or the next line would say nothing.
      const said = find([ofText('ready', 'the daemon is ready'), ofText('bytes', 'sentBytesPerSecond')])
      assert.ok(
        said.filter((one) => one.startsWith('ready')).length >= 12 && said.includes('bytes in events'),
        said.join(),
      )
      assert.deepEqual(find(canaries), [])
    } finally {
      await weft(['devnet', 'down', '--dir', net])
      assert.deepEqual(findNodeProcesses(net), [])
      server.closeAllConnections()
      server.close()
      rmSync(directory, { recursive: true })
    }
  },
)
