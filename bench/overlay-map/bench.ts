import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Scope, silentLogger, systemClock } from '@weft/core'
import { type DidKey, SigningKey } from '@weft/crypto'
import type { EntryList } from '../../packages/overlay/src/map/entry-list.ts'
import { fetchList } from '../../packages/overlay/src/map/fetch-list.ts'
import { type Sliced, atOnce } from '../../packages/overlay/src/map/in-slices.ts'
import { changeEntries, verifyEntries } from '../../packages/overlay/src/map/map-entries.ts'
import { MapHistory, changedKeys } from '../../packages/overlay/src/map/map-history.ts'
import { mapReader } from '../../packages/overlay/src/map/map-reader.ts'
import { serveMap } from '../../packages/overlay/src/map/map-server.ts'
import { MapSource } from '../../packages/overlay/src/map/map-source.ts'
import { SignedMembership } from '../../packages/overlay/src/map/signed-membership.ts'
import { type Network, networkOf } from '../../packages/overlay/src/network/network.ts'
import { Revocations } from '../../packages/overlay/src/revocation/revocations.ts'
import { MembershipDatabase } from '../../packages/overlay/src/state/membership-database.ts'
import { ManyEntries, mapBodyOf, signedMapOf } from '../../packages/overlay/test/map/many-entries.ts'
import type { Bench, BenchRow } from '../lib/bench-result.ts'
import { measure } from '../lib/measure.ts'
import { CountedRpc } from './counted-rpc.ts'

const SIZES = [100, 1_000, 10_000]
const { signal } = new AbortController()

/** How a node gets the entries of a new map from another, at several sizes of the network, one in a hundred changed. */
const bench: Bench = async () => {
  await using scope = new Scope({ name: 'bench' })
  const directory = mkdtempSync(join(tmpdir(), 'weft-bench-map-'))
  scope.defer('directory', () => rmSync(directory, { recursive: true, force: true }))
  const rows: BenchRow[] = []
  for (const size of SIZES) rows.push(...(await rowsOf(size, join(directory, String(size)), scope)))
  return {
    name: 'overlay-map',
    rows,
    notes: [
      'Bytes are those of requests and answers, without frames and TLS. Of the members that changed eight in ten renewed their certificate, one left and one came; half of all carry packets.',
      'Time is of the processor, not of the clock: both sides run in one process, on a machine that others use as well. An answer that many ask for is packed once, before it is measured.',
      'The longest piece is what the reading of a map holds the main thread for at a time; it stops for others in between.',
    ],
  }
}

async function rowsOf(size: number, directory: string, scope: Scope): Promise<BenchRow[]> {
  const validator = SigningKey.generate()
  const network = networkFor(validator)
  const many = new ManyEntries(network.id, size)
  const before = many.entries()
  const changed = size / 100
  const [left, come] = [Math.round(changed / 10), Math.round(changed / 10)]
  many.change({ renewed: changed - left - come, left, come }, 2)
  const after = many.entries()
  const node = (name: string): SignedMembership => {
    const database = scope.use(`database ${size} ${name}`, new MembershipDatabase(join(directory, name)))
    const base = { network, database, clock: systemClock, logger: silentLogger }
    return new SignedMembership({ ...base, revocations: new Revocations(base) })
  }
  const body = mapBodyOf(network, after, 2)
  const map = signedMapOf(network, [validator], after, 2)
  const informed = node('informed')
  informed.adopt(signedMapOf(network, [validator], before, 1), before)
  const held = informed.heldList()
  informed.adopt(map, after)
  const uninformed = node('uninformed')
  uninformed.adopt(map, after)
  const from = async (server: SignedMembership, start: EntryList | undefined): Promise<Cost> => {
    const counted = new CountedRpc()
    serveMap(counted.rpc, server, network)
    const source = new MapSource({ rpc: counted.rpc, clock: systemClock }, validator.id)
    await fetchList(source, mapReader, start, body, signal)
    const begin = processorMs()
    const { calls, bytes } = counted
    await fetchList(
      new MapSource({ rpc: counted.rpc, clock: systemClock }, validator.id),
      mapReader,
      start,
      body,
      signal,
    )
    return { ms: processorMs() - begin, kB: (counted.bytes - bytes) / 1_000, calls: counted.calls - calls }
  }
  const members = `${size.toLocaleString('en')} members`
  const raw = after.reduce((bytes, { length }) => bytes + length, 0) / 1_000
  return [
    ...(await costs(`${members}: whole`, () => from(informed, undefined), raw, size === 10_000 ? 2_500 : undefined)),
    ...(await costs(`${members}: changes`, () => from(informed, held), raw)),
    ...(await costs(`${members}: comparison`, () => from(uninformed, held), raw)),
    ...(held === undefined ? [] : await pieces(members, network, before, after, held)),
  ]
}

interface Cost {
  readonly ms: number
  readonly kB: number
  readonly calls: number
}

async function costs(what: string, once: () => Promise<Cost>, rawKB: number, goalKB?: number): Promise<BenchRow[]> {
  const all: Cost[] = []
  const ms = await measure(async () => {
    const cost = await once()
    all.push(cost)
    return cost.ms
  })
  const kB = await measure(() => (all.shift() as Cost).kB, { warmup: 0 })
  const calls = all[0]?.calls ?? Number.NaN
  const peer = 'the entries unpacked'
  return [
    {
      what,
      unit: 'kB',
      ...kB,
      peer,
      ratioToPeer: rawKB / kB.median,
      ...(goalKB === undefined ? {} : { goal: goalKB }),
    },
    { what: `${what}, ${calls} ${calls === 1 ? 'call' : 'calls'}`, unit: 'ms', ...ms },
  ]
}

/** The longest that the reading holds the thread: of all entries, and of those that changed. */
async function pieces(
  members: string,
  network: Network,
  before: readonly Uint8Array[],
  after: readonly Uint8Array[],
  held: EntryList,
): Promise<BenchRow[]> {
  const body = mapBodyOf(network, after, 2)
  const next = atOnce(verifyEntries(body, after, held))
  const history = new MapHistory()
  history.note(held.root, changedKeys(held, next), next.count)
  const changes = history.changes(held.root, next) ?? { removed: [], entries: [] }
  const whole = await measure(() => longestPiece(verifyEntries(mapBodyOf(network, before, 1), before, undefined)))
  const changed = await measure(() => longestPiece(changeEntries(body, held, changes)))
  return [
    { what: `${members}: longest piece, whole`, unit: 'ms', ...whole, goal: 50 },
    { what: `${members}: longest piece, changes`, unit: 'ms', ...changed, goal: 50 },
  ]
}

function longestPiece(work: Sliced<unknown>): number {
  let longest = 0
  for (;;) {
    const begin = processorMs()
    const { done } = work.next()
    longest = Math.max(longest, processorMs() - begin)
    if (done === true) return longest
  }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** A network of one validator whose second epoch is now. */
function networkFor({ id }: { readonly id: DidKey }): Network {
  return networkOf({
    schemaVersion: 1,
    name: 'bench',
    validators: [{ id, addresses: ['/ip4/127.0.0.1/tcp/4780'], roles: ['validator'], family: 'bench' }],
    policy: 'open',
    mapEpochMs: 3_600_000,
    auditEpochMs: 3_600_000,
    rewardEpochMs: 86_400_000,
    recoveryAfterMs: 60 * 3_600_000,
    seats: 1,
    rotateMs: 24 * 3_600_000,
    committeeSize: 64,
    certificateTtlMs: 86_400_000,
    clockToleranceMs: 5_000,
    createdAt: Date.now() - 2 * 3_600_000,
  })
}

export default bench
