import type { RouteMember } from '../../packages/vpn/src/route/route-member.ts'
import { CircuitClient } from '../../packages/vpn/test/engine/circuit-client.ts'
import { type EchoTarget, byteRoundTrips, datagramRoundTrips } from './round-trips.ts'
import { type BuildFigures, timeBuild } from './time-build.ts'

// A process where the client is: it builds circuits, and is a program that uses the client's proxy, or none.

/** What the bench sends. */
export type CallerRequest =
  | {
      readonly kind: 'build'
      readonly networkId: string
      readonly host: string
      readonly route: readonly RouteMember[]
      readonly pings: number
    }
  | { readonly kind: 'echo'; readonly target: EchoTarget; readonly count: number }

/** What it is answered. */
export type CallerAnswer =
  | { readonly kind: 'built'; readonly cold: BuildFigures; readonly warm: BuildFigures }
  | { readonly kind: 'echoed'; readonly bytes: readonly number[]; readonly datagrams: readonly number[] }

async function answer(request: CallerRequest): Promise<CallerAnswer> {
  if (request.kind === 'echo') {
    const { target, count } = request
    const bytes = await byteRoundTrips(target, count)
    return { kind: 'echoed', bytes, datagrams: await datagramRoundTrips(target, count) }
  }
  const { networkId, host, route, pings } = request
  using client = await CircuitClient.open(networkId, host)
  const cold = await timeBuild(client, route, pings)
  return { kind: 'built', cold, warm: await timeBuild(client, route, pings) }
}

process.on('message', (request: CallerRequest) => {
  void answer(request).then((said) => process.send?.(said))
})
process.on('disconnect', () => process.exit())
