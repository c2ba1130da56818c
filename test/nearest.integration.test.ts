import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeHome, startDaemonIn, startScriptIn } from '../bench/lib/daemon-in-namespace.ts'
import { UserSpaceLink } from '../packages/devnet/src/user-space-link/user-space-link.ts'
import { eventually } from './lib/eventually.ts'
import { Namespaces } from './lib/namespaces.ts'
import { skipWithout } from './lib/needs.ts'
import { weft, weftJson } from './lib/weft.ts'

// With the wish for the nearest exit streams leave near their target, over ways that take their time; and by what they take, no longer by what the exit said once.

const BASE_PORT = 27_700
const PLACES = ['h', 'e', 'r', 'a', 'b', 't'] as const
type Place = (typeof PLACES)[number]
/** The client and the validator share a machine. */
const NODES = [
  { name: 'v', place: 'h', roles: 'validator,storage' },
  { name: 'entry', place: 'e', roles: 'entry' },
  { name: 'relay', place: 'r', roles: 'relay' },
  { name: 'exitA', place: 'a', roles: 'exit' },
  { name: 'exitB', place: 'b', roles: 'exit' },
] as const
const SERVER = `
  require('node:http').createServer((request, response) => response.end(request.socket.remoteAddress))
    .listen(8080, '${hostOf('t')}', () => console.log('up'))`
/** ms each way; others that are not named are 5. */
const FAR_MS = 60

/** Each in a /16 of its own, as routes want them. */
function hostOf(place: Place): string {
  return `10.${51 + PLACES.indexOf(place)}.0.1`
}

/** @param toA ms each way between exit A and the target */
const profile = (toA: number) => (from: number, to: number) => {
  const ends = [PLACES[from], PLACES[to]]
  const other = ends.find((end) => end !== 't')
  const delayMs = !ends.includes('t') ? 5 : other === 'a' ? toA : FAR_MS
  return { delayMs, loss: 0 }
}

test(
  'streams leave at the exit that is near to their target, and at the other one when that takes longer than it said',
  { skip: skipWithout('root', 'nat', 'tun', 'curl'), timeout: 300_000 },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-nearest-'))
    const home = (name: string): string => join(directory, name)
    await using stack = new AsyncDisposableStack()
    stack.defer(() => rmSync(directory, { recursive: true, force: true }))
    const namespaces = stack.use(new Namespaces<Place>('wn', PLACES))
    const ends = PLACES.map((place) => ({ namespace: namespaces.of(place), address: `${hostOf(place)}/8` }))
    const link = stack.use(await UserSpaceLink.open({ ends, profile: profile(5) }))
    stack.use(await startScriptIn(namespaces.of('t'), ['-e', SERVER]))
    for (const [at, { name, place, roles }] of NODES.entries())
      makeHome(home(name), {
        host: hostOf(place),
        publicPort: BASE_PORT,
        base: BASE_PORT + 10 * (at + 1),
        more: roles === 'exit' ? ['[exit]', `allow = ["${hostOf('t')}/32:*"]`] : [],
      })
    makeHome(home('client'), { publicPort: BASE_PORT, base: BASE_PORT + 60 })
    const address = `/ip4/${hostOf('h')}/tcp/${BASE_PORT}`
    await weftJson(['network', 'create', 'near', '--address', address, '--map-epoch', '2s', '--home', home('v')])
    for (const { name } of [...NODES.slice(1), { name: 'client' }]) {
      mkdirSync(home(name), { recursive: true })
      copyFileSync(join(home('v'), 'network.json'), join(home(name), 'network.json'))
    }
    for (const { name, place, roles } of [...NODES, { name: 'client', place: 'h', roles: 'client' } as const]) {
      await startDaemonIn(namespaces.of(place), home(name), roles)
      stack.defer(() => weft(['stop', '--home', home(name)]).then(() => {}))
    }
    const env = { WEFT_HOME: home('client') }
    await weftJson(['vpn', 'profile', 'create', 'near', '--exit', 'nearest'], env)
    await weftJson(['vpn', 'profile', 'use', 'near'], env)
    await weftJson(['vpn', 'up', '--wait', '--timeout', '60s'], env)

    const proxy = `127.0.0.1:${BASE_PORT + 61}`
    const words = [
      'curl',
      '-sS',
      '--fail',
      '--max-time',
      '20',
      '--socks5-hostname',
      proxy,
      `http://${hostOf('t')}:8080/`,
    ]
    /** By which exits some requests came, one after another. */
    const cameBy = async (): Promise<readonly string[]> => {
      const all: string[] = []
      for (let count = 0; count < 5; count++) all.push(await namespaces.exec('h', words))
      return all
    }
    const only = (place: Place) => (all: readonly string[]) => all.every((host) => host === hostOf(place))
    await eventually('all by the near one', cameBy, only('a'))
    assert.ok(only('a')(await cameBy()))

    await link.change(profile(2 * FAR_MS))
    const started = performance.now()
    await eventually('all by the one that is nearer now', cameBy, only('b'))
    t.diagnostic(`after ${Math.round(performance.now() - started)} ms`)
    assert.ok(only('b')(await cameBy()))
  },
)
