import { circuitReasonText } from '@weft/onion'
import type { RouteMember } from '../../packages/vpn/src/route/route-member.ts'
import type { CircuitClient } from '../../packages/vpn/test/engine/circuit-client.ts'

const TIMEOUT_MS = 5_000

/** ms. */
export interface BuildFigures {
  /** From the call that begins the circuit to its being ready. */
  readonly build: number
  /** To the exit and back, each. */
  readonly pings: readonly number[]
}

/** Builds a circuit, pings its exit, and ends it. */
export async function timeBuild(
  client: CircuitClient,
  route: readonly RouteMember[],
  pings: number,
): Promise<BuildFigures> {
  let ponged: (ms: number) => void = () => {}
  const { promise: ready, resolve, reject } = Promise.withResolvers<number>()
  let failed: (error: Error) => void = reject
  const begun = performance.now()
  const circuit = client.build(route, {
    timeoutMs: TIMEOUT_MS,
    onReady: () => resolve(performance.now() - begun),
    onPong: (hop, ms) => {
      if (hop === route.length - 1) ponged(ms)
    },
    onEnd: (reason, hop) => failed(new Error(`the circuit ended at hop ${hop}: ${circuitReasonText(reason)}`)),
  })
  const build = await ready
  const times: number[] = []
  for (let count = 0; count < pings; count++) {
    const pong = Promise.withResolvers<number>()
    ponged = pong.resolve
    failed = pong.reject
    circuit.ping(route.length - 1)
    client.turned()
    times.push(await pong.promise)
  }
  circuit.destroy()
  client.turned()
  return { build, pings: times }
}
