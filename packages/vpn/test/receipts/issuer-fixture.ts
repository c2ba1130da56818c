import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concatBytes, Scope, systemRandom, VirtualClock } from '@weft/core'
import { type DidKey, SigningKey, TOKEN_MODULUS_BYTES } from '@weft/crypto'
import { KeyRing, type RingKey } from '../../src/receipts/key-ring.ts'
import type { ReceiptIssuer } from '../../src/receipts/receipt-issuer.ts'
import type { OwnToken } from '../../src/receipts/spend.ts'
import { TokenWallet } from '../../src/receipts/token-wallet.ts'
import { UnbackedIssuer } from '../../src/receipts/unbacked-issuer.ts'
import { WalletFile } from '../../src/receipts/wallet-file.ts'

export const NETWORK = 'test-network'
const START = 20_000 * 86_400_000 + 3_600_000

/** An issuer on a virtual clock, with its directory, and whoever asks it. */
export class IssuerFixture implements AsyncDisposable {
  readonly clock = new VirtualClock(START)
  readonly directory = mkdtempSync(join(tmpdir(), 'weft-receipts-'))
  readonly id = SigningKey.generate().id
  scope = new Scope({ name: 'issuer', clock: this.clock })
  issuer!: UnbackedIssuer
  readonly #quotas: { readonly quota: number; readonly guestQuota: number }

  private constructor(quotas: { readonly quota: number; readonly guestQuota: number }) {
    this.#quotas = quotas
  }

  static async open(quotas = { quota: 1_000, guestQuota: 10 }): Promise<IssuerFixture> {
    const fixture = new IssuerFixture(quotas)
    await fixture.#open()
    return fixture
  }

  async #open(): Promise<void> {
    const { clock, scope, id } = this
    const init = { networkId: NETWORK, self: id, ...this.#quotas, clock, scope }
    this.issuer = await UnbackedIssuer.open(join(this.directory, 'issuer'), init)
  }

  async restart(): Promise<void> {
    await this.scope[Symbol.asyncDispose]()
    this.scope = new Scope({ name: 'issuer', clock: this.clock })
    await this.#open()
  }

  /** As that node reaches it. */
  as(caller: DidKey, isMember = true): ReceiptIssuer {
    return {
      id: this.id,
      keys: async () => ({ keys: await this.issuer.keys(), left: this.issuer.left(caller, isMember) }),
      issue: async (epoch, blinded) => {
        const all = await this.issuer.issue(caller, isMember, epoch, concatBytes(blinded))
        return blinded.map((_, at) => all.slice(at * TOKEN_MODULUS_BYTES, (at + 1) * TOKEN_MODULUS_BYTES))
      },
      redeem: async (spends) => [...(await this.issuer.redeem(caller, concatBytes(spends)))],
    }
  }

  async ring(): Promise<KeyRing> {
    const ring = new KeyRing(NETWORK)
    ring.take(await this.issuer.keys())
    return ring
  }

  async newestKey(): Promise<RingKey> {
    const key = (await this.ring()).spendable(this.clock.now())[0]
    if (key === undefined) throw new Error('the issuer has no key')
    return key
  }

  wallet(name: string): { readonly file: WalletFile; readonly wallet: TokenWallet } {
    const file = new WalletFile(join(this.directory, name, 'wallet'))
    return { file, wallet: new TokenWallet(file, systemRandom) }
  }

  /** So many fresh tokens of that caller. */
  async tokens(caller: DidKey, count: number, isMember = true): Promise<readonly OwnToken[]> {
    const { file, wallet } = this.wallet(`of-${caller}`)
    const key = await this.newestKey()
    await wallet.fetch(this.as(caller, isMember), key, key.challenge, count, new AbortController().signal)
    const tokens = wallet.take(count, this.clock.now()).map((own) => ({ ...own, seed: own.seed.slice() }))
    file[Symbol.dispose]()
    return tokens
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scope[Symbol.asyncDispose]()
    rmSync(this.directory, { recursive: true })
  }
}
