import { type Clock, type Logger, type Random, WeftError, equalBytes, isWeftError, shuffled, wait } from '@weft/core'
import { type DidKey, fromDidKey, shortId } from '@weft/crypto'
import { type AuditManifest, type AuditQuestion, AuditQuestionSchema, create, encodeMessage } from '@weft/wire'
import type { ShardName } from '../holder/shard-name.ts'
import type { AuditBeacons, AuditOverlay } from './audit-beacons.ts'
import { type AuditDraw, drawLeaves } from './audit-draw.ts'
import { type AuditEvidence, askedOf } from './audit-evidence.ts'
import { ASKED_NAMES, ITEMS_PER_QUESTION, LEAST_LEFT_MS } from './audit-limits.ts'
import type { AuditNames } from './audit-names.ts'
import type { AuditRecords, RecordedShard } from './audit-records.ts'
import { type ItemSays, judgeItem } from './judge-item.ts'
import { type SignedAudit, manifestName, openAnswer, openManifest } from './signed-audit.ts'

/** One question is answered within this, or not at all for now, ms: sixteen shards of 5.6 MB are read for it. */
const ANSWER_MS = 60_000
/** Times that a manifest is asked for in one attempt, about. */
const MANIFEST_TRIES = 8
/** Between looks for the beacon, ms. */
const BEACON_PAUSE_MS = 2_000

export interface AuditCounts {
  asked: number
  kept: number
  missing: number
  wrong: number
  unknown: number
}

/** A manifest as it was signed, and what it says. */
interface Manifest {
  readonly statement: SignedAudit
  readonly says: AuditManifest
}

export interface AuditRunInit {
  readonly overlay: AuditOverlay
  readonly holder: DidKey
  readonly epoch: number
  readonly beacons: Pick<AuditBeacons, 'newest' | 'after'>
  readonly records: AuditRecords
  readonly names: AuditNames
  /** ms that an attempt waits for the beacon that it is drawn by. */
  readonly patienceMs: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** One holder in one audit epoch, as one auditor goes about it: attempts until all that was drawn is answered. */
export class AuditRun {
  readonly #init: AuditRunInit
  readonly counts: AuditCounts = { asked: 0, kept: 0, missing: 0, wrong: 0, unknown: 0 }
  #manifest: Manifest | undefined
  #draw: AuditDraw | undefined
  #pending: AuditQuestion[] | undefined
  /** Shows that the holder contradicted itself. */
  evidence: AuditEvidence | undefined
  /** Whether the holder was given the time to answer at all: without a beacon nobody is silent. */
  isJudged = false

  constructor(init: AuditRunInit) {
    this.#init = init
  }

  get manifest(): AuditManifest | undefined {
    return this.#manifest?.says
  }

  get isDone(): boolean {
    return this.evidence !== undefined || this.#pending?.length === 0
  }

  /** Leaves and names that are not answered. */
  get silent(): number {
    return (this.#pending ?? []).reduce((sum, { count, names }) => sum + count + names.length, 0)
  }

  /** Asks what is not answered yet. True when nothing is left. @throws WeftError E_ABORTED */
  async attempt(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#ask(signal)
    } catch (error) {
      if (signal.aborted || !(error instanceof WeftError)) throw error
      const { holder, logger } = this.#init
      logger.debug('audit: no answer for now', { node: shortId(holder), code: error.code, cause: error.cause })
    }
    return this.isDone
  }

  async #ask(signal: AbortSignal): Promise<void> {
    if (this.#manifest === undefined) {
      // A node that hears of no beacon can say nothing of anybody.
      if (this.#init.beacons.newest === undefined) return
      this.isJudged = true
      this.#manifest = await this.#freshManifest(signal)
    }
    if (this.#draw === undefined) {
      this.#draw = await this.#drawn(this.#manifest.says, signal)
      this.isJudged = this.#draw !== undefined
      if (this.#draw === undefined) return
    }
    this.#pending ??= this.#questions(this.#draw, Number(this.#manifest.says.leaves))
    for (let question = this.#pending[0]; question !== undefined; question = this.#pending[0]) {
      await this.#put(question, this.#draw, this.#manifest, signal)
      if (this.evidence !== undefined) return
      this.#pending.shift()
    }
  }

  /** Asks again for a manifest that names an older beacon than this node knew: maps come to one node before another. */
  async #freshManifest(signal: AbortSignal): Promise<Manifest> {
    const { holder, beacons, clock, patienceMs } = this.#init
    const end = clock.monotonic() + patienceMs
    for (;;) {
      // What comes while it is asked is not held against it.
      const newest = beacons.newest?.epoch ?? -1
      const manifest = await this.#getManifest(signal)
      if (manifest.says.beacon >= BigInt(newest)) return manifest
      // It might have been signed when what it draws was known.
      if (clock.monotonic() >= end) throw useless(holder, 'its manifest names an older beacon than the newest')
      await wait(clock, patienceMs / MANIFEST_TRIES, signal)
    }
  }

  async #getManifest(signal: AbortSignal): Promise<Manifest> {
    const { overlay, holder, epoch } = this.#init
    const options = { signal, timeoutMs: ANSWER_MS }
    const statement = await overlay.rpc.call(holder, 'audit.manifest', { epoch: BigInt(epoch) }, options)
    const says = openManifest(statement, holder)
    const isOurs =
      says.network === overlay.networkId &&
      says.epoch === BigInt(epoch) &&
      equalBytes(says.auditor, fromDidKey(overlay.self))
    if (!isOurs) throw useless(holder, 'its manifest is of another audit')
    return { statement, says }
  }

  /** Waits for the first beacon after the one that the manifest names, and a little for the holder to have it, too. */
  async #drawn(says: AuditManifest, signal: AbortSignal): Promise<AuditDraw | undefined> {
    const { overlay, holder, epoch, beacons, clock, patienceMs } = this.#init
    const end = clock.monotonic() + patienceMs
    for (;;) {
      const beacon = await beacons.after(Number(says.beacon), signal)
      if (beacon !== undefined) return { beacon: beacon.value, node: holder, auditor: overlay.self, epoch }
      if (clock.monotonic() >= end) return undefined
      await wait(clock, Math.min(BEACON_PAUSE_MS, patienceMs), signal)
    }
  }

  #questions(draw: AuditDraw, leaves: number): AuditQuestion[] {
    const { holder, epoch, names, random } = this.#init
    const drawn = drawLeaves(draw, leaves)
    const known = shuffled(random, names.of(epoch, holder)).slice(0, ASKED_NAMES)
    const questions: AuditQuestion[] = []
    const add = (init: Partial<Pick<AuditQuestion, 'first' | 'count'>> & { readonly names?: ShardName[] }): void =>
      void questions.push(create(AuditQuestionSchema, { epoch: BigInt(epoch), ...init }))
    for (let first = 0; first < drawn.length; first += ITEMS_PER_QUESTION) {
      add({ first, count: Math.min(ITEMS_PER_QUESTION, drawn.length - first) })
    }
    for (let at = 0; at < known.length; at += ITEMS_PER_QUESTION)
      add({ names: known.slice(at, at + ITEMS_PER_QUESTION) })
    this.counts.asked = drawn.length + known.length
    return questions
  }

  async #put(question: AuditQuestion, draw: AuditDraw, manifest: Manifest, signal: AbortSignal): Promise<void> {
    const { holder } = this.#init
    const statement = await this.#call(question, signal)
    const answer = openAnswer(statement, holder)
    const asked = askedOf(question, drawLeaves(draw, Number(manifest.says.leaves)))
    const isToThis =
      equalBytes(answer.manifest, manifestName(manifest.statement)) &&
      answer.question !== undefined &&
      equalBytes(encodeMessage(AuditQuestionSchema, answer.question), encodeMessage(AuditQuestionSchema, question)) &&
      answer.items.length === asked.length
    if (!isToThis) throw useless(holder, 'it answered another question')
    const said = answer.items.flatMap((item, at) => {
      const one = asked[at]
      return one === undefined ? [] : [judgeItem(item, one, manifest.says, draw)]
    })
    const wrong = said.filter(({ says }) => says === 'wrong').length
    if (wrong > 0) {
      this.counts.wrong += wrong
      this.evidence = { manifest: manifest.statement, answer: statement }
      return
    }
    for (const one of said) this.counts[await this.#verdict(one, signal)]++
  }

  /** The holder may learn of the beacon a moment later than this node. */
  async #call(question: AuditQuestion, signal: AbortSignal): Promise<SignedAudit> {
    const { overlay, holder, clock, patienceMs } = this.#init
    const end = clock.monotonic() + patienceMs
    for (;;) {
      try {
        return await overlay.rpc.call(holder, 'audit.answer', question, { signal, timeoutMs: ANSWER_MS })
      } catch (error) {
        if (!isWeftError(error, 'E_AUDIT_BEACON') || clock.monotonic() >= end) throw error
      }
      await wait(clock, Math.min(BEACON_PAUSE_MS, patienceMs), signal)
    }
  }

  /** Compares what the holder says with the owner's record. */
  async #verdict(said: ItemSays, signal: AbortSignal): Promise<'kept' | 'missing' | 'unknown'> {
    if (said.says === 'wrong') return 'unknown'
    const { holder, records, clock } = this.#init
    let found: RecordedShard | undefined
    try {
      found = await records.find(said.name, signal)
    } catch (error) {
      if (signal.aborted) throw error
    }
    if (found === undefined || found.node !== holder) return 'unknown'
    this.#learn(said.name, found)
    if (said.says === 'held') {
      return said.length === found.length && equalBytes(said.root, found.root) ? 'kept' : 'missing'
    }
    return found.expiresAt - clock.now() < 2 * LEAST_LEFT_MS ? 'unknown' : 'missing'
  }

  #learn({ object, segment }: ShardName, found: RecordedShard): void {
    const { holder, epoch, names } = this.#init
    for (const { node, index } of found.segment.shards) {
      if (node !== holder) names.learn(epoch, node, { object, segment, index })
    }
  }
}

function useless(holder: DidKey, why: string): WeftError {
  return new WeftError({
    code: 'E_AUDIT_STATEMENT',
    cause: `What …${shortId(holder)} said in an audit counts for nothing: ${why}.`,
    fix: 'Nothing to do: it is asked again.',
    retryable: true,
    details: { node: holder },
  })
}
