import type { ApiClient } from '@weft/devnet'
import type { VpnVerifyAnswer } from '@weft/node'
import { FailedDocument } from '../output/failed-document.ts'
import type { Output } from '../output/output.ts'
import { PROVES, troubleOf, verificationLines } from '../output/verification-lines.ts'

/**
 * Asks every hop of every leg for its counters, and shows what that proves.
 * @throws WeftError E_ROUTE_UNVERIFIED when there is no leg, a hop did not answer, or figures contradict each other
 */
export async function verifyRoute(api: ApiClient, output: Output, long: boolean, signal: AbortSignal): Promise<void> {
  const { at, legs } = await api.json<VpnVerifyAnswer>('POST', '/api/v1/vpn/route/verify', {}, { signal })
  output.print(...verificationLines(legs, long, output))
  const trouble = troubleOf(legs)
  const document = { ok: trouble === undefined, at, legs, proves: PROVES }
  if (trouble !== undefined) throw new FailedDocument({ code: 'E_ROUTE_UNVERIFIED', ...trouble }, document)
  output.document(document)
}
