import { type Scope, systemClock } from '@weft/core'
import { type NetworkFile, networkIdOf, type Overlay } from '@weft/overlay'
import { isDidKey, type SigningKey } from '@weft/crypto'
import { OwnIssuer, serveIssuer, UnbackedIssuer, type VpnInit } from '@weft/vpn'
import { configError } from '../config/config-error.ts'
import type { Config } from '../config/load-config.ts'
import type { StatePaths } from './state-directory.ts'

export interface ReceiptsStart {
  readonly config: Config
  readonly paths: Pick<StatePaths, 'receipts' | 'receiptIssuer'>
  readonly node: SigningKey
  readonly networkFile: NetworkFile
  readonly scope: Scope
}

/** What this node does about pay for circuits (docs/specs/receipts.md). */
export interface OpenedReceipts {
  /** Undefined where `receipts.mode` is off. */
  readonly stores: VpnInit['receiptStores']
  /** Begins to answer others, where this node is an issuer. */
  serve(overlay: Pick<Overlay, 'rpc' | 'membership'>): void
}

/** @throws WeftError E_CONFIG_INVALID, E_DATABASE, E_DISK_FULL, E_KEY_FILE */
export async function openReceipts({
  config,
  paths,
  node,
  networkFile,
  scope,
}: ReceiptsStart): Promise<OpenedReceipts> {
  const { values } = config
  if (values['receipts.mode'] === 'on' && values['receipts.issuers'].length === 0)
    throw configError(
      'receipts.mode is on, and receipts.issuers names nobody whose tokens are to be used.',
      'Name one to four nodes in receipts.issuers, or set receipts.mode to off.',
    )
  let membership: Overlay['membership'] | undefined
  const issuer = values['receipts.issuer']
    ? await UnbackedIssuer.open(paths.receiptIssuer, {
        networkId: networkIdOf(networkFile),
        self: node.id,
        quota: values['receipts.quota'],
        guestQuota: values['receipts.guest_quota'],
        clock: systemClock,
        scope,
      })
    : undefined
  const own = issuer && new OwnIssuer(node.id, issuer, () => membership?.isMember(node.id) === true)
  return {
    stores:
      values['receipts.mode'] === 'off'
        ? undefined
        : {
            directory: paths.receipts,
            issuers: values['receipts.issuers'].filter((id) => isDidKey(id)),
            redeemMs: 1_000 * values['receipts.redeem_seconds'],
            own,
          },
    serve(overlay) {
      membership = overlay.membership
      if (issuer !== undefined)
        scope.defer('calls to the receipt issuer', serveIssuer(issuer, overlay.rpc, overlay.membership))
    },
  }
}
