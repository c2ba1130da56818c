import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { skipWithout } from './lib/needs.ts'
import { RouteNetwork } from './lib/route-network.ts'
import { weft, weftJson } from './lib/weft.ts'

// Where on its route cells are lost or late is told by the route itself, between real processes, and what goes over it goes on.

const BASE_PORT = 27_400
/** At 500 kB a second at most: longer than all that is waited for. */
const BYTES = 30_000_000
const FEW_BYTES = 12_000_000
const RATE = 500_000

interface Hop {
  readonly node: string
  readonly role: string
  readonly health: string
  readonly reason: string
  readonly latencyMs?: number
  readonly upMs?: number
}
interface Route {
  readonly legs: readonly { readonly state: string; readonly hops: readonly Hop[] }[]
  readonly events: readonly { readonly kind: string; readonly role?: string; readonly node?: string }[]
}
interface Verification {
  readonly legs: readonly {
    readonly losses: readonly { readonly role: string; readonly part: string; readonly chance: number }[]
    readonly delays: readonly { readonly role: string; readonly addedMs: number }[]
    readonly contradictions: readonly unknown[]
  }[]
}

test(
  'loss of 5 % and 60 ms on the link to the relay are named at the relay, under a download that is whole in the end',
  { skip: skipWithout('root', 'nat', 'tun', 'curl') },
  async (t) => {
    await using network = await RouteNetwork.up(BASE_PORT)
    const { link, env } = await connected(network)
    const hops = (): Promise<readonly Hop[]> => hopsInUse(env)
    const download = network.download(BYTES, RATE)
    // It has no fault of its own before it is awaited.
    download.catch(() => {})
    const before = await usual(env)
    t.diagnostic(`before: ${JSON.stringify(before.map(({ role, health, reason }) => [role, health, reason]))}`)

    await link.change({ delayMs: 60, loss: 0.05 })
    const named = await eventually('the relay, named', hops, (all) =>
      all.some(({ role, health, reason }) => role === 'relay' && health !== 'green' && /lost/.test(reason)),
    )
    t.diagnostic(`after: ${JSON.stringify(named.map(({ role, health, reason }) => [role, health, reason]))}`)
    for (const { role, reason } of named) assert.ok(role === 'relay' || !/lost/.test(reason), `${role}: ${reason}`)
    const late = await eventually('the delay, at the relay', hops, (all) =>
      all.some(({ role, latencyMs = 0 }) => role === 'relay' && latencyMs > 60),
    )
    const latencyOf = (name: string): number => late.find(({ role }) => role === name)?.latencyMs ?? 0
    t.diagnostic(`latencies: ${JSON.stringify(late.map(({ role, latencyMs, reason }) => [role, latencyMs, reason]))}`)
    assert.ok(latencyOf('relay') > latencyOf('entry') && latencyOf('relay') > latencyOf('exit'))

    const verified = await weft(['vpn', 'route', '--verify', '--json'], env)
    const { legs } = JSON.parse(verified.stdout) as Verification
    t.diagnostic(`losses: ${JSON.stringify(legs.map(({ losses }) => losses))}`)
    t.diagnostic(`delays: ${JSON.stringify(legs.map(({ delays }) => delays))}`)
    for (const { losses, contradictions } of legs) {
      assert.deepEqual(contradictions, [])
      for (const { role, part, chance } of losses) assert.ok(role === 'relay' && part === 'link' && chance <= 1e-6)
    }
    const { events } = await weftJson<Route>(['vpn', 'route'], env)
    const relay = named.find(({ role }) => role === 'relay')
    assert.ok(events.some(({ kind, role, node }) => kind === 'degraded' && role === 'relay' && node === relay?.node))

    await link.change({ delayMs: 0, loss: 0 })
    assert.equal(await download, createHash('sha256').update(Buffer.alloc(BYTES, 7)).digest('hex'))
  },
)

test(
  '60 ms on the link to the relay are told as added there, and at no other hop',
  { skip: skipWithout('root', 'nat', 'tun', 'curl') },
  async (t) => {
    await using network = await RouteNetwork.up(BASE_PORT)
    const { link, env } = await connected(network)
    const download = network.download(FEW_BYTES, RATE)
    download.catch(() => {})
    const before = await network.lostByMachine()
    const verify = async (): Promise<Verification['legs']> =>
      (JSON.parse((await weft(['vpn', 'route', '--verify', '--json'], env)).stdout) as Verification).legs
    // Each asks all hops once more than is asked beside it: what is usual is known by 26 answers.
    for (let asked = 0; asked < 30; asked++) await verify()
    await link.change({ delayMs: 60, loss: 0 })
    const legs = await eventually('the delay that was added', verify, (all) =>
      all.some(({ delays }) => delays.some(({ role }) => role === 'relay')),
    )
    t.diagnostic(JSON.stringify(legs.map(({ delays }) => delays)))
    // One way takes 60 ms more, and so does the way back.
    for (const { delays } of legs)
      for (const { role, addedMs } of delays) assert.ok(role === 'relay' && addedMs > 60, `${role}: ${addedMs} ms`)
    const lostByMachine = (await network.lostByMachine()) - before
    if (lostByMachine > 0) t.diagnostic(`${lostByMachine} packets lost by this machine itself`)
    for (const { losses, contradictions } of legs) {
      assert.deepEqual(contradictions, [])
      // The link loses none. What the machine does, where too many processes want it, is lost there all the same.
      if (lostByMachine === 0) assert.deepEqual(losses, [])
      for (const { role, part } of losses) assert.ok(role === 'relay' && part === 'link', `${role}: ${part}`)
    }
    await link.change({ delayMs: 0, loss: 0 })
    assert.equal(await download, createHash('sha256').update(Buffer.alloc(FEW_BYTES, 7)).digest('hex'))
  },
)

/** The hops of the leg in use once each was asked for so long, twice a second, that what is usual is known. */
function usual(env: Readonly<Record<string, string>>): Promise<readonly Hop[]> {
  return eventually(
    'figures of what is usual',
    () => hopsInUse(env),
    (all) => all.length === 3 && all.every(({ upMs = 0 }) => upMs > 15_000),
  )
}

async function hopsInUse(env: Readonly<Record<string, string>>): Promise<readonly Hop[]> {
  return (await weftJson<Route>(['vpn', 'route'], env)).legs.find(({ state }) => state === 'active')?.hops ?? []
}

async function connected(network: RouteNetwork) {
  const link = await network.linkToRelay()
  await network.startClient()
  await network.connect()
  return { link, env: { WEFT_HOME: network.home('client') } }
}
