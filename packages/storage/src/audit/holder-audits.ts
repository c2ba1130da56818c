import { type Clock, type Logger, Semaphore, WeftError, equalBytes, isWeftError } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey } from '@weft/crypto'
import type { AuditQuestion, MessageInitShape, AuditItemSchema } from '@weft/wire'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { ShardName } from '../holder/shard-name.ts'
import type { ObjectRecords } from '../object/object-records.ts'
import { type AuditBeacons, type AuditEpochs, type AuditOverlay } from './audit-beacons.ts'
import { type AuditDraw, auditorsOf, drawLeafOf, drawLeaves } from './audit-draw.ts'
import { ASKED_NAMES, DRAWN_LEAVES, ITEMS_PER_QUESTION, LEAST_LEFT_MS, RECHECKS } from './audit-limits.ts'
import { AuditRecords } from './audit-records.ts'
import { ABSENT, HELD, LOST } from './judge-item.ts'
import { Manifest } from './manifest.ts'
import { type ReadLeaf, readLeaf } from './read-leaf.ts'
import { type SignedAudit, manifestName, signAnswer, signManifest } from './signed-audit.ts'

/** Manifests that one auditor gets in an epoch: it asks again for one that it got behind the beacon, or once it was restarted. */
const MANIFESTS = 40
/** Questions of one auditor in an epoch: all of them for each attempt, twice. */
const QUESTIONS = 2 * (RECHECKS + 1) * Math.ceil((DRAWN_LEAVES + ASKED_NAMES) / ITEMS_PER_QUESTION + 2)
/** Questions of one auditor at a time. */
const AT_ONCE = 2

type Item = MessageInitShape<typeof AuditItemSchema>

export interface HolderAuditsInit {
  readonly overlay: AuditOverlay
  readonly key: SigningKey
  readonly store: Pick<BlobStore, 'committed' | 'read'>
  readonly records: Pick<ObjectRecords, 'readHead' | 'readSegment'>
  readonly beacons: Pick<AuditBeacons, 'newest' | 'after'>
  readonly epochs: Pick<AuditEpochs, 'current'>
  readonly clock: Clock
  readonly logger: Logger
}

/** A manifest as an auditor has it. */
interface Said {
  readonly statement: SignedAudit
  /** Epoch of the beacon that it names. */
  readonly beacon: number
  /** Value of the first beacon after it, once it is known. */
  drawnBy: Uint8Array | undefined
}

/** What one auditor asked in an epoch, and the manifest that it got last. */
interface Asker {
  said: Said | undefined
  manifests: number
  questions: number
  atOnce: number
}

interface Epoch {
  readonly number: number
  readonly manifest: Promise<Manifest>
  readonly askers: Map<DidKey, Asker>
}

/**
 * A holder that is audited (docs/specs/audits.md): says what it keeps before the beacon that draws from it is known, and
 * then shows what was drawn, to the validators whose turn it is and to nobody else. It signs that it has a shard only
 * after its bytes were compared with the root that the owner's record has, so that no owner can make it a liar.
 */
export class HolderAudits {
  readonly #init: HolderAuditsInit
  /** Shards are read for one question at a time, whoever asks. */
  readonly #reading = new Semaphore(1)
  #epoch: Epoch | undefined

  constructor(init: HolderAuditsInit) {
    this.#init = init
  }

  /** @throws WeftError E_AUDIT_EPOCH, E_AUDIT_NOT_DRAWN, E_AUDIT_BEACON, E_AUDIT_LIMIT */
  async manifest(number: number, auditor: DidKey): Promise<SignedAudit> {
    const { overlay, key, beacons } = this.#init
    this.#requireDrawn(number, auditor)
    const epoch = this.#at(number)
    const asker = epoch.askers.get(auditor) ?? { said: undefined, manifests: 0, questions: 0, atOnce: 0 }
    epoch.askers.set(auditor, asker)
    if (asker.manifests >= MANIFESTS) throw tooMuch()
    asker.manifests++
    const manifest = await epoch.manifest
    const beacon = beacons.newest
    if (beacon === undefined) throw noBeacon()
    const statement = signManifest(key, {
      network: overlay.networkId,
      epoch: BigInt(number),
      node: key.publicKey,
      auditor: fromDidKey(auditor),
      beacon: BigInt(beacon.epoch),
      root: manifest.root,
      shards: BigInt(manifest.shards),
      leaves: BigInt(manifest.leaves),
    })
    asker.said = { statement, beacon: beacon.epoch, drawnBy: undefined }
    return statement
  }

  /** @throws WeftError E_AUDIT_EPOCH, E_AUDIT_NOT_DRAWN, E_AUDIT_BEACON, E_AUDIT_QUESTION, E_AUDIT_LIMIT; what records throw */
  async answer(question: AuditQuestion, auditor: DidKey, signal: AbortSignal): Promise<SignedAudit> {
    const number = Number(question.epoch)
    this.#requireDrawn(number, auditor)
    const epoch = this.#epoch
    const asker = epoch?.number === number ? epoch.askers.get(auditor) : undefined
    const said = asker?.said
    if (epoch === undefined || asker === undefined || said === undefined) {
      throw wrongQuestion('no manifest was asked for before it')
    }
    if (asker.questions >= QUESTIONS || asker.atOnce >= AT_ONCE) throw tooMuch()
    asker.questions++
    asker.atOnce++
    try {
      return await this.#reading.use(() => this.#answer(question, epoch, said, auditor, signal), signal)
    } finally {
      asker.atOnce--
    }
  }

  async #answer(
    question: AuditQuestion,
    epoch: Epoch,
    said: Said,
    auditor: DidKey,
    signal: AbortSignal,
  ): Promise<SignedAudit> {
    const { beacons, key } = this.#init
    const beacon = (said.drawnBy ??= (await beacons.after(said.beacon, signal))?.value)
    if (beacon === undefined) throw noBeacon()
    const manifest = await epoch.manifest
    const draw: AuditDraw = { beacon, node: key.id, auditor, epoch: epoch.number }
    const records = new AuditRecords(this.#init.records)
    const items: Item[] = []
    for (const asked of askedIn(question, drawLeaves(draw, manifest.leaves))) {
      const position = 'leaf' in asked ? manifest.positionOfLeaf(asked.leaf) : manifest.positionOf(asked.name)
      if (position === undefined) items.push({ state: ABSENT, name: (asked as { name: ShardName }).name })
      else items.push(await this.#item(manifest, position, asked, draw, records, signal))
    }
    return signAnswer(key, { manifest: manifestName(said.statement), question, items })
  }

  async #item(
    manifest: Manifest,
    position: number,
    asked: { readonly leaf: number } | { readonly name: ShardName },
    draw: AuditDraw,
    records: AuditRecords,
    signal: AbortSignal,
  ): Promise<Item> {
    const { name, length, start } = manifest.entry(position)
    const proof = manifest.proof(position)
    const entry = { name, length: BigInt(length), start: BigInt(start), position: BigInt(position), proof }
    const leaf = 'leaf' in asked ? asked.leaf - start : drawLeafOf(draw, name, length)
    const read = await this.#read(name, leaf)
    if (read === undefined) return { state: LOST, ...entry }
    const recorded = await records.find(name, signal)
    const isOurs = recorded?.node === draw.node && recorded.length === length && equalBytes(recorded.root, read.root)
    if (!isOurs) return { state: LOST, ...entry }
    return { state: HELD, ...entry, root: read.root, data: read.data, path: read.path }
  }

  async #read(name: ShardName, leaf: number): Promise<ReadLeaf | undefined> {
    try {
      return await readLeaf(this.#init.store.read(name).bytes, leaf)
    } catch (error) {
      if (isWeftError(error, 'E_SHARD_NOT_FOUND') || isWeftError(error, 'E_SHARD_CORRUPT')) return undefined
      throw error
    }
  }

  /** The manifest of an epoch is made when it is first asked for. */
  #at(number: number): Epoch {
    if (this.#epoch?.number === number) return this.#epoch
    const { store, clock } = this.#init
    const until = clock.now() + LEAST_LEFT_MS
    const manifest = Manifest.of((after, limit) => store.committed(after, limit, until))
    const epoch: Epoch = { number, manifest, askers: new Map() }
    manifest.catch(() => {
      if (this.#epoch === epoch) this.#epoch = undefined
    })
    return (this.#epoch = epoch)
  }

  #requireDrawn(number: number, auditor: DidKey): void {
    const { overlay, epochs, key } = this.#init
    const current = epochs.current
    if (current === undefined || number !== current) throw otherEpoch(number, current)
    const position = overlay.membership.member(key.id)?.position ?? key.publicKey
    const validators = overlay.term().validators.map(({ id }) => id)
    if (!auditorsOf(position, number, validators).includes(auditor)) throw notDrawn(number)
  }
}

/** @throws WeftError E_AUDIT_QUESTION */
function askedIn(
  { first, count, names }: AuditQuestion,
  drawn: readonly number[],
): ({ readonly leaf: number } | { readonly name: ShardName })[] {
  if (names.length > ITEMS_PER_QUESTION || count > ITEMS_PER_QUESTION) throw wrongQuestion('it asks for too much')
  if (names.length > 0) {
    if (first !== 0 || count !== 0) throw wrongQuestion('it asks for names and for leaves')
    return names.map(({ object, segment, index }) => {
      if (object.length !== 32) throw wrongQuestion('it names no object')
      return { name: { object: object.slice(), segment, index } }
    })
  }
  if (count < 1 || first + count > drawn.length) throw wrongQuestion('it asks for what was not drawn')
  return drawn.slice(first, first + count).map((leaf) => ({ leaf }))
}

function otherEpoch(asked: number, current: number | undefined): WeftError {
  return new WeftError({
    code: 'E_AUDIT_EPOCH',
    cause: `Audit epoch ${asked} is asked about; this node is in ${current ?? 'none yet'}, by its map.`,
    fix: 'Nothing to do: it is asked again when both have the same map.',
    retryable: true,
  })
}

function notDrawn(epoch: number): WeftError {
  return new WeftError({
    code: 'E_AUDIT_NOT_DRAWN',
    cause: `The caller is no auditor of this node in audit epoch ${epoch}.`,
    fix: 'See that both nodes have the newest map and know the newest term.',
    retryable: true,
  })
}

function noBeacon(): WeftError {
  return new WeftError({
    code: 'E_AUDIT_BEACON',
    cause: 'This node does not know the beacon yet that an audit is drawn by.',
    fix: 'Nothing to do: it is asked again when the map that carries it has come.',
    retryable: true,
  })
}

function wrongQuestion(why: string): WeftError {
  return new WeftError({
    code: 'E_AUDIT_QUESTION',
    cause: `The question of an audit cannot be answered: ${why}.`,
    fix: 'The auditor has to follow docs/specs/audits.md; update the older of the two sides.',
  })
}

function tooMuch(): WeftError {
  return new WeftError({
    code: 'E_AUDIT_LIMIT',
    cause: 'The auditor has asked more than one audit takes.',
    fix: 'Ask again in the next audit epoch.',
    retryable: true,
  })
}
