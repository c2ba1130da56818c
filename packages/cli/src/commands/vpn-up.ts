import { type WeftError, isWeftError, wait } from '@weft/core'
import { type ApiClient, referencedClock } from '@weft/devnet'
import type { VpnStatusAnswer } from '@weft/node'
import { openApi } from '../daemon/open-api.ts'
import { FailedDocument } from '../output/failed-document.ts'
import { pendingLines } from '../output/profile-lines.ts'
import { stateLines } from '../output/route-lines.ts'
import { tunLines } from '../output/tun-lines.ts'
import type { Invocation } from '../program/invocation.ts'

/** ms between two looks of --wait. */
const LOOK_EVERY_MS = 100

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const begun = await api.json<VpnStatusAnswer>('POST', upPath(invocation), undefined, { signal })
  const status = invocation.flag('wait') ? await waitUntilConnected(api, begun, signal) : begun
  output.document({ ...status })
  const { state, fault, profile, proxy, tun } = status
  output.print(...stateLines(state, fault, output))
  for (const line of pendingLines(profile.pending)) output.note(line)
  if (tun !== undefined) output.print(...tunLines(tun, false, output))
  else if (proxy !== undefined) output.print(`Set programs to the proxy socks5h://${proxy.host}:${proxy.port}`)
}

function upPath(invocation: Invocation): string {
  const profile = invocation.text('profile')
  const query = new URLSearchParams({
    ...(invocation.flag('tun') ? { tun: 'on' } : {}),
    ...(profile === undefined ? {} : { profile }),
  }).toString()
  return `/api/v1/vpn/up${query === '' ? '' : `?${query}`}`
}

/** Until --timeout fires the signal: then why there is no route. */
async function waitUntilConnected(
  api: ApiClient,
  begun: VpnStatusAnswer,
  signal: AbortSignal,
): Promise<VpnStatusAnswer> {
  let last = begun
  try {
    while (last.state !== 'connected' || last.tun?.state === 'waiting') {
      await wait(referencedClock, LOOK_EVERY_MS, signal)
      last = await api.json<VpnStatusAnswer>('GET', '/api/v1/vpn', undefined, { signal })
    }
    return last
  } catch (error) {
    if (!isWeftError(error, 'E_TIMEOUT')) throw error
    throw noRoute(error, last)
  }
}

function noRoute(timeout: WeftError, status: VpnStatusAnswer): WeftError {
  const fault = status.tun?.fault ?? status.fault
  return new FailedDocument(
    {
      code: timeout.code,
      cause: `${timeout.cause} The proxy listens, and no route is connected${fault === undefined ? '.' : `: ${fault.code}: ${fault.cause}`}`,
      fix: fault?.fix ?? timeout.fix,
      retryable: true,
    },
    { ...status },
  )
}
