import { type Clock, Emitter, type Fault, type Logger, WeftError, equalBytes, messageOf, toHex } from '@weft/core'
import { type DidKey, toDidKey } from '@weft/crypto'
import { type Access, type SignedMap, SignedMapSchema, decodeMessage, encodeMessage } from '@weft/wire'
import { validVotes } from '../admission/certificate.ts'
import type { MapStatus, Member, Membership } from '../member.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import { type Placing, placingOf } from '../records/placing.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { MembershipStore } from '../state/membership-store.ts'
import { canRecover } from '../terms/electors.ts'
import type { Term } from '../terms/term.ts'
import type { AccessPolicy } from '../transport/transport.ts'
import { type MapBody, decodeMapBody } from './map-body.ts'
import { MAP_CHECKS, MAP_MAX_AGE_MS, type MapCheck } from './map-checks.ts'
import { EntryList } from './entry-list.ts'
import { atOnce, inSlices } from './in-slices.ts'
import { refuseEntries } from './map-entry.ts'
import { type EntryChanges, MapHistory, changedKeys } from './map-history.ts'
import { type MapReader, mapReader } from './map-reader.ts'

export interface SignedMembershipInit {
  readonly network: Network
  readonly database: MembershipStore
  readonly revocations: Pick<Revocations, 'size' | 'voids' | 'onChange'>
  readonly clock: Clock
  readonly logger: Logger
  /** Every check by default; a test takes each away in turn. */
  readonly checks?: readonly MapCheck[]
  /** How entries are verified and read; `mapReader` by default. */
  readonly reader?: MapReader
}

interface HeldMap {
  readonly map: SignedMap
  readonly body: MapBody
  /** Of the term that signs maps of its epoch, as it was known when the map came: those whose signatures are valid. */
  readonly signers: readonly DidKey[]
  readonly term: Term
  readonly list: EntryList
  /** Of its entries those that have not been revoked since. */
  readonly members: readonly Member[]
  /** Undefined while none was. */
  readonly byId: ReadonlyMap<DidKey, Member> | undefined
}

/** Epochs without a new map after which the held one is flagged. */
export const STALE_EPOCHS = 3
/** Bytes of a SignedMap: its body and up to 64 signatures of about 100 bytes. */
export const MAX_SIGNED_MAP = 16 * 1024
const NOBODY: readonly Member[] = []

/**
 * The newest verified map, and who may do what by it. Nothing of a map is believed for who sent it: the signatures of
 * a quorum, the epoch and the root decide, for what the disk holds as for what the wire brings.
 */
export class SignedMembership implements Membership, AccessPolicy {
  readonly networkId: string
  readonly reader: MapReader
  readonly #init: SignedMembershipInit
  readonly #checks: readonly MapCheck[]
  readonly #emitter = new Emitter<{ change: undefined }>()
  readonly #history = new MapHistory()
  #held: HeldMap | undefined
  /** The held map is one of validators whose term was over by its epoch: any of the new ones takes its place. */
  #isSuperseded = false
  /** The entries of the map before: whoever is fetching them shall not have to begin anew. */
  #previous: EntryList | undefined
  #refusal: Fault | undefined
  /** Nobody who was asked for a map last is of this network. */
  #foreign: Fault | undefined
  /** The entries on disk are those that are held. */
  #saved = true

  constructor(init: SignedMembershipInit) {
    this.#init = init
    this.#checks = init.checks ?? MAP_CHECKS
    this.networkId = init.network.id
    this.reader = init.reader ?? mapReader
    this.#restore()
    init.revocations.onChange((id) => this.#onRevocation(id))
    init.network.onTerm((term) => this.#onTerm(term))
  }

  get placing(): Placing {
    const held = this.#current()
    return held === undefined ? 'key' : placingOf(held.body)
  }

  members(): readonly Member[] {
    return this.#current()?.members ?? NOBODY
  }

  member(id: DidKey): Member | undefined {
    const held = this.#current()
    return held?.byId === undefined ? held?.list.member(id) : held.byId.get(id)
  }

  isMember(id: DidKey): boolean {
    return this.member(id) !== undefined
  }

  isValidator(id: DidKey): boolean {
    return this.#init.network.isValidator(id)
  }

  allows(caller: DidKey, access: Access): boolean {
    switch (access) {
      case 'anyone':
        return true
      case 'member':
        return this.isMember(caller) || this.isValidator(caller)
      case 'validator':
        return this.isValidator(caller)
    }
  }

  status(): MapStatus {
    const held = this.#current()
    const { quorum, validators } = held?.term ?? this.#init.network.term
    return {
      epoch: held?.body.epoch,
      root: held === undefined ? undefined : toHex(held.body.root),
      signedAt: held?.body.signedAt,
      beacon: held?.body.beacon,
      signatures: held?.signers.length ?? 0,
      quorum,
      validators: validators.length,
      fault: this.#fault(held),
    }
  }

  /** Validators that signed the held map; nobody while it is stale. */
  signers(): readonly DidKey[] {
    const held = this.#current()
    return held === undefined || this.isBehind ? [] : held.signers
  }

  onChange(listener: () => void): () => void {
    return this.#emitter.on('change', listener)
  }

  /** The map as it is passed on. */
  head(): SignedMap | undefined {
    return this.#current()?.map
  }

  /** Epoch of the map that is held; of a superseded one the last in which it could have been. */
  get epoch(): number | undefined {
    return this.#isSuperseded ? this.#init.network.term.fromEpoch - 1 : this.#held?.body.epoch
  }

  /** Whether maps have passed this node by: who is a validator now it may not know. */
  get isBehind(): boolean {
    const { network, clock } = this.#init
    return epochAt(network.file, clock.now()) - (this.epoch ?? -Infinity) > STALE_EPOCHS
  }

  /** The entries of the held map, or of the one before, when `root` is theirs. */
  list(root: Uint8Array): EntryList | undefined {
    const lists = this.#current() === undefined ? [] : [this.#held?.list, this.#previous]
    return lists.find((list) => list !== undefined && equalBytes(list.root, root))
  }

  /** The entries that are held, however old: what a newer map is compared with. */
  heldList(): EntryList | undefined {
    return this.#held?.list
  }

  /**
   * What became of the map with the root `from` until the held one; undefined when `to` is not that one, or it is not known.
   * @param mostKeys that came, went or changed in all maps between, counted in each
   */
  changes(from: Uint8Array, to: Uint8Array, mostKeys?: number): EntryChanges | undefined {
    const list = this.#current()?.list
    if (list === undefined || !equalBytes(list.root, to)) return undefined
    return this.#history.changes(from, list, mostKeys)
  }

  /** Believes in a map's head or says why not; its entries are another matter. @throws WeftError of the first check that failed */
  verify(map: SignedMap): MapBody {
    const { network, clock } = this.#init
    const body = decodeMapBody(map.body)
    try {
      for (const check of this.#checks) check.run({ network, map, body, heldEpoch: this.epoch, now: clock.now() })
    } catch (error) {
      if (error instanceof WeftError && error.code !== 'E_MAP_OLD') this.#refusal = error
      throw error
    }
    return body
  }

  /** Says why nobody who answers gives a map: all are of another network. Undefined once one of this network answers. */
  tellForeign(fault: Fault | undefined): void {
    this.#foreign = fault
  }

  /** Whether nobody who signs maps of its epoch, as far as terms are known here, is among its signers. */
  isOfOthers(map: SignedMap): boolean {
    const term = this.#init.network.termAt(decodeMapBody(map.body).epoch)
    return map.signatures.length > 0 && map.signatures.every(({ signer }) => term.validatorWith(signer) === undefined)
  }

  /**
   * Verifies a map with its entries, keeps it and tells the listeners.
   * @param entries a list that was read and verified already is adopted without a pause; not needed when the root is
   * that of the held map
   * @throws WeftError of the check that failed
   */
  adopt(map: SignedMap, entries: EntryList | readonly Uint8Array[] | undefined): void {
    const body = this.verify(map)
    const held = this.#held?.list
    const list = this.#listOf(body, entries ?? [])
    this.#held = { map, body, ...this.#signedBy(map, body), list, ...this.#inForce(list) }
    this.#isSuperseded = false
    if (list !== held) this.#previous = held
    this.#save(map, held, list)
    this.#refusal = undefined
    this.#foreign = undefined
    this.#emitter.emit('change', undefined)
  }

  /** As `adopt`; while entries are read others have the thread now and then. @throws WeftError of the check that failed, E_ABORTED */
  async adoptInSlices(map: SignedMap, entries: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    const body = this.verify(map)
    this.adopt(map, await inSlices(this.reader.whole(body, entries, this.#held?.list), signal))
  }

  /** @throws WeftError E_MAP_ENTRIES, E_CERTIFICATE_MALFORMED */
  #listOf(body: MapBody, entries: EntryList | readonly Uint8Array[]): EntryList {
    const held = this.#held?.list
    if (held !== undefined && isOf(held, body)) return held
    if (!(entries instanceof EntryList)) return atOnce(this.reader.whole(body, entries, held))
    if (!isOf(entries, body)) throw refuseEntries('they are those of another map')
    return entries
  }

  /** Notes what changed, in memory for others and on the disk. */
  #save(map: SignedMap, before: EntryList | undefined, list: EntryList): void {
    const keys = before === undefined || before === list ? [] : changedKeys(before, list)
    if (before !== undefined && before !== list) this.#history.note(before.root, keys, list.count)
    const whole = before === undefined || !this.#saved
    const entries = whole ? list.entries : keys.flatMap((key) => list.byKey(key) ?? [])
    const removed = whole ? [] : keys.filter((key) => list.byKey(key) === undefined)
    try {
      this.#init.database.saveMap(encodeMessage(SignedMapSchema, map), { whole, entries, removed, all: list.entries })
      this.#saved = true
    } catch (error) {
      // A full disk must not cut the node off: the map is as good without the file, which the next one tries again.
      this.#saved = false
      this.#init.logger.warn('the map could not be kept', { error: messageOf(error) })
    }
  }

  #inForce(list: EntryList): Pick<HeldMap, 'members' | 'byId'> {
    const { revocations } = this.#init
    // Most often nobody was ever ejected; else each map costs a look at every member of it.
    if (revocations.size === 0) return { members: list.members, byId: undefined }
    const isVoid = ({ id, certificateEpoch }: Member): boolean =>
      revocations.voids({ id, issuedEpoch: certificateEpoch })
    if (!list.members.some(isVoid)) return { members: list.members, byId: undefined }
    const members = list.members.filter((member) => !isVoid(member))
    return { members, byId: new Map(members.map((member) => [member.id, member])) }
  }

  /** Whoever is ejected is out at once, not with the next map. */
  #onRevocation(id: DidKey): void {
    const held = this.#held
    if (held?.list.member(id) === undefined) return
    this.#held = { ...held, ...this.#inForce(held.list) }
    this.#emitter.emit('change', undefined)
  }

  /** Whoever was apart with the validators of a term that others ended meanwhile holds maps that count no more. */
  #onTerm({ fromEpoch }: Term): void {
    if ((this.#held?.body.epoch ?? -1) >= fromEpoch) this.#isSuperseded = true
  }

  #signedBy(map: SignedMap, { epoch }: MapBody): Pick<HeldMap, 'signers' | 'term'> {
    const term = this.#init.network.termAt(epoch)
    return { term, signers: validVotes(term, 'map', map.body, map.signatures).map(({ signer }) => toDidKey(signer)) }
  }

  /** The map of before the restart, verified again from its bytes. */
  #restore(): void {
    const stored = this.#init.database.map()
    if (stored === undefined) return
    try {
      const map = decodeMessage(SignedMapSchema, stored.map, MAX_SIGNED_MAP)
      const body = this.verify(map)
      // Before the node listens nobody waits for the thread.
      const list = atOnce(this.reader.whole(body, stored.entries, undefined))
      this.#held = { map, body, ...this.#signedBy(map, body), list, ...this.#inForce(list) }
    } catch (error) {
      const fault = error instanceof WeftError ? error : undefined
      this.#init.logger.warn('the map of before the restart is not used', { code: fault?.code, cause: fault?.cause })
    }
  }

  /** The held map, unless it is too old to serve at all. */
  #current(): HeldMap | undefined {
    if (this.#held !== undefined && this.#init.clock.now() - this.#held.body.signedAt > MAP_MAX_AGE_MS) return undefined
    return this.#held
  }

  #fault(held: HeldMap | undefined): Fault | undefined {
    const { network, clock } = this.#init
    const last = this.#refusal === undefined ? '' : ` The last one that came was refused: ${this.#refusal.cause}`
    const fix =
      this.#refusal?.fix ??
      'Check that the clock of this machine is right and that the validators run and can be reached (`weft network show` lists them).'
    if (held === undefined) {
      if (this.#foreign !== undefined) return foreignFault(this.#foreign)
      const cause =
        this.#held === undefined ? 'No signed map has come yet.' : 'The last signed map is more than 14 days old.'
      return { code: 'E_MAP_NONE', cause: `${cause}${last}`, fix }
    }
    const age = epochAt(network.file, clock.now()) - held.body.epoch
    if (age < -STALE_EPOCHS) {
      return {
        code: 'E_CLOCK_SKEW',
        cause: `The newest signed map is of an epoch ${(-age * network.file.mapEpochMs) / 1_000} s ahead of the clock of this machine, which must have been set back.${last}`,
        fix: 'Set the clock right, e.g. with `timedatectl set-ntp true`.',
      }
    }
    if (age <= STALE_EPOCHS) return undefined
    return {
      code: 'E_MAP_STALE',
      cause: `The newest signed map is ${age} epochs of ${network.file.mapEpochMs / 1_000} s old.${last}`,
      fix: `${fix} ${this.#recoveryWords(held)}`,
    }
  }

  /** What becomes of a network whose validators stay silent (docs/specs/terms.md). */
  #recoveryWords({ body, list }: HeldMap): string {
    const { network, clock } = this.#init
    const { number, fromEpoch } = network.term
    if (fromEpoch > body.epoch)
      return `The seats have changed hands: validators of term ${number} sign from epoch ${fromEpoch} on, and their first map is awaited.`
    const validators = list.members.filter(({ id }) => network.isValidator(id)).length
    if (!canRecover(list.count, validators)) return 'Nobody can take their seats: the map has too few other members.'
    const at = body.signedAt + network.file.recoveryAfterMs
    const time = new Date(at).toISOString()
    return at > clock.now()
      ? `If they stay silent, other members take their seats at about ${time}.`
      : `Since about ${time} other members agree on who takes their seats.`
  }
}

/** Neither the clock nor the firewall is to blame. */
function foreignFault({ code, cause }: Fault): Fault {
  return {
    code,
    cause: `No signed map has come yet, and nobody who answers is of the network of this node: ${cause}`,
    fix: 'The network file of this node is another one than theirs, or was changed: each change makes another network. Take network.json out of the home and get it anew: weft network join - with a token, or weft init --network FILE --network-id ID with the id that weft network show prints there.',
  }
}

function isOf(list: EntryList, { root, count }: MapBody): boolean {
  return list.count === count && equalBytes(list.root, root)
}
