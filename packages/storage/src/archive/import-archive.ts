import { type Clock, type Fault, fromBase64Url, isWeftError, throwIfAborted } from '@weft/core'
import { SigningKey, wipe } from '@weft/crypto'
import type { Buckets } from '../buckets/buckets.ts'
import type { ObjectIndex } from '../object/object-index.ts'
import { objectId, parseObjectRef } from '../object/object-ref.ts'
import type { Storage } from '../storage.ts'
import { archiveInvalid, noContent } from './archive-errors.ts'
import { type ObjectMember, decodeMember } from './archive-member.ts'
import type { ImportOptions, ImportReport } from './archives.ts'
import { ImportTally } from './import-tally.ts'
import { ImportedVersions } from './imported-versions.ts'
import { inOwnClass } from './in-own-class.ts'
import { type TarMember, readTar } from './tar-reader.ts'

const DAY_MS = 86_400_000
/** Of an object that is put anew and had no day left, ms. */
const DEFAULT_TTL_MS = 30 * DAY_MS

export interface ImportParts {
  readonly storage: Pick<Storage, 'put' | 'stat' | 'removal'>
  readonly buckets: Buckets
  readonly index: Pick<ObjectIndex, 'get' | 'add'>
  readonly networkId: string
  /** ms that an object put now may live at most. */
  readonly longestTtl: () => number
  readonly clock: Clock
}

/** @see Archives.import */
export async function importArchive(
  parts: ImportParts,
  source: AsyncIterable<Uint8Array>,
  { signal }: ImportOptions,
): Promise<ImportReport> {
  const tally = new ImportTally()
  const versions = new ImportedVersions(parts.buckets, tally, signal)
  let network: string | undefined
  let isWhole = false
  for await (const member of readTar(source)) {
    throwIfAborted(signal)
    if (isWhole) throw archiveInvalid('a member stands behind its end')
    const said = decodeMember(member.records)
    if ((said.kind === 'archive') !== (network === undefined)) throw archiveInvalid('it does not begin as one does')
    if ('content' in said && member.size !== (said.content ? said.size : 0)) {
      throw archiveInvalid('a member has another size than is said of it')
    }
    switch (said.kind) {
      case 'archive':
        network = said.network
        break
      case 'object':
        await importObject(parts, said, { member, tally, isOfNetwork: network === parts.networkId, signal })
        break
      case 'bucket':
        await versions.bucket(said)
        break
      case 'version':
        await versions.version(said, member)
        break
      case 'end':
        if (said.objects !== tally.count('objects') || said.versions !== tally.count('versions')) {
          throw archiveInvalid('it has another number of members than its end says')
        }
        isWhole = true
    }
  }
  if (!isWhole) throw archiveInvalid('it has no end')
  await versions.end()
  return tally.report()
}

interface ImportedObject {
  readonly member: TarMember
  readonly tally: ImportTally
  /** The archive is of the network that this node is in. */
  readonly isOfNetwork: boolean
  readonly signal: AbortSignal | undefined
}

async function importObject(parts: ImportParts, said: ObjectMember, context: ImportedObject): Promise<void> {
  const { storage, index, longestTtl, clock } = parts
  const { member, tally, isOfNetwork, signal } = context
  const seed = ownSeed(said)
  try {
    if (index.get(said.object) !== undefined) return tally.add('objects', 'present')
    if (storage.removal(said.object) !== undefined) return tally.leave('objects', said, REMOVED)
    if (isOfNetwork && said.expiresAt > clock.now() && (await isReadable(storage, said, signal))) {
      const { object, ref, name, size, class: className, createdAt, expiresAt, private: isPrivate } = said
      const stored = { object, ref, name, size, class: className, createdAt, expiresAt, private: isPrivate }
      // Asked for again: it took a while to see that it can be read.
      if (index.get(object) === undefined) index.add(stored, seed, said.holders)
      return tally.add('objects', 'adopted')
    }
  } finally {
    wipe(seed)
  }
  if (!said.content) return tally.leave('objects', said, noContent(said.why))
  const left = said.expiresAt - clock.now()
  const ttlMs = Math.min(longestTtl(), left >= DAY_MS ? left : DEFAULT_TTL_MS)
  await inOwnClass(member, said.class, (className) =>
    storage.put(member.body(), {
      name: said.name,
      size: said.size,
      ttlMs,
      private: said.private,
      ...(className && { class: className }),
      ...(signal && { signal }),
    }),
  )
  tally.add('objects', 'stored', said.size)
}

/** The seed, if key, id and reference are of one object. @throws WeftError E_ARCHIVE_INVALID */
function ownSeed({ seed, object, ref }: ObjectMember): Uint8Array {
  const bytes = seedOf(seed)
  const network = /^weft:\/\/([^/]{1,64})\//.exec(ref)?.[1] ?? ''
  if (objectId(new SigningKey(bytes).publicKey) === object && objectIn(ref, network) === object) return bytes
  wipe(bytes)
  throw archiveInvalid('key, id and reference are not of one object')
}

function seedOf(text: string): Uint8Array {
  try {
    const bytes = fromBase64Url(text)
    if (bytes.length === 32) return bytes
  } catch {
    // Said below.
  }
  throw archiveInvalid("the field 'seed' of a member is not 32 bytes in base64url")
}

function objectIn(ref: string, network: string): string | undefined {
  try {
    const { object, dataKey } = parseObjectRef(ref, network)
    return dataKey === undefined ? undefined : objectId(object)
  } catch {
    return undefined
  }
}

/** Of an object that is not in the network. */
const NOT_THERE: ReadonlySet<string> = new Set(['E_OBJECT_NOT_FOUND', 'E_OBJECT_REMOVED', 'E_OBJECT_KEY'])

async function isReadable(
  storage: Pick<Storage, 'stat'>,
  { ref, private: isPrivate }: ObjectMember,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    for (let first: number | undefined = 0; first !== undefined;) {
      const status = await storage.stat(ref, { first, private: isPrivate, ...(signal && { signal }) })
      if (status.health === 'lost') return false
      first = status.next
    }
    return true
  } catch (error) {
    if (isWeftError(error) && NOT_THERE.has(error.code)) return false
    throw error
  }
}

const REMOVED: Fault = {
  code: 'E_OBJECT_REMOVED',
  cause: 'It was removed at this node, and does not come back.',
  fix: 'To have it again all the same, unpack the archive and put the file: age -d ARCHIVE | tar -x',
}
