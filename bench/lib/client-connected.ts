import { weft } from './bench-devnet.ts'

const ROUTE_MS = 60_000

/** Resolves when the client of the devnet has a route. */
export async function clientConnected(home: string): Promise<void> {
  const deadline = performance.now() + ROUTE_MS
  for (;;) {
    const { text } = await weft(['vpn', 'route', '--json'], home)
    if ((JSON.parse(text) as { state: string }).state === 'connected') return
    if (performance.now() > deadline) throw new Error(`the client has no route after ${ROUTE_MS / 1_000} s: ${text}`)
  }
}
