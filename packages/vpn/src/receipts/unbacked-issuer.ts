import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, ensureDirectory, messageOf, type Scope, WeftError } from '@weft/core'
import {
  type DidKey,
  eraseSecret,
  fromDidKey,
  sha256,
  TOKEN_MODULUS_BYTES,
  TokenSecret,
  wipe,
  writeSecret,
} from '@weft/crypto'
import { ReceiptAnswer } from '@weft/onion'
import { GroupCommitDatabase } from '@weft/overlay'
import { KeyRing } from './key-ring.ts'
import { receiptEpoch, REDEEMED_EPOCHS } from './receipt-epoch.ts'
import { type IssuerKey, MAX_BATCH } from './receipt-issuer.ts'
import { checkSpend, SPEND_BYTES } from './spend.ts'

export interface UnbackedIssuerInit {
  readonly networkId: string
  readonly self: DidKey
  /** Tokens of an epoch: of each member, and of all others together. */
  readonly quota: number
  readonly guestQuota: number
  readonly clock: Clock
  readonly scope: Scope
}

/** In whose name callers who are no members are counted. */
const GUESTS = 'guests'
/** Blind signatures between turns of the event loop, 0.5 ms each. */
const SLICE = 8
/** Redeemed spends of one epoch at most; beyond that `noRoom`. */
const MOST_SPENT = 10_000_000

/** A key, by its epoch; also what a crash left of one. */
const KEY_FILE = /^epoch-(\d+)\.key/

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS issued (epoch INTEGER, caller TEXT, count INTEGER NOT NULL, PRIMARY KEY (epoch, caller)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS requests (epoch INTEGER, caller TEXT, digest BLOB NOT NULL, PRIMARY KEY (epoch, caller)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS spent (nonce BLOB PRIMARY KEY, epoch INTEGER NOT NULL, payee BLOB NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS spent_by_epoch ON spent (epoch);
`

/** An issuer whose tokens stand for nothing: it limits how many each member has, and takes back each of them once. */
export class UnbackedIssuer {
  readonly #init: UnbackedIssuerInit
  readonly #directory: string
  readonly #database: GroupCommitDatabase
  readonly #secrets = new Map<number, TokenSecret>()
  readonly #ring: KeyRing
  /** Redeemed spends of each epoch. */
  readonly #spent = new Map<number, number>()
  #making: Promise<void> | undefined

  /** @throws WeftError E_DATABASE, E_DISK_FULL, E_KEY_FILE */
  static async open(directory: string, init: UnbackedIssuerInit): Promise<UnbackedIssuer> {
    ensureDirectory(directory)
    chmodSync(directory, 0o700)
    const damaged =
      'stop the node and move the directory away with its keys: without it a token could be redeemed twice'
    const database = await GroupCommitDatabase.open(join(directory, 'issuer.sqlite'), SCHEMA, damaged)
    init.scope.use('receipt issuer', database)
    const issuer = new UnbackedIssuer(directory, init, database)
    await issuer.keys()
    return issuer
  }

  private constructor(directory: string, init: UnbackedIssuerInit, database: GroupCommitDatabase) {
    this.#directory = directory
    this.#init = init
    this.#database = database
    this.#ring = new KeyRing(init.networkId)
    for (const row of database.prepare('SELECT epoch, count(*) AS count FROM spent GROUP BY epoch').all())
      this.#spent.set(row['epoch'] as number, row['count'] as number)
  }

  /**
   * Of the epochs whose tokens it takes back, and of the next one, so that all know a key before its time; the last two are made where they are not there
   * yet. @throws WeftError E_KEY_FILE */
  async keys(): Promise<readonly IssuerKey[]> {
    await (this.#making ??= this.#make().finally(() => {
      this.#making = undefined
    }))
    return this.#ring.all().map(({ issuer, epoch, bytes }) => ({ issuer, epoch, bytes }))
  }

  /** Tokens of the present epoch that a caller may still have. */
  left(caller: DidKey, isMember: boolean): number {
    const { quota, guestQuota, clock } = this.#init
    const epoch = receiptEpoch(clock.now())
    return Math.max(0, (isMember ? quota : guestQuota) - this.#issued(epoch, isMember ? caller : GUESTS))
  }

  /** @throws WeftError E_RECEIPT_REQUEST, E_RECEIPT_EPOCH, E_RECEIPT_QUOTA */
  async issue(caller: DidKey, isMember: boolean, epoch: number, blinded: Uint8Array): Promise<Uint8Array> {
    const count = blinded.length / TOKEN_MODULUS_BYTES
    if (!Number.isInteger(count) || count < 1 || count > MAX_BATCH) throw badRequest('blinded messages', 256)
    await this.keys()
    const secret = this.#secrets.get(epoch)
    if (secret === undefined || epoch !== receiptEpoch(this.#init.clock.now())) throw otherEpoch(epoch)
    await this.#book(caller, isMember, epoch, count, sha256(blinded))
    const signatures = new Uint8Array(blinded.length)
    for (let at = 0; at < count; at++) {
      if (at % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve))
      const from = at * TOKEN_MODULUS_BYTES
      const signature = secret.sign(blinded.subarray(from, from + TOKEN_MODULUS_BYTES))
      if (signature === undefined) throw badRequest('blinded messages below the modulus', 256)
      signatures.set(signature, from)
    }
    return signatures
  }

  /** One answer for each spend. @throws WeftError E_RECEIPT_REQUEST */
  async redeem(payee: DidKey, spends: Uint8Array): Promise<Uint8Array> {
    const count = spends.length / SPEND_BYTES
    if (!Number.isInteger(count) || count < 1 || count > MAX_BATCH) throw badRequest('spends', SPEND_BYTES)
    await this.keys()
    const key = fromDidKey(payee)
    const answers = new Uint8Array(count)
    const good: { readonly at: number; readonly nonce: Uint8Array; readonly epoch: number }[] = []
    for (let at = 0; at < count; at++) {
      if (at % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve))
      // The ring holds the keys that are taken back, and no others.
      const checked = checkSpend(spends.slice(at * SPEND_BYTES, (at + 1) * SPEND_BYTES), key, this.#ring, () => true)
      if (typeof checked === 'number') answers[at] = checked
      else good.push({ at, nonce: checked.nonce, epoch: checked.key.epoch })
    }
    await this.#database.change(() => {
      for (const { at, nonce, epoch } of good) answers[at] = this.#spend(nonce, epoch, key)
    })
    return answers
  }

  #spend(nonce: Uint8Array, epoch: number, payee: Uint8Array): ReceiptAnswer {
    const known = this.#database.prepare('SELECT payee FROM spent WHERE nonce = ?').get(nonce)
    if (known !== undefined)
      return Buffer.compare(known['payee'] as Uint8Array, payee) === 0 ? ReceiptAnswer.taken : ReceiptAnswer.spent
    const count = this.#spent.get(epoch) ?? 0
    if (count >= MOST_SPENT) return ReceiptAnswer.noRoom
    this.#database.prepare('INSERT INTO spent VALUES (?, ?, ?)').run(nonce, epoch, payee)
    this.#spent.set(epoch, count + 1)
    return ReceiptAnswer.taken
  }

  #issued(epoch: number, name: string): number {
    const row = this.#database.prepare('SELECT count FROM issued WHERE epoch = ? AND caller = ?').get(epoch, name)
    return (row?.['count'] as number | undefined) ?? 0
  }

  /** Counts what is issued, on disk before anything is signed. The last request once more is not counted. */
  async #book(caller: DidKey, isMember: boolean, epoch: number, count: number, digest: Uint8Array): Promise<void> {
    const name = isMember ? caller : GUESTS
    const most = isMember ? this.#init.quota : this.#init.guestQuota
    await this.#database.change(() => {
      const request = this.#database.prepare('SELECT digest FROM requests WHERE epoch = ? AND caller = ?')
      const last = request.get(epoch, name)?.['digest'] as Uint8Array | undefined
      if (last !== undefined && Buffer.compare(last, digest) === 0) return
      const issued = this.#issued(epoch, name)
      if (issued + count > most) throw overQuota(most - issued, count, isMember)
      this.#database.prepare('INSERT OR REPLACE INTO issued VALUES (?, ?, ?)').run(epoch, name, issued + count)
      this.#database.prepare('INSERT OR REPLACE INTO requests VALUES (?, ?, ?)').run(epoch, name, digest)
    })
  }

  async #make(): Promise<void> {
    const { clock, self } = this.#init
    const present = receiptEpoch(clock.now())
    if (this.#secrets.has(present) && this.#secrets.has(present + 1)) return
    for (let epoch = present - REDEEMED_EPOCHS + 1; epoch <= present + 1; epoch++) {
      if (this.#secrets.has(epoch)) continue
      const secret = this.#load(epoch) ?? (epoch >= present ? await this.#generate(epoch) : undefined)
      if (secret === undefined) continue
      this.#secrets.set(epoch, secret)
      this.#ring.take([{ issuer: self, epoch, bytes: secret.key.bytes }])
    }
    await this.#prune(present - REDEEMED_EPOCHS)
  }

  async #prune(last: number): Promise<void> {
    for (const kept of [this.#secrets, this.#spent])
      for (const epoch of kept.keys()) if (epoch <= last) kept.delete(epoch)
    this.#ring.prune(this.#init.clock.now())
    // Also those of days whose end this node did not see.
    for (const name of readdirSync(this.#directory))
      if (Number(KEY_FILE.exec(name)?.[1] ?? Infinity) <= last) eraseSecret(join(this.#directory, name))
    await this.#database.change(() => {
      for (const table of ['issued', 'requests', 'spent'])
        this.#database.prepare(`DELETE FROM ${table} WHERE epoch <= ?`).run(last)
    })
  }

  #path(epoch: number): string {
    return join(this.#directory, `epoch-${epoch}.key`)
  }

  async #generate(epoch: number): Promise<TokenSecret> {
    const secret = await TokenSecret.generate()
    const bytes = secret.export()
    writeSecret(this.#path(epoch), bytes)
    wipe(bytes)
    return secret
  }

  #load(epoch: number): TokenSecret | undefined {
    const path = this.#path(epoch)
    try {
      if ((statSync(path).mode & 0o077) !== 0) throw new Error('others may read it')
      const bytes = readFileSync(path)
      const secret = TokenSecret.parse(bytes)
      wipe(bytes)
      if (secret === undefined) throw new Error('it holds no key of RSA of 2,048 bits')
      return secret
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new WeftError({
        code: 'E_KEY_FILE',
        cause: `The key file ${path} cannot be used: ${messageOf(error)}.`,
        fix: `Restore it from a backup, with mode 600; without it tokens of that day cannot be redeemed.`,
      })
    }
  }
}

function badRequest(what: string, bytes: number): WeftError {
  return new WeftError({
    code: 'E_RECEIPT_REQUEST',
    cause: `A request to an issuer of tokens holds no 1 to ${MAX_BATCH} ${what} of ${bytes} bytes.`,
    fix: 'Bring both nodes to the same version.',
  })
}

function otherEpoch(epoch: number): WeftError {
  return new WeftError({
    code: 'E_RECEIPT_EPOCH',
    cause: `Tokens of epoch ${epoch} were asked for, which is not the present one.`,
    fix: "Nothing to do once the clocks agree: the node asks for the issuer's keys again.",
    retryable: true,
  })
}

function overQuota(left: number, count: number, isMember: boolean): WeftError {
  return new WeftError({
    code: 'E_RECEIPT_QUOTA',
    cause: `${count} tokens were asked for, and ${left} are left ${isMember ? 'for this member' : 'for all who are no members'} until the next epoch.`,
    fix: `Wait for the next day (UTC), or have the issuer's operator raise ${isMember ? 'receipts.quota' : 'receipts.guest_quota'}.`,
    details: { left, count },
  })
}
