import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import type { VpnStatusAnswer } from '@weft/node'
import { runWeft, startWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

const NO_EXIT = { code: 'E_NO_EXIT', cause: 'No exit is in BR.', fix: 'Ask for another.' }
const NO_IP = { code: 'E_EXIT_NO_IP', cause: 'The exit carries none.', fix: 'See weft vpn exits.' }

type Tun = NonNullable<VpnStatusAnswer['tun']>

const waitingTun = { interface: 'weft0', state: 'waiting', packets: {}, fault: NO_IP } as unknown as Tun

function status(more: Partial<VpnStatusAnswer>): Partial<VpnStatusAnswer> {
  const profile = { name: 'default', pending: { fields: [] }, warnings: [] }
  return { schemaVersion: 1, state: 'connecting', profile, proxy: { host: '127.0.0.1', port: 1 }, ...more }
}

/** Answers what `next` says, one question after the other. */
const answering =
  (next: () => Partial<VpnStatusAnswer>): RequestListener =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(next()))
  }

test('up --wait tells the state and its cause as they change, each once', async (t) => {
  const states = [
    status({}),
    status({ state: 'blocked', fault: NO_EXIT }),
    status({ state: 'blocked', fault: NO_EXIT }),
    status({ state: 'connected' }),
  ]
  let at = 0
  const home = await serveApi(
    t,
    answering(() => states[Math.min(at++, 3)] as Partial<VpnStatusAnswer>),
  )
  const { code, stderr, stdout } = await runWeft(['vpn', 'up', '--wait'], { WEFT_HOME: home })
  assert.equal(code, 0)
  assert.equal(stderr, 'vpn  connecting\nvpn  blocked\n  E_NO_EXIT: No exit is in BR.\n    Fix: Ask for another.\n')
  assert.match(stdout, /^vpn {2}connected\nSet programs to the proxy/)
  at = 0
  const json = await runWeft(['vpn', 'up', '--wait', '--json'], { WEFT_HOME: home })
  assert.deepEqual([json.code, json.stderr], [0, ''])
})

test('up --tun --wait: in time no tunnel, though the proxy has its route', async (t) => {
  const home = await serveApi(
    t,
    answering(() => status({ state: 'connected', tun: waitingTun })),
  )
  const words = ['vpn', 'up', '--tun', '--wait', '--timeout', '1s']
  const { code, stderr } = await runWeft(words, { WEFT_HOME: home })
  assert.equal(code, 6)
  assert.match(
    stderr,
    /^vpn {2}the proxy is connected, the tunnel is not\n {2}tunnel {6}weft0: no exit yet, and nothing leaves this machine.*\n {2}E_EXIT_NO_IP/,
  )
  assert.match(
    stderr,
    /E_TIMEOUT: .*The proxy has a route, and the tunnel has no exit yet: E_EXIT_NO_IP: The exit carries none\./,
  )
  assert.doesNotMatch(stderr, /no route is connected/)
  assert.match(stderr, /Fix: See weft vpn exits\.\n$/)
})

test('Ctrl-C on up --wait says that the proxy is up', async (t) => {
  const home = await serveApi(
    t,
    answering(() => status({ state: 'blocked', fault: NO_EXIT })),
  )
  const { child, finished } = startWeft(['vpn', 'up', '--wait'], { WEFT_HOME: home })
  assert.ok(child.stderr !== null)
  await once(child.stderr, 'data')
  child.kill('SIGINT')
  const { code, stderr } = await finished
  assert.equal(code, 130)
  assert.match(stderr, /E_INTERRUPTED: Interrupted; the proxy is up, and a route is looked for\.\n/)
  assert.match(stderr, /Fix: .*weft vpn down/)
  assert.doesNotMatch(stderr, /half done/)
})

test('Ctrl-C before the daemon answered: the proxy may be up', async (t) => {
  const asked = Promise.withResolvers<void>()
  const home = await serveApi(t, () => asked.resolve())
  const { child, finished } = startWeft(['vpn', 'up'], { WEFT_HOME: home })
  await asked.promise
  child.kill('SIGINT')
  const { code, stderr } = await finished
  assert.equal(code, 130)
  assert.match(stderr, /E_INTERRUPTED: Interrupted; the proxy may be up\.$/m)
})
