import {
  type Random,
  VirtualClock,
  WeftError,
  abortError,
  compareBytes,
  randomInt,
  seededRandom,
  silentLogger,
  wait,
} from '@weft/core'
import { type DidKey, SigningKey, fromDidKey, merkleSubsetProof, toDidKey } from '@weft/crypto'
import { METHODS, type SignedMap, create, decodeMessage, encodeMessage } from '@weft/wire'
import { type ClosestAnswer, type ClosestQuestion, answerClosest } from '../../src/lookup/answer-closest.ts'
import { LearntMembers } from '../../src/lookup/learnt-members.ts'
import { CLOSEST, type LookupLimits } from '../../src/lookup/lookup-limits.ts'
import type { LookupResult } from '../../src/lookup/lookup-result.ts'
import { LookupService } from '../../src/lookup/lookup-service.ts'
import type { EntryList } from '../../src/map/entry-list.ts'
import { atOnce } from '../../src/map/in-slices.ts'
import { type MapEntry, readMapEntry } from '../../src/map/map-entry.ts'
import { verifyEntries } from '../../src/map/map-entries.ts'
import { SignedMembership } from '../../src/map/signed-membership.ts'
import type { Member } from '../../src/member.ts'
import { type Network, networkOf } from '../../src/network/network.ts'
import { closestMembers, distanceOf } from '../../src/records/closest-members.ts'
import type { RequestOf, Rpc } from '../../src/rpc.ts'
import { MemoryMembershipStore } from '../../src/state/memory-membership-store.ts'
import { BEGIN, NO_REVOCATIONS } from '../fixtures.ts'
import { ManyEntries, mapBodyOf, signedMapOf } from '../map/many-entries.ts'

/**
 * What hostile members do. They know each other and the whole map, and cannot sign for validators.
 * - `hide` name the hostile ones nearest to the target and nobody else
 * - `lead` name hostile ones that are a little nearer with each answer, so that the end never comes
 * - `far` name honest members on the other side of the space
 * - `silent`, `slow` say nothing, or what `hide` says just before the deadline
 * - `forge` name members who are not in the map, or with the proof of others
 * - `old` know only the map of long ago
 */
export const CONDUCTS = ['hide', 'lead', 'far', 'silent', 'slow', 'forge', 'old'] as const
export type Conduct = (typeof CONDUCTS)[number]

export interface LookupNetworkInit {
  readonly seed: number
  readonly members: number
  /** Part of the members that is hostile, from 0 to 1. */
  readonly hostile: number
  /** By one hostile member; `hide` for all by default. */
  readonly conduct?: (random: Random) => Conduct
  /**
   * Targets near which hostile members have their places: of `draws` times as many keys as they have members those are
   * kept that fall nearest. More cannot be had when the place of a key is known only after it was asked for.
   */
  readonly ground?: { readonly targets: readonly Uint8Array[]; readonly draws: number }
}

interface Calls {
  questions: number
  bytes: number
}

export interface Found {
  readonly result: LookupResult
  /** It is the list that the whole map gives. */
  readonly isRight: boolean
  /** Virtual time from the first question to the result. */
  readonly ms: number
  /** Questions for members, and bytes of them and of their answers. */
  readonly questions: number
  readonly bytes: number
}

const EPOCH = 10
/** ms one way, by the pair. */
const LINK_MS = { least: 25, most: 75 }
/** Crossings before the first call to a node: TCP and TLS, there and back. */
const CONNECT_CROSSINGS = 4
const VALIDATORS = 4

/**
 * A network whose members answer lookups as the shipped code does, or lie, in memory and on a virtual clock. The caller is
 * the shipped service, a client without any map that knows as many random members as it has connections.
 */
export class LookupNetwork {
  readonly clock = new VirtualClock(BEGIN + EPOCH * 60_000 + 1_000)
  readonly list: EntryList
  readonly #init: LookupNetworkInit
  readonly #random: Random
  readonly #self: DidKey
  readonly #map: SignedMap
  readonly #oldMap: SignedMap
  readonly #hostile: readonly Member[]
  readonly #honest: readonly Member[]
  readonly #conducts = new Map<DidKey, Conduct>()
  readonly #membership: SignedMembership
  readonly #network: Network

  constructor(init: LookupNetworkInit) {
    this.#init = init
    this.#random = seededRandom(init.seed + 2)
    this.#self = toDidKey(this.#random.bytes(32))
    const keys = Array.from({ length: VALIDATORS }, () => new SigningKey(this.#random.bytes(32)))
    const network = networkOf({
      schemaVersion: 1,
      name: 'lookup',
      validators: keys.map(({ id }) => ({ id, addresses: [], roles: ['validator'], family: id.slice(-8) })),
      policy: 'open',
      mapEpochMs: 60_000,
      auditEpochMs: 3_600_000,
      rewardEpochMs: 86_400_000,
      recoveryAfterMs: 3_600_000,
      committeeSize: 64,
      seats: VALIDATORS,
      rotateMs: 86_400_000,
      certificateTtlMs: 86_400_000,
      clockToleranceMs: 5_000,
      createdAt: BEGIN,
    })
    this.#network = network
    const { entries, hostile } = this.#entries(network.id)
    const bytes = entries.map((entry) => entry.bytes)
    this.list = atOnce(verifyEntries(mapBodyOf(network, bytes, EPOCH), bytes, undefined))
    this.#hostile = this.list.members.filter(({ id }) => hostile.has(id))
    this.#honest = this.list.members.filter(({ id }) => !hostile.has(id))
    const conduct = init.conduct ?? ((): Conduct => 'hide')
    for (const { id } of this.#hostile) this.#conducts.set(id, conduct(this.#random))
    this.#map = signedMapOf(network, keys, bytes, EPOCH)
    this.#oldMap = signedMapOf(network, keys, bytes.slice(0, 100), 1)
    this.#membership = new SignedMembership({
      network,
      database: new MemoryMembershipStore(),
      revocations: NO_REVOCATIONS,
      clock: this.clock,
      logger: silentLogger,
    })
  }

  /** One lookup by a client that knows `contacts` random members and holds no map. */
  async find(
    target: Uint8Array,
    { contacts = 16, limits }: { contacts?: number; limits?: LookupLimits } = {},
  ): Promise<Found> {
    const calls: Calls = { questions: 0, bytes: 0 }
    const known = new Set<DidKey>()
    while (known.size < Math.min(contacts, this.list.count)) {
      known.add((this.list.members[randomInt(this.#random, this.list.count)] as Member).id)
    }
    const service = new LookupService({
      self: this.#self,
      network: this.#network,
      membership: this.#membership,
      revocations: NO_REVOCATIONS,
      rpc: this.#rpc(calls),
      starts: () => [...known],
      learnt: new LearntMembers(),
      clock: this.clock,
      logger: silentLogger,
      ...(limits === undefined ? {} : { limits }),
    })
    const finding = service.find(target, new AbortController().signal)
    const ms = await this.#runUntil(finding)
    const result = await finding
    const right = closestMembers(this.list.members, target, CLOSEST)
    const isRight = right.length === result.members.length && right.every(({ id }, at) => id === result.members[at]?.id)
    return { result, isRight, ms, ...calls }
  }

  /** Moves time until a promise has settled; how long that took, ms. */
  async #runUntil(promise: Promise<unknown>): Promise<number> {
    const started = this.clock.monotonic()
    const state = { isSettled: false }
    const settle = (): void => void (state.isSettled = true)
    promise.then(settle, settle)
    await this.clock.advance(0)
    while (!state.isSettled) {
      const due = this.clock.nextDue
      if (due === undefined) throw new TypeError('it waits for nothing')
      await this.clock.advance(due - this.clock.now())
    }
    return this.clock.monotonic() - started
  }

  isHostile(id: DidKey): boolean {
    return this.#conducts.has(id)
  }

  /** Entries of the map, sorted, and who of them is hostile. */
  #entries(network: string): { entries: MapEntry[]; hostile: ReadonlySet<DidKey> } {
    const { seed, members, hostile, ground } = this.#init
    const bad = Math.round(members * hostile)
    const drawn = ground === undefined ? bad : bad * ground.draws
    const read = (bytes: Uint8Array): MapEntry => readMapEntry(network, bytes)
    const honest = new ManyEntries(network, members - bad, seed).entries().map(read)
    const pool = drawn === 0 ? [] : new ManyEntries(network, drawn, seed + 1).entries().map(read)
    const kept = ground === undefined ? pool : nearestOf(pool, ground.targets, bad)
    return {
      entries: [...honest, ...kept].sort((a, b) => compareBytes(a.key, b.key)),
      hostile: new Set(kept.map(({ member }) => member.id)),
    }
  }

  #rpc(calls: Calls): Rpc {
    const reached = new Set<DidKey>()
    return {
      handle: () => () => {},
      call: async (to, method, request, options) => {
        const spec = METHODS[method]
        const asked = encodeMessage(spec.request, create(spec.request, request) as never)
        const link = LINK_MS.least + randomInt(this.#random, LINK_MS.most - LINK_MS.least)
        const connect = reached.has(to) ? 0 : CONNECT_CROSSINGS
        reached.add(to)
        const { signal, timeoutMs = 5_000 } = options ?? {}
        const conduct = this.#conducts.get(to)
        const lag = conduct === 'slow' ? 2_500 : 0
        const isSilent = conduct === 'silent' || this.list.member(to) === undefined
        const takes = isSilent ? timeoutMs : link * (connect + 2) + lag
        await wait(this.clock, Math.min(takes, timeoutMs), signal)
        if (signal?.aborted === true) throw abortError(signal)
        if (takes >= timeoutMs) throw new WeftError({ code: 'E_CALL_TIMEOUT', cause: 'Silent.', fix: 'None.' })
        const answer =
          method === 'map.head'
            ? { map: conduct === 'old' ? this.#oldMap : this.#map }
            : this.#answer(conduct, request as RequestOf<'lookup.closest'>)
        const bytes = encodeMessage(spec.response, create(spec.response, answer as never) as never)
        if (method === 'lookup.closest') {
          calls.questions++
          calls.bytes += asked.length + bytes.length
        }
        return decodeMessage(spec.response, bytes, spec.maxResponse) as never
      },
    }
  }

  #answer(conduct: Conduct | undefined, question: ClosestQuestion): ClosestAnswer {
    const { target } = question
    switch (conduct) {
      case undefined:
      case 'silent':
        return answerClosest(this.list, question)
      case 'hide':
      case 'slow':
        return this.#prove(closestMembers(this.#hostile, target, CLOSEST), question)
      case 'far':
        return this.#prove(
          closestMembers(
            this.#honest,
            target.map((byte) => byte ^ 0xff),
            CLOSEST,
          ),
          question,
        )
      case 'lead': {
        // The nearest fifty without one of the nearest five: each such answer differs from the last.
        const near = closestMembers(this.#hostile, target, 50)
        return this.#prove(near.slice(randomInt(this.#random, 30)).slice(0, CLOSEST), question)
      }
      case 'forge': {
        const answer = answerClosest(this.list, question)
        const [first, ...others] = answer.entries
        const forged = first?.map((byte, at) => (at === 60 ? byte ^ 1 : byte))
        return { ...answer, entries: forged === undefined ? [new Uint8Array(100)] : [forged, ...others] }
      }
      case 'old':
        throw new WeftError({ code: 'E_MAP_ROOT_UNKNOWN', cause: 'Another map.', fix: 'None.' })
    }
  }

  /** A true proof for whomever a liar names. */
  #prove(members: readonly Member[], { target, known }: ClosestQuestion): ClosestAnswer {
    const ordered = members.toSorted((a, b) => compareBytes(distanceOf(a, target), distanceOf(b, target)))
    const positions = ordered.map(({ id }) => this.list.firstFrom(fromDidKey(id)))
    const told = positions.filter((position) => !known.includes(position)).sort((a, b) => a - b)
    return {
      positions,
      entries: told.map((position) => (this.list.entries[position] as MapEntry).bytes),
      proof: merkleSubsetProof(this.list.tree, told),
    }
  }
}

/** As many of the pool as can be kept, those nearest to each target in turn. */
function nearestOf(pool: readonly MapEntry[], targets: readonly Uint8Array[], count: number): MapEntry[] {
  const kept = new Set<MapEntry>()
  const each = Math.ceil(count / targets.length)
  for (const target of targets) {
    const near = pool
      .filter((entry) => !kept.has(entry))
      .map((entry) => ({ entry, distance: distanceOf(entry.member, target) }))
      .sort((a, b) => compareBytes(a.distance, b.distance))
    for (const { entry } of near.slice(0, Math.min(each, count - kept.size))) kept.add(entry)
  }
  return [...kept]
}
