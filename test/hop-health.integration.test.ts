import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { eventually } from './lib/eventually.ts'
import { skipWithout } from './lib/needs.ts'
import { RouteNetwork } from './lib/route-network.ts'
import { weft, weftJson } from './lib/weft.ts'

// Where on its route cells are lost or late is told by the route itself, between real processes, and what goes over it goes on.

const BASE_PORT = 27_400
/** Of one download, and a second: ten seconds at least. */
const BYTES = 5_000_000
const RATE = 500_000
const SUM = createHash('sha256').update(Buffer.alloc(BYTES, 7)).digest('hex')

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
  'loss of 5 % and 60 ms on the link to the relay are named at the relay, under downloads that come whole',
  { skip: skipWithout('root', 'nat', 'tun', 'curl') },
  async (t) => {
    await using network = await RouteNetwork.up(BASE_PORT)
    const { link, env } = await connected(network)
    const route = (): Promise<Route> => weftJson<Route>(['vpn', 'route'], env)
    const downloads = new Downloads(network)
    const before = hopsInUse(await downloads.during(eventually('figures of what is usual', route, isUsual)))
    t.diagnostic(`before: ${JSON.stringify(before.map(({ role, health, reason }) => [role, health, reason]))}`)

    await link.change({ delayMs: 60, loss: 0.05 })
    const isNamed = ({ role, health, reason }: Hop): boolean =>
      role === 'relay' && health !== 'green' && /lost/.test(reason)
    const named = hopsInUse(
      await downloads.during(eventually('the relay, named', route, (seen) => hopsInUse(seen).some(isNamed))),
    )
    t.diagnostic(`after: ${JSON.stringify(named.map(({ role, health, reason }) => [role, health, reason]))}`)
    for (const { role, reason } of named) assert.ok(role === 'relay' || !/lost/.test(reason), `${role}: ${reason}`)
    const isLate = ({ role, latencyMs = 0 }: Hop): boolean => role === 'relay' && latencyMs > 60
    const late = hopsInUse(
      await downloads.during(eventually('the delay, at the relay', route, (seen) => hopsInUse(seen).some(isLate))),
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
    const { events } = await route()
    const relay = named.find(({ role }) => role === 'relay')
    assert.ok(events.some(({ kind, role, node }) => kind === 'degraded' && role === 'relay' && node === relay?.node))

    await link.change({ delayMs: 0, loss: 0 })
    await downloads.end()
  },
)

test(
  '60 ms on the link to the relay are told as added there, and at no other hop',
  { skip: skipWithout('root', 'nat', 'tun', 'curl') },
  async (t) => {
    await using network = await RouteNetwork.up(BASE_PORT)
    const { link, env } = await connected(network)
    const downloads = new Downloads(network)
    const before = await network.lostByMachine()
    const verify = async (): Promise<Verification['legs']> =>
      (JSON.parse((await weft(['vpn', 'route', '--verify', '--json'], env)).stdout) as Verification).legs
    // Each asks all hops once more than is asked beside it: what is usual is known by 26 answers.
    for (let asked = 0; asked < 30; asked++) await downloads.during(verify())
    await link.change({ delayMs: 60, loss: 0 })
    const isToldAtRelay = (all: Verification['legs']): boolean =>
      all.some(({ delays }) => delays.some(({ role }) => role === 'relay'))
    const legs = await downloads.during(eventually('the delay that was added', verify, isToldAtRelay))
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
    await downloads.end()
  },
)

/** One download after another, so that cells flow for as long as is wanted. */
class Downloads {
  readonly #all: Promise<void>
  #isLast = false

  constructor(network: RouteNetwork) {
    this.#all = this.#run(network)
    // It has no fault of its own before it is awaited.
    this.#all.catch(() => {})
  }

  /** What is wanted while they run. Rejects as soon as one of them does not come whole. */
  during<T>(wanted: Promise<T>): Promise<T> {
    return Promise.race([wanted, this.#all.then(() => wanted)])
  }

  /** The one that runs comes whole, and no other begins. */
  end(): Promise<void> {
    this.#isLast = true
    return this.#all
  }

  async #run(network: RouteNetwork): Promise<void> {
    do assert.equal(await network.download(BYTES, RATE), SUM)
    while (!this.#isLast)
  }
}

/** Each hop was asked for so long, twice a second, that what is usual is known. */
function isUsual(route: Route): boolean {
  const hops = hopsInUse(route)
  return hops.length === 3 && hops.every(({ upMs = 0 }) => upMs > 15_000)
}

function hopsInUse({ legs }: Route): readonly Hop[] {
  return legs.find(({ state }) => state === 'active')?.hops ?? []
}

async function connected(network: RouteNetwork) {
  const link = await network.linkToRelay()
  await network.startClient()
  await network.connect()
  return { link, env: { WEFT_HOME: network.home('client') } }
}
