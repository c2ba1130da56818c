import { join } from 'node:path'
import { type Scope, systemRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import { type ReceiptBooks, SqliteReceiptBooks } from './receipt-books.ts'
import type { ReceiptIssuer } from './receipt-issuer.ts'
import { TokenWallet } from './token-wallet.ts'
import { WalletFile } from './wallet-file.ts'

export interface ReceiptStoresInit {
  /** Where tokens and books lie. */
  readonly directory: string
  /** Whose tokens are used. */
  readonly issuers: readonly DidKey[]
  /** ms between two times at which what came in is redeemed. */
  readonly redeemMs: number
  /** One of these, where this node is it. */
  readonly own?: ReceiptIssuer | undefined
}

export interface ReceiptStores extends Omit<ReceiptStoresInit, 'directory'> {
  readonly wallet: TokenWallet
  /** Of a node that carries for others. */
  readonly books: ReceiptBooks | undefined
}

/** @param scope closes them @throws WeftError E_WALLET_FILE, E_DATABASE, E_DISK_FULL */
export async function openReceiptStores(
  { directory, ...init }: ReceiptStoresInit,
  carries: boolean,
  scope: Scope,
): Promise<ReceiptStores> {
  const file = scope.use('wallet of tokens', new WalletFile(join(directory, 'wallet')))
  const books = carries ? await SqliteReceiptBooks.open(directory, scope) : undefined
  return { ...init, wallet: new TokenWallet(file, systemRandom), books }
}
