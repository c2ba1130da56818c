import { randomBytes } from 'node:crypto'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Aead } from '@weft/onion'
import { BenchDevnet, weft } from '../lib/bench-devnet.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measure } from '../lib/measure.ts'
import { measureInTurn } from '../lib/measure-in-turn.ts'
import { type Summary, summarise } from '../lib/summarise.ts'
import { TorNetwork, missingForTor } from '../lib/tor-network.ts'
import { useProfile } from '../lib/use-profile.ts'
import { type ProxyPort, curlVersion, download, downloadAtOnce, upload } from './curl.ts'
import { type FirstByte, firstByte } from './first-byte.ts'
import { failover } from './failover.ts'
import { HttpTarget } from './http-target.ts'
import { memoryOfStalled } from './memory-of-stalled.ts'

// Three hops of the devnet's daemons, and three of Debian's tor, on one machine: what curl gets out of either.

const BASE_PORT = 29_200
const TOR_PORT = 29_100
const SIZE = 100_000_000
const AT_ONCE = { count: 20, size: 10_000_000 }
/** Requests a sample; the sample is their median and 99th percentile. */
const REQUESTS = 200
/** Circuits that stall, and MB that they may take. */
const STALLED = [
  { circuits: 100, goal: 32 },
  { circuits: 1_000, goal: 64 },
] as const
const ROUNDS = 5
/** Bytes that a layer of a packet seals, and how many a sample. */
const UNIT = 1_380
const UNITS = 20_000
const TOR = 'Tor'
/** Each with a profile that has it and all else by default. */
const TIERS = [
  { name: 'off', profile: 'fast', goals: { goal: 200, ratioGoal: 12 } },
  { name: 'standard', profile: 'default', goals: {} },
] as const

/** Whom a row asks: Tor is not there where it is not installed. */
interface Ways {
  readonly weft: ProxyPort
  readonly tor: ProxyPort
}

const bench: Bench = async () => {
  const versions: Record<string, string> = { curl: curlVersion() }
  const missing = missingForTor()
  if (missing !== undefined) console.error(`bench: no rows of Tor, since ${missing}`)
  else versions['tor'] = TorNetwork.version()
  await using devnet = new BenchDevnet(BASE_PORT)
  await using target = await HttpTarget.listen()
  const { nodes } = await devnet.up()
  await useProfile(devnet, 'fast')
  await using tor = missing === undefined ? await TorNetwork.start(TOR_PORT) : undefined
  const ways: Ways = { weft: BASE_PORT + 1, tor: tor?.proxyPort }
  const file = join(devnet.directory, 'file.bin')
  writeFileSync(file, randomBytes(SIZE))
  const { port } = target

  const rows: BenchRow[] = []
  for (const tier of TIERS) {
    await useProfile(devnet, tier.profile)
    // Tor has no tiers: it is beside the first.
    const asked = tier.name === 'off' ? ways : { ...ways, tor: undefined }
    const named = (what: string): string => `${what}, \`${tier.name}\``
    rows.push(
      ...(await speedRows(
        named('one stream, GET of 100 MB'),
        asked,
        (proxy) => download(proxy, port, SIZE),
        tier.goals,
      )),
      ...(await speedRows(named('one stream, PUT of 100 MB'), asked, (proxy) => upload(proxy, port, file, SIZE))),
      ...(await speedRows(named('20 GETs of 10 MB at once, together'), asked, (proxy) =>
        downloadAtOnce(proxy, port, AT_ONCE.count, AT_ONCE.size),
      )),
      ...(await firstByteRows(named, asked, (proxy) => firstByte(proxy, port, REQUESTS))),
    )
  }
  for (const { circuits, goal } of STALLED) {
    console.error(`bench: memory under ${circuits} stalled circuits`)
    const growths = await memoryOfStalled(devnet, nodes, target, { circuits, rounds: ROUNDS })
    for (const role of ['relay', 'exit'] as const)
      rows.push({
        what: `RSS of the ${role} under ${circuits} stalled circuits, more than before`,
        unit: 'MB',
        ...summarise(growths.map((growth) => growth[role])),
        goal,
      })
  }
  // Last: those that are started again are other processes than `nodes` names.
  console.error('bench: kill -9 of hops')
  rows.push({
    what: 'from kill -9 of a hop to the answer of the next request, slowest of entry, relay and exit',
    unit: 'ms',
    ...summarise(await failover(devnet, target, ways.weft, ROUNDS)),
    goal: 2_000,
  })
  console.error('bench: ChaCha20-Poly1305')
  appendFileSync(join(devnet.client, 'weft.toml'), '\n[vpn]\nsuite = "chacha20-poly1305"\n')
  await weft(['devnet', 'restart', 'client', '--dir', devnet.network])
  for (const { name, profile } of TIERS) {
    await useProfile(devnet, profile)
    rows.push({
      what: `one stream, GET of 100 MB, \`${name}\`, ChaCha20-Poly1305 in all layers`,
      unit: 'MB/s',
      ...(await measure(() => download(ways.weft, port, SIZE))),
      ...(name === 'off' ? { goal: 100 } : {}),
    })
  }
  rows.push({
    what: 'the machine meanwhile: ChaCha20-Poly1305 of 1380 B, one thread',
    unit: 'µs',
    ...(await sealing()),
  })
  return {
    name: 'vpn',
    rows,
    versions,
    notes: [
      '`off`, `standard`: the tiers of the client. Suite `auto` where no other is named, which is AES-256-GCM here. Stalled circuits and kills: `standard`.',
      'SOCKS5 to HTTP on loopback over entry, relay and exit in processes of their own; client, three nodes, nine idle ones, curl and the server share two cores. Weft, Tor and direct take turns.',
      missing === undefined
        ? 'Tor: a private network of Debian’s package: one authority, three relays, an exit and a client, with the congestion control of the public network (cc_alg=2) and all else by default.'
        : `Tor was not measured: ${missing}.`,
      `First byte: a new connection to the proxy and a GET of one byte over a route that stands, ${REQUESTS} one after the other a sample; each time is less the direct one of the same round.`,
      `Kills: each hop of the leg in use in turn, ${ROUNDS} rounds; all members are connected again before the next.`,
      `Stalled circuits: downloads of 1 GB that their clients begin and never read, each on a circuit of its own through the same relay and exit; ${ROUNDS} rounds, all counted from before the first.`,
    ],
  }
}

/** One row for Weft, with its ratio to Tor, one for Tor, one for none of both. */
async function speedRows(
  what: string,
  { weft: ours, tor }: Ways,
  once: (proxy: ProxyPort) => Promise<number>,
  { ratioGoal, ...goal }: Pick<BenchRow, 'goal' | 'ratioGoal'> = {},
): Promise<readonly BenchRow[]> {
  const contestants = {
    weft: () => once(ours),
    direct: () => once(undefined),
    ...(tor === undefined ? {} : { tor: () => once(tor) }),
  }
  console.error(`bench: ${what}`)
  const figures = await measureInTurn<string, number>(contestants)
  const of = (name: keyof typeof contestants): Summary => summarise(figures[name] ?? [])
  const rows: BenchRow[] = [{ what, unit: 'MB/s', ...of('weft'), ...goal }]
  if (tor !== undefined) {
    const beside = { peer: TOR, ratioToPeer: of('weft').median / of('tor').median }
    rows[0] = { ...(rows[0] as BenchRow), ...beside, ...(ratioGoal !== undefined && { ratioGoal }) }
    rows.push({ what: `${what}, by Tor`, unit: 'MB/s', ...of('tor') })
  }
  rows.push({ what: `${what}, raw limit: no proxy`, unit: 'MB/s', ...of('direct') })
  return rows
}

async function firstByteRows(
  named: (what: string) => string,
  { weft: ours, tor }: Ways,
  once: (proxy: ProxyPort) => Promise<FirstByte>,
): Promise<readonly BenchRow[]> {
  const contestants = {
    weft: () => once(ours),
    direct: () => once(undefined),
    ...(tor === undefined ? {} : { tor: () => once(tor) }),
  }
  console.error('bench: time to first byte')
  const figures = await measureInTurn<string, FirstByte>(contestants)
  const rows: BenchRow[] = []
  for (const at of ['p50', 'p99'] as const) {
    const added = (name: string): Summary =>
      summarise(
        (figures[name] ?? []).map((figure, round) => figure[at] - (figures['direct']?.[round]?.[at] ?? Number.NaN)),
      )
    const what = named(`time to first byte, ${at}, added`)
    const row = { what, unit: 'ms', ...added('weft'), goal: at === 'p50' ? 5 : 12 }
    if (tor === undefined) rows.push(row)
    else {
      rows.push({ ...row, peer: TOR, ratioToPeer: added('tor').median / row.median })
      rows.push({ what: `${what}, by Tor`, unit: 'ms', ...added('tor') })
    }
  }
  return rows
}

/** µs for one layer of one packet. */
function sealing(): Promise<Summary> {
  const aead = new Aead(new Uint8Array(randomBytes(32)))
  const sealed = new Uint8Array(UNIT + 16)
  const plain = sealed.subarray(0, UNIT)
  const nonce = new Uint8Array(12)
  return measure(() => {
    const started = performance.now()
    for (let sealedUnits = 0; sealedUnits < UNITS; sealedUnits++) aead.seal(sealed, plain, undefined, nonce)
    return ((performance.now() - started) * 1_000) / UNITS
  })
}

export default bench
