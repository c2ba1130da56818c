import { isWeftError, wait, WeftError } from '@weft/core'
import { ApiClient } from '../api/api-client.ts'
import { referencedClock } from '../process/referenced-clock.ts'
import { admissionFaults } from './admission-faults.ts'
import type { DevnetNode, DevnetState } from './devnet-state.ts'
import { type NetworkView, viewNetwork } from './network-view.ts'
import type { OnProgress } from './progress.ts'

/** ms; a look without an event, should one have been dropped (slow readers are). */
const LOOK_EVERY_MS = 1_000
/** ms between two attempts at an event stream that broke off. */
const RECONNECT_MS = 200

export interface WholeOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly onProgress?: OnProgress | undefined
}

/**
 * Resolves once every client sees every member in its signed map and is connected to it: from then on all roles of
 * the network can be used. Driven by the daemons' events.
 * @throws WeftError E_DEVNET_TIMEOUT naming who is missing and why; E_ABORTED
 */
export async function waitUntilWhole(state: DevnetState, options: WholeOptions): Promise<void> {
  const controller = new AbortController()
  const signal = AbortSignal.any([options.signal, controller.signal])
  const views = new Map<string, NetworkView>()
  const timer = setTimeout(() => controller.abort(new WeftError(TIMED_OUT)), options.timeoutMs)
  try {
    const clients = state.nodes.filter(({ client }) => client)
    await Promise.all(
      clients.map((client) =>
        watchUntilWhole(state, client, signal, (view) => {
          views.set(client.name, view)
          report([...views.values()], options.onProgress)
        }),
      ),
    )
  } catch (error) {
    if (!isWeftError(error, TIMED_OUT.code)) throw error
    throw await timeoutError(state, [...views.values()], options.timeoutMs)
  } finally {
    clearTimeout(timer)
    // Ends the streams of the clients that are still watching.
    controller.abort()
  }
}

const TIMED_OUT = { code: 'E_DEVNET_TIMEOUT', cause: 'The time is up.', fix: 'Give it more with --timeout.' } as const

async function watchUntilWhole(
  state: DevnetState,
  client: DevnetNode,
  signal: AbortSignal,
  onView: (view: NetworkView) => void,
): Promise<void> {
  const api = new ApiClient(client.home)
  const done = new AbortController()
  const both = AbortSignal.any([signal, done.signal])
  const { promise: whole, resolve, reject } = Promise.withResolvers<void>()
  let looking = false
  let again = false
  const look = async (): Promise<void> => {
    // One look at a time; what happens during one is seen by the next.
    again = true
    if (looking) return
    looking = true
    try {
      while (again) {
        again = false
        const view = await viewNetwork(api, state, both)
        onView(view)
        if (view.missing.length === 0 && view.unconnected.length === 0) resolve()
      }
    } catch (error) {
      if (!isWeftError(error, 'E_ABORTED') && !isRetryable(error)) reject(error)
    } finally {
      looking = false
    }
  }
  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  followEvents(api, both, () => void look()).catch(reject)
  try {
    if (signal.aborted) onAbort()
    void look()
    await whole
  } finally {
    clearInterval(timer)
    signal.removeEventListener('abort', onAbort)
    done.abort()
  }
}

async function followEvents(api: ApiClient, signal: AbortSignal, onEvent: () => void): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const event of api.events({ signal })) {
        if (event.name === 'map' || event.name === 'peer' || event.name === 'admission') onEvent()
      }
    } catch (error) {
      if (signal.aborted) return
      if (!isRetryable(error)) throw error
    }
    await wait(referencedClock, RECONNECT_MS, signal).catch(() => {
      // Aborted: the loop's condition ends it.
    })
  }
}

function isRetryable(error: unknown): boolean {
  return !(error instanceof WeftError) || error.retryable || error.code === 'E_DAEMON_NOT_RUNNING'
}

function report(views: readonly NetworkView[], onProgress: OnProgress | undefined): void {
  const worst = views.toSorted(
    (a, b) => b.missing.length - a.missing.length || b.unconnected.length - a.unconnected.length,
  )[0]
  if (worst === undefined) return
  const total = worst.members
  const missing = worst.missing.length
  if (missing > 0) {
    onProgress?.({
      step: 'members',
      done: total - missing,
      total,
      text: `${total - missing} of ${total} members certified`,
    })
    return
  }
  const done = total - worst.unconnected.length
  onProgress?.({ step: 'peers', done, total, text: `${done} of ${total} members connected` })
}

async function timeoutError(state: DevnetState, views: readonly NetworkView[], timeoutMs: number): Promise<WeftError> {
  const missing = [...new Set(views.flatMap((view) => view.missing))]
  const unconnected = [...new Set(views.flatMap((view) => view.unconnected))]
  const faults = await admissionFaults(state.nodes.filter(({ name }) => missing.includes(name)))
  const why = faults.map(({ name, fault }) => `${name}: ${fault.code}: ${fault.cause}`).join(' ')
  const what =
    missing.length > 0
      ? `${missing.length === 1 ? '1 node is' : `${missing.length} nodes are`} not in the signed map: ${missing.join(', ')}`
      : `${unconnected.length === 1 ? '1 member is' : `${unconnected.length} members are`} not connected: ${unconnected.join(', ')}`
  return new WeftError({
    code: 'E_DEVNET_TIMEOUT',
    cause: `After ${timeoutMs / 1_000} s the network is not whole: ${views.length === 0 ? 'no client answers' : what}.${why === '' ? '' : ` ${why}`}`,
    fix: faults[0]?.fault.fix ?? `See the logs below ${state.directory}, or give it more time with --timeout.`,
    retryable: true,
    details: { missing, unconnected },
  })
}
