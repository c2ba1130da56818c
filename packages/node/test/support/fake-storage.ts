import { Emitter, WeftError, concatBytes, utf8 } from '@weft/core'
import type {
  AuditResult,
  GetOptions,
  ObjectReader,
  ObjectRemoval,
  ObjectRenewal,
  ObjectStatus,
  PersonStorage,
  PutOptions,
  Storage,
  StorageEvents,
  StorageOptions,
  PutResult,
  StoredObject,
} from '@weft/storage'

const AUDIT: AuditResult = {
  epoch: 7,
  node: 'did:key:z6MkholderHolder',
  auditor: 'did:key:z6MkauditorAuditor',
  verdict: 'kept',
  shards: 2,
  leaves: 3,
  asked: 3,
  kept: 3,
  missing: 0,
  wrong: 0,
  unknown: 0,
  silent: 0,
  at: 5,
  signature: 'AA',
}

/** Storage in memory, with switches for what goes wrong. */
export class FakeStorage implements PersonStorage {
  /** No buckets, which a test may be told of; and why changes of them stay here. */
  readonly buckets = { all: () => [], takeOver: async () => {}, fault: undefined } as Partial<
    PersonStorage['buckets']
  > as PersonStorage['buckets'] & {
    fault: PersonStorage['buckets']['fault']
  }

  /** What an import was given. */
  imported: Uint8Array | undefined
  /** An export fails with this after its first chunk. */
  failExport: WeftError | undefined
  /** An export has a text; an import takes anything. */
  readonly archives: PersonStorage['archives'] = {
    export: ({ content = true } = {}) => ({ expected: 99, body: this.#archive(content) }),
    import: async (source) => {
      this.imported = concatBytes(await Array.fromAsync(source))
      const none = { adopted: 0, stored: 0, present: 0, left: 0 }
      const fault = { code: 'E_ARCHIVE_CONTENT', cause: 'It has no bytes.', fix: 'Take another.' }
      const left = [{ object: undefined, name: 'b/k', fault }]
      return { objects: { ...none, adopted: 1 }, versions: { ...none, left: 1 }, buckets: 2, bytes: 3, left }
    },
  }

  async *#archive(content: boolean): AsyncGenerator<Uint8Array> {
    yield utf8(`archive ${content}`)
    if (this.failExport !== undefined) throw this.failExport
    yield utf8(' end')
  }

  readonly emitter = new Emitter<StorageEvents>()
  readonly objects = new Map<string, { stored: StoredObject; bytes: Uint8Array }>()
  /** A put fails with this before it reads a byte. */
  refusePut: WeftError | undefined
  /** A get fails with this after so many chunks. */
  failGet: { afterChunks: number; error: WeftError } | undefined
  /** Puts that were cut off. */
  aborted = 0
  /** Puts count bytes and keep none. */
  discard = false
  /** The put reads no further until this resolves. */
  gate: Promise<void> | undefined
  received = 0
  /** What was asked to be private, in order. */
  readonly asked: string[] = []
  heldFault: ReturnType<Storage['held']>['fault']
  heldNotice: ReturnType<Storage['held']>['notice']
  closed = false

  async put(source: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<PutResult> {
    if (this.refusePut !== undefined) throw this.refusePut
    const parts: Uint8Array[] = []
    try {
      for await (const part of source) {
        this.received += part.length
        if (!this.discard) parts.push(part)
        await this.gate
        options.signal?.throwIfAborted()
      }
    } catch (error) {
      this.aborted++
      throw error
    }
    const object = `object${this.objects.size}`
    const bytes = concatBytes(parts)
    const stored = {
      ref: `weft://wtestnetwork/${object}#secret-key-of-${object}`,
      object,
      name: options.name ?? '',
      size: this.discard ? this.received : bytes.length,
      class: options.class ?? 'tiny',
      createdAt: 1,
      expiresAt: 2 + (options.ttlMs ?? 0),
      private: options.private === true,
    }
    this.objects.set(stored.ref, { stored, bytes })
    return { ...stored, warnings: [] }
  }

  async get(ref: string, { range }: GetOptions = {}): Promise<ObjectReader> {
    const found = this.objects.get(ref)
    if (found === undefined)
      throw new WeftError({ code: 'E_OBJECT_NOT_FOUND', cause: 'There is no such object.', fix: 'See weft ls.' })
    const size = found.bytes.length
    if (range !== undefined && range.offset >= size)
      throw new WeftError({ code: 'E_RANGE', cause: 'It has nothing of the object.', fix: 'Ask for less.' })
    const part = range === undefined ? found.bytes : found.bytes.subarray(range.offset, range.offset + range.length)
    return { size, body: this.#chunks(part) }
  }

  async *#chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0, chunk = 0; at < bytes.length; at += 65_536, chunk++) {
      if (this.failGet?.afterChunks === chunk) throw this.failGet.error
      // Whoever sends it frees it.
      yield bytes.slice(at, at + 65_536)
    }
  }

  async stat(ref: string): Promise<ObjectStatus> {
    const found = this.objects.get(ref)
    if (found === undefined)
      throw new WeftError({ code: 'E_OBJECT_NOT_FOUND', cause: 'There is no such object.', fix: 'See weft ls.' })
    const { object, size, expiresAt } = found.stored
    const shards = [{ index: 0, node: 'did:key:z6Mk' as const, state: 'stored' as const }]
    return {
      ref,
      object,
      size,
      class: { name: 'tiny', k: 3, n: 9 },
      segmentCount: 1,
      segments: [{ index: 0, alive: 1, shards }],
      next: undefined,
      copies: undefined,
      health: 'healthy',
      fault: undefined,
      relaxed: [],
      expiresAt,
    }
  }

  readonly removed = new Map<string, ObjectRemoval>()

  async remove(object: string): Promise<ObjectRemoval> {
    const found = [...this.objects.values()].find(({ stored }) => stored.object === object)
    if (found !== undefined) {
      const { ref, name, size, private: isPrivate, expiresAt } = found.stored
      const receipt = { shards: 1, bytes: size, at: 5, until: expiresAt, signature: 'signature' }
      const fault = { code: 'E_NODE_UNREACHABLE', cause: 'It is away.', fix: 'Wait.' }
      const holders = [
        { node: 'did:key:z6Mk' as const, state: 'deleted' as const, receipt, fault: undefined },
        { node: 'did:key:z6Ml' as const, state: 'waiting' as const, receipt: undefined, fault },
      ]
      const about = { object, name, size, private: isPrivate, removedAt: 3, expiresAt }
      this.removed.set(object, { ...about, state: 'open', withdrawn: true, fault: undefined, holders })
      this.objects.delete(ref)
    }
    const removal = this.removed.get(object)
    if (removal !== undefined) return removal
    throw new WeftError({ code: 'E_OBJECT_UNKNOWN', cause: 'It is not in the list.', fix: 'See weft ls.' })
  }

  readonly renewed = new Map<string, ObjectRenewal>()

  async renew(object: string, ttlMs: number): Promise<ObjectRenewal> {
    const found = [...this.objects.values()].find(({ stored }) => stored.object === object)
    if (found === undefined)
      throw new WeftError({ code: 'E_OBJECT_UNKNOWN', cause: 'It is not in the list.', fix: 'See weft ls.' })
    const { name, expiresAt } = found.stored
    const fault = { code: 'E_NODE_UNREACHABLE', cause: 'It is away.', fix: 'Wait.' }
    const holders = [
      { node: 'did:key:z6Mk' as const, state: 'renewed' as const, fault: undefined },
      { node: 'did:key:z6Ml' as const, state: 'waiting' as const, fault },
    ]
    const about = { object, name, expiresAt, until: ttlMs, state: 'open' as const, fault: undefined }
    const renewal: ObjectRenewal = { ...about, records: { renewed: 1, total: undefined }, holders }
    this.renewed.set(object, renewal)
    return renewal
  }

  repaired(): ReturnType<Storage['repaired']> {
    return { running: false, restored: 4, bytes: 5, failed: 6 }
  }

  renewal(object: string): ObjectRenewal | undefined {
    return this.renewed.get(object)
  }

  removal(object: string): ObjectRemoval | undefined {
    return this.removed.get(object)
  }

  removals(): readonly ObjectRemoval[] {
    return [...this.removed.values()]
  }

  list(): readonly StoredObject[] {
    return [...this.objects.values()].map(({ stored }) => stored)
  }

  readonly audits: Storage['audits'] = {
    own: () => [AUDIT],
    made: () => [],
    counts: () => ({
      own: { kept: 1, missing: 0, wrong: 0, silent: 0 },
      made: { kept: 0, missing: 0, wrong: 0, silent: 0 },
    }),
    evidence: () => undefined,
  }

  held(): ReturnType<Storage['held']> {
    const rest = { damaged: 4, scrubbedBytes: 5, scrubbedAt: 6, notice: this.heldNotice }
    return { shards: 1, bytes: 2, quotaBytes: 3, fault: this.heldFault, ...rest }
  }

  on<K extends keyof StorageEvents>(name: K, listener: (event: StorageEvents[K]) => void): () => void {
    return this.emitter.on(name, listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true
  }
}

export async function createFakeStorage(options: StorageOptions): Promise<FakeStorage> {
  return options.scope.use('storage', new FakeStorage())
}
