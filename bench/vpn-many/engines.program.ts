import { silentLogger, systemClock, systemRandom } from '@weft/core'
import type { RouteMember } from '../../packages/vpn/src/route/route-member.ts'
import type { EngineInit } from '../../packages/vpn/src/engine/engine-init.ts'
import { PacketEngine } from '../../packages/vpn/src/engine/packet-engine.ts'

// A process with packet engines, as the bench asks for them over its channel: one of a node, or those of many clients.

/** What the bench sends. */
export type EngineRequest =
  | { readonly kind: 'open'; readonly inits: readonly EngineInit[] }
  | { readonly kind: 'members'; readonly members: readonly RouteMember[] }
  | { readonly kind: 'up' }
  | { readonly kind: 'close' }

/** What it is answered, a message each, in that order. */
export type EngineAnswer =
  | { readonly kind: 'opened'; readonly ports: readonly number[] }
  | { readonly kind: 'known' }
  | { readonly kind: 'proxies'; readonly ports: readonly number[] }
  | { readonly kind: 'closed' }

const engines: PacketEngine[] = []

async function answer(request: EngineRequest): Promise<EngineAnswer> {
  switch (request.kind) {
    case 'open':
      for (const init of request.inits)
        engines.push(
          await PacketEngine.open(init, {
            clock: systemClock,
            random: systemRandom,
            logger: silentLogger,
            onRoute: () => {},
            onRouteEvent: () => {},
            onThroughput: () => {},
            onGuards: () => {},
          }),
        )
      return { kind: 'opened', ports: engines.map(({ endpoint }) => endpoint?.port ?? 0) }
    case 'members':
      for (const engine of engines) engine.setMembers(request.members)
      return { kind: 'known' }
    case 'up':
      await Promise.all(engines.map((engine) => engine.up()))
      return { kind: 'proxies', ports: engines.map((engine) => engine.status().proxy?.port ?? 0) }
    case 'close':
      await Promise.all(engines.splice(0).map((engine) => engine.close()))
      return { kind: 'closed' }
  }
}

process.on('message', (request: EngineRequest) => {
  void answer(request).then((said) => process.send?.(said))
})
process.on('disconnect', () => process.exit())
