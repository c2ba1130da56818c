import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { type RequestListener, type Server, createServer } from 'node:http'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import type { VpnChoicesAnswer, VpnRouteAnswer, VpnVerifyAnswer } from '@weft/node'
import { runWeft, startWeft } from '../fixtures/run-weft.ts'
import { serveApi } from '../fixtures/serve-api.ts'

const NODE = 'did:key:z6MkRelay1'

function route(more: Partial<VpnRouteAnswer> = {}): VpnRouteAnswer {
  return {
    schemaVersion: 1,
    state: 'connected',
    legs: [
      {
        state: 'active',
        carriage: 'udp',
        hops: [
          {
            node: NODE,
            role: 'relay',
            country: 'DE',
            region: 'europe',
            simulated: false,
            latencyMs: 12.34,
            jitterMs: 0.5,
            lossPercent: 5.25,
            bandwidthBytesPerSecond: 2_000,
            upMs: 3_000,
            health: 'yellow',
            reason: 'packets are lost',
          },
        ],
        streams: 1,
        since: 0,
      },
    ],
    throughput: { sentBytesPerSecond: 0, receivedBytesPerSecond: 0, sentBytes: 0, receivedBytes: 0 },
    events: [{ at: 1_000, kind: 'degraded', code: 'E_HOP_DEGRADED', cause: 'It loses.', fix: 'None.', node: NODE }],
    others: [],
    ...more,
  }
}

const answers =
  (path: string, answer: () => unknown): RequestListener =>
  (request, response) => {
    response.writeHead(request.url === path ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(request.url === path ? answer() : { error: {} }))
  }

const ROUTE = '/api/v1/vpn/route'
const VERIFY = `${ROUTE}/verify`

/** The text of a stream of a process up to what a pattern wants. */
async function readUntil(stream: Readable, pattern: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (pattern.test(text)) return text
  }
  throw new Error(`it ended: ${text}`)
}

test('route shows jitter and loss of each hop, and what happened', async (t) => {
  const home = await serveApi(t, answers(ROUTE, route))
  const { code, stdout } = await runWeft(['vpn', 'route'], { WEFT_HOME: home })
  assert.equal(code, 0)
  assert.match(stdout, /ROLE +NODE +PLACE +LATENCY +JITTER +LOSS +HEALTH +WHY/)
  assert.match(stdout, /relay +MkRelay1 +DE europe +12\.3 ms +0\.5 ms +5\.3 % +yellow +packets are lost/)
  assert.match(stdout, /What happened, the latest first:\n {2}degraded +It loses\. {2}\(/)
  const long = await runWeft(['vpn', 'route', '--long'], { WEFT_HOME: home })
  assert.match(long.stdout, /SUITE +CARRIES +ANSWERS FOR[^]* 2\.0 kB\/s +3\.0 s +yellow/)
})

test('--watch tells changes a line each, says when the daemon is away and back, and ends by Ctrl-C with 0', async (t) => {
  let events = route().events
  const listener = answers(ROUTE, () => route({ events }))
  const home = await serveApi(t, (request, response) => listener(request, response))
  const path = join(home, 'again')
  mkdirSync(path)
  let server: Server = createServer(listener).listen(join(path, 'api.sock'))
  await once(server, 'listening')
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
    rmSync(join(path, 'api.sock'), { force: true })
  }
  t.after(stop)
  const { child, finished } = startWeft(['vpn', 'route', '--watch'], { WEFT_HOME: path })
  const out = child.stdout
  assert.ok(out !== null)
  const first = await readUntil(out, /connected {2}active/)
  assert.match(
    first,
    /^\d\d:\d\d:\d\d {2}degraded +It loses\.\n\d\d:\d\d:\d\d {2}connected {2}active …MkRelay1 yellow {2}0 B\/s up/,
  )
  events = [{ at: 2_000, kind: 'moved', code: 'ROUTE_MOVED', cause: 'Over others.', fix: 'None.' }, ...events]
  const next = await readUntil(out, /Over others/)
  // What was told is not told again.
  assert.match(next, /^00:00:02 {2}moved +Over others\.\n$/)
  await stop()
  assert.match(
    await readUntil(out, /\n/),
    /The daemon does not answer \(E_DAEMON_NOT_RUNNING: .*it is asked every second\./,
  )
  server = createServer(listener).listen(join(path, 'api.sock'))
  await once(server, 'listening')
  assert.match(await readUntil(out, /connected {2}active/), /The daemon answers again\.\n/)
  child.kill('SIGINT')
  const { code, stderr } = await finished
  assert.deepEqual([code, stderr], [0, ''])
})

test('--watch --json gives one document a line, also of a daemon that is away', async (t) => {
  const home = await serveApi(t, (_, response) => {
    response.writeHead(asked++ === 0 ? 200 : 503, { 'content-type': 'application/json' })
    const error = { code: 'E_STARTING', cause: 'It starts.', fix: 'Wait.' }
    response.end(JSON.stringify(asked === 1 ? route() : { error }))
  })
  let asked = 0
  const { child, finished } = startWeft(['vpn', 'route', '--watch', '--json'], { WEFT_HOME: home })
  assert.ok(child.stdout !== null)
  const text = await readUntil(child.stdout, /\n.*\n/)
  const [one, two] = text
    .split('\n')
    .map((line) => (line === '' ? undefined : (JSON.parse(line) as Record<string, unknown>)))
  assert.deepEqual([one?.['schemaVersion'], typeof one?.['at'], one?.['state']], [1, 'number', 'connected'])
  assert.deepEqual(two?.['error'], { code: 'E_STARTING', cause: 'It starts.', fix: 'Wait.' })
  child.kill('SIGINT')
  assert.equal((await finished).code, 0)
})

test('--watch without a daemon is exit code 3, and with --verify 2', async () => {
  const env = { WEFT_HOME: '/nonexistent' }
  assert.equal((await runWeft(['vpn', 'route', '--watch'], env)).code, 3)
  for (const words of [
    ['--watch', '--verify'],
    ['--verify', '--why'],
    ['--watch', '--why', NODE],
  ]) {
    const { code, stderr } = await runWeft(['vpn', 'route', ...words], env)
    assert.deepEqual([code, stderr.startsWith('E_USAGE: ')], [2, true])
  }
})

type Leg = VpnVerifyAnswer['legs'][number]

function verification(more: Partial<Leg> = {}, answered = true): VpnVerifyAnswer {
  const counted = { opened: 900, passed: 800, droppedForward: 0, came: 700, droppedBackward: 0, sent: 650 }
  const hop = { node: NODE, role: 'relay', sent: 1_000, verified: 600, health: 'green', reason: '' } as const
  const leg: Leg = {
    use: 'proxy',
    state: 'active',
    sent: 1_000,
    verified: 500,
    rejected: 0,
    hops: [{ ...hop, answered, counted, lossForwardPercent: 5.5 }],
    losses: [],
    delays: [],
    contradictions: [],
    ...more,
  }
  return { schemaVersion: 1, at: 5, legs: [leg] }
}

test('--verify shows by whose word what was counted, and what that proves', async (t) => {
  const loss = {
    part: 'link',
    direction: 'forward',
    percent: 5,
    sent: 200,
    lost: 10,
    chance: 1e-6,
    forMs: 900,
  } as const
  const at = { node: NODE, role: 'relay' } as const
  let posted = ''
  const answer = answers(VERIFY, () =>
    verification({ losses: [{ ...at, ...loss }], delays: [{ ...at, addedMs: 60, forMs: 2_000 }] }),
  )
  const home = await serveApi(t, (request, response) => {
    posted = request.method ?? ''
    answer(request, response)
  })
  const { code, stdout } = await runWeft(['vpn', 'route', '--verify'], { WEFT_HOME: home })
  assert.deepEqual([code, posted], [0, 'POST'])
  assert.match(
    stdout,
    /^the proxy, active: 1000 cells sent, 500 came back with the right tag of every hop, 0 rejected\n/,
  )
  assert.match(stdout, /relay +MkRelay1 +yes +1000 +900 +650 +600 +5\.5 % +- +green/)
  assert.match(
    stdout,
    /loss {2}10 of 200 cells towards the exit, on the link before the relay …MkRelay1, or by one of its two ends, for 900 ms; by accident: 1 in 1,000,000\n/,
  )
  assert.match(stdout, /delay {2}60\.0 ms more than before at the relay …MkRelay1 or the link before it, for 2\.0 s\n/)
  assert.match(stdout, /\nThis proves [^\n]*; it does not prove [^\n]*\.\n$/)
})

test('--verify is exit code 1 when a hop does not answer, when figures contradict each other, and when there is no leg', async (t) => {
  let answer = verification({}, false)
  const home = await serveApi(
    t,
    answers(VERIFY, () => answer),
  )
  const verify = async () => {
    const { code, stdout } = await runWeft(['vpn', 'route', '--verify', '--json'], { WEFT_HOME: home })
    const { ok, error, legs } = JSON.parse(stdout) as {
      ok: boolean
      error?: { code: string; cause: string }
      legs: Leg[]
    }
    return [code, ok, error?.code, error?.cause, legs.length]
  }
  assert.deepEqual(await verify(), [1, false, 'E_ROUTE_UNVERIFIED', '1 hop did not answer (…MkRelay1).', 1])
  answer = verification({ contradictions: [{ nodes: [NODE], what: 'it says more than there was', forMs: 1 }] })
  assert.deepEqual(await verify(), [1, false, 'E_ROUTE_UNVERIFIED', '1 statement of hops cannot be true.', 1])
  answer = { ...answer, legs: [] }
  assert.deepEqual(await verify(), [1, false, 'E_ROUTE_UNVERIFIED', 'There is no leg that is ready.', 0])
  answer = verification()
  assert.deepEqual(await verify(), [0, true, undefined, undefined, 1])
})

const OTHER = 'did:key:z6Mkevh7bMWWUda468bFjfFGtDxLXgkG8L46bsaXEwHD9Z3L'

function choices(): VpnChoicesAnswer {
  const out = { node: OTHER, standing: 'out', reason: 'family', beside: NODE } as const
  const draw = { candidates: 40, weight: 0.82, share: 0.031, bits: 4.9, floorBits: 4.3 }
  const guard = { node: NODE, primary: true, since: 0, until: 86_400_000, answered: true } as const
  const family = { reason: 'family', words: 'same family', count: 3 } as const
  const role = { reason: 'role', words: 'not of the role', count: 50 } as const
  return {
    schemaVersion: 1,
    at: 63_000,
    legs: [
      {
        use: 'proxy',
        state: 'active',
        chosenAt: 3_000,
        hops: [
          {
            ...draw,
            node: NODE,
            role: 'entry',
            candidates: 3,
            weight: 1,
            share: 1,
            bits: 0,
            floorBits: 0,
            discarded: [role],
            heaviest: [{ node: NODE, standing: 'chosen', weight: 1, share: 1 }],
            out: [],
            asked: { node: OTHER, standing: 'unlisted' },
          },
          {
            ...draw,
            node: NODE,
            role: 'relay',
            discarded: [role, family],
            heaviest: [
              { node: NODE, standing: 'chosen', weight: 0.82, share: 0.031 },
              { node: OTHER, standing: 'candidate', weight: 0.5, share: 0.02 },
            ],
            out: [out],
            asked: out,
          },
        ],
      },
    ],
    guards: [
      { ...guard, state: 'ready' },
      { ...guard, primary: false, state: 'silent', retryAt: 123_000 },
      { ...guard, primary: false, state: 'unlisted', unlistedSince: 0 },
      { ...guard, primary: false, state: 'not-called' },
    ],
  }
}

test('--why shows how each hop was chosen, what a node fell out for, and the guards', async (t) => {
  let asked = ''
  const home = await serveApi(t, (request, response) => {
    asked = request.url ?? ''
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(choices()))
  })
  const { code, stdout } = await runWeft(['vpn', 'route', '--why'], { WEFT_HOME: home })
  assert.deepEqual([code, asked], [0, '/api/v1/vpn/route/why?named=5'])
  assert.match(stdout, /^the proxy, active, chosen 1 min 0 s ago:\n/)
  assert.match(
    stdout,
    / {2}entry {2}…MkRelay1: the first guard that fits; of 53 members 3 came into question\n {4}out: 50 not of the role\n/,
  )
  assert.match(
    stdout,
    / {2}relay {2}…MkRelay1: weight 0\.82, chance 3\.1 %; of 93 members 40 came into question, with 4\.9 bits of uncertainty by their weights, and 4\.3 at least\n/,
  )
  assert.match(
    stdout,
    new RegExp(
      `out: 50 not of the role; 3 same family\\n {4}the heaviest others: …${OTHER.slice(-8)} weight 0\\.50, chance 2\\.0 %`,
    ),
  )
  assert.match(stdout, / {2}primary {2}MkRelay1 {2}ready +1970-01-01 00:00 UTC +1970-01-02 00:00 UTC\n/)
  assert.match(stdout, /silent .*did not answer; it is tried again in 1 min 0 s\n/)
  assert.match(stdout, /unlisted .*no entry of the signed map since 1970-01-01 00:00 UTC\n/)
  assert.match(stdout, /not-called .*the network around does not seem to lead to it\n/)

  const one = await runWeft(['vpn', 'route', '--why', OTHER, '--json'], { WEFT_HOME: home })
  assert.equal(asked, `/api/v1/vpn/route/why?named=100&node=${encodeURIComponent(OTHER)}`)
  assert.deepEqual(JSON.parse(one.stdout), choices())
  const words = (await runWeft(['vpn', 'route', '--why', OTHER], { WEFT_HOME: home })).stdout
  assert.match(
    words,
    new RegExp(`…${OTHER.slice(-8)}: no member that carries packets, in the signed map of that time\\n`),
  )
  assert.match(words, new RegExp(`…${OTHER.slice(-8)}: out: same family as …MkRelay1\\n`))
})

test('--why without any leg says so, and how to get one', async (t) => {
  const home = await serveApi(
    t,
    answers('/api/v1/vpn/route/why?named=5', () => ({ ...choices(), legs: [], guards: [] })),
  )
  const { code, stdout } = await runWeft(['vpn', 'route', '--why'], { WEFT_HOME: home })
  assert.equal(code, 0)
  assert.match(stdout, /^There is no leg \(weft vpn up builds one\)\.\n\nNo guards are known/)
})
