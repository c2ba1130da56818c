import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

/**
 * The first connection that comes about. The signal of its dial is never fired, not even when the time is over: a socket
 * of Node goes with the signal that it was opened with.
 */
export async function dialFirst(
  addresses: readonly Multiaddr[],
  signal: AbortSignal,
  dial: (address: Multiaddr, signal: AbortSignal) => Promise<Connection>,
): Promise<Connection> {
  const dials = addresses.map((address) => ({ address, over: new AbortController() }))
  const endAll = (): void => dials.forEach(({ over }) => over.abort())
  signal.addEventListener('abort', endAll, { once: true })
  const run = async (own: (typeof dials)[number]): Promise<Connection> => {
    const connection = await dial(own.address, own.over.signal)
    signal.removeEventListener('abort', endAll)
    for (const each of dials) if (each !== own) each.over.abort()
    return connection
  }
  try {
    return await Promise.any(dials.map(run))
  } finally {
    signal.removeEventListener('abort', endAll)
  }
}
