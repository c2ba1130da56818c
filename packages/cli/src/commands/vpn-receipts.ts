import type { VpnStatusAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { receiptLines } from '../output/receipt-lines.ts'
import type { Invocation } from '../program/invocation.ts'

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const { receipts } = await openApi(invocation).json<VpnStatusAnswer>('GET', '/api/v1/vpn', undefined, { signal })
  output.document({ receipts })
  if (receipts === undefined) output.note('Nothing is paid here: receipts.mode is off.')
  else output.print(...receiptLines(receipts, invocation.flag('long'), output))
}
