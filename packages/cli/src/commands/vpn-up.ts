import { type WeftError, isWeftError, wait } from '@weft/core'
import { type ApiClient, referencedClock } from '@weft/devnet'
import type { VpnStatusAnswer } from '@weft/node'
import { orLeftBehind } from '../daemon/left-behind.ts'
import { openApi } from '../daemon/open-api.ts'
import { FailedDocument } from '../output/failed-document.ts'
import { killSwitchLine } from '../output/kill-switch-lines.ts'
import { pendingLines } from '../output/profile-lines.ts'
import { stateLines } from '../output/route-lines.ts'
import { tunLines } from '../output/tun-lines.ts'
import { UpProgress } from '../output/up-progress.ts'
import type { Invocation } from '../program/invocation.ts'

/** ms between two looks of --wait. */
const LOOK_EVERY_MS = 100

export async function run(invocation: Invocation): Promise<void> {
  const { output, signal } = invocation
  const api = openApi(invocation)
  const begun = await orLeftBehind(invocation, begin(api, upPath(invocation), signal))
  const status = invocation.flag('wait') ? await waitUntilConnected(api, begun, invocation) : begun
  output.document({ ...status })
  const { state, fault, profile, proxy, tun, killSwitch } = status
  output.print(...stateLines(state, fault, output, tun?.state))
  for (const line of pendingLines(profile.pending)) output.note(line)
  if (killSwitch?.state === 'on') output.print(killSwitchLine(killSwitch, output))
  if (tun !== undefined) output.print(...tunLines(tun, false, output))
  else if (proxy !== undefined) output.print(`Set programs to the proxy socks5h://${proxy.host}:${proxy.port}`)
}

async function begin(api: ApiClient, path: string, signal: AbortSignal): Promise<VpnStatusAnswer> {
  try {
    return await api.json<VpnStatusAnswer>('POST', path, undefined, { signal })
  } catch (error) {
    throw isWeftError(error, 'E_INTERRUPTED') ? leftUp(error) : error
  }
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
  { output, signal }: Invocation,
): Promise<VpnStatusAnswer> {
  const progress = new UpProgress(output)
  let last = begun
  try {
    for (;;) {
      if (last.state === 'connected' && last.tun?.state !== 'waiting') return last
      progress.show(last)
      await wait(referencedClock, LOOK_EVERY_MS, signal)
      last = await api.json<VpnStatusAnswer>('GET', '/api/v1/vpn', undefined, { signal })
    }
  } catch (error) {
    if (isWeftError(error, 'E_TIMEOUT')) throw notInTime(error, last)
    if (isWeftError(error, 'E_INTERRUPTED')) throw leftUp(error, last)
    throw error
  }
}

function notInTime(timeout: WeftError, status: VpnStatusAnswer): WeftError {
  const { state, tun } = status
  const fault = tun?.fault ?? status.fault
  const how =
    state === 'connected'
      ? 'The proxy has a route, and the tunnel has no exit yet'
      : 'The proxy listens, and no route is connected'
  return new FailedDocument(
    {
      code: timeout.code,
      cause: `${timeout.cause} ${how}${fault === undefined ? '.' : `: ${fault.code}: ${fault.cause}`}`,
      fix: fault?.fix ?? timeout.fix,
      retryable: true,
    },
    { ...status },
  )
}

/** Of a command that was broken off: the daemon goes on with what it began. */
function leftUp(interrupted: WeftError, status?: VpnStatusAnswer): WeftError {
  const how = status?.state === 'connected' ? 'the tunnel waits for an exit' : 'a route is looked for'
  return new FailedDocument(
    {
      code: interrupted.code,
      cause: status === undefined ? 'Interrupted; the proxy may be up.' : `Interrupted; the proxy is up, and ${how}.`,
      fix: 'weft vpn down ends it; weft vpn status shows how it stands.',
      retryable: true,
    },
    { ...status },
  )
}
