import { MessageChannel } from 'node:worker_threads'
import type { Duplex } from 'node:stream'
import { WeftError, abortError, orAborted } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import type { PacketThreads } from './packet-threads.ts'
import { PortDuplex } from './port-duplex.ts'

/** Routes to services of members, shared with nothing else of this node, until they are closed. */
export interface ServiceWays {
  /** Resolves when there is a route. @throws WeftError E_NO_ENTRY, E_NO_RELAY, E_ROUTE_TIMEOUT, E_ROUTE_LIMIT, E_PACKETS_FAILED, E_ABORTED */
  ready(signal: AbortSignal): Promise<void>
  /**
   * A stream to a service of a member, by its name in docs/specs/session.md.
   * @throws WeftError as `ready`, E_MEMBER_UNKNOWN, E_MEMBER_NO_CIRCUITS, E_SERVICE_NOT_OFFERED, E_EXIT_FULL, E_TARGET_…
   */
  connect(member: DidKey, name: string, signal: AbortSignal): Promise<Duplex>
  close(): void
}

let lastRoutes = 0

/** @param open the packet threads, started where they do not run */
export function serviceWays(open: () => Promise<PacketThreads>): ServiceWays {
  const routes = ++lastRoutes
  let used: PacketThreads | undefined
  let isClosed = false
  const thread = async (signal: AbortSignal): Promise<PacketThreads> => {
    const current = await orAborted(open(), signal)
    if (isClosed) throw closed()
    used = current
    return current
  }
  return {
    async ready(signal) {
      await orAborted((await thread(signal)).routesReady(routes), signal)
    },
    async connect(member, name, signal) {
      const { port1, port2 } = new MessageChannel()
      const asked = (await thread(signal)).openService({ routes, member, name, port: port2 })
      const giveUp = (): void => port1.close()
      signal.addEventListener('abort', giveUp, { once: true })
      if (signal.aborted) giveUp()
      try {
        await asked
      } catch (error) {
        port1.close()
        throw signal.aborted ? abortError(signal) : error
      } finally {
        signal.removeEventListener('abort', giveUp)
      }
      return new PortDuplex(port1)
    },
    close() {
      isClosed = true
      used?.endRoutes(routes)
    },
  }
}

function closed(): WeftError {
  return new WeftError({
    code: 'E_ABORTED',
    cause: 'The routes were closed.',
    fix: 'Nothing to do: the transfer that they were for is over.',
  })
}
