import { VirtualClock, seededRandom } from '@weft/core'
import type { DidKey } from '@weft/crypto'
import {
  CircuitReason,
  type CircuitLink,
  type ClientCircuit,
  type ClientCircuitOptions,
  ClientCircuits,
  Session,
  Suite,
} from '@weft/onion'
import { ClientRoutes } from '../../src/engine/client-routes.ts'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import type { RouteMember } from '../../src/route/route-member.ts'
import { makeMember } from '../route/make-member.ts'
import { testChoice } from '../route/test-choice.ts'

const PAYLOAD = 1329

export interface NetworkOptions {
  /** Exits that close each session with `code` as soon as they hear of it. */
  readonly hostile?: readonly number[]
  readonly code?: number
  readonly spares?: number
  readonly rotationMs?: number
}

/**
 * A client's routes over circuits that are ready after 10 ms, unless the entry's onion key is none.
 */
export function network(
  seed: number,
  exits: number,
  { hostile = [], code = 0, spares = 0, rotationMs }: NetworkOptions = {},
) {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const members = [makeMember(1, ['entry']), makeMember(2, ['relay'])]
  for (let index = 0; index < exits; index++) members.push(makeMember(10 + index, ['exit']))
  const built: number[] = []
  /** Entries of all circuits that were asked for, those that could not be begun included. */
  const entries: (Uint8Array | undefined)[] = []
  /** Exits that answer pings; and that take streams. */
  const answering = new Set<number>()
  const serving = new Set<number>()
  /** ms that each link of a route to an exit takes, there and back. */
  const pongMs = new Map<number, number>()
  /** What exits answer instead of taking a stream, by exit; and how often each was asked. */
  const refusals = new Map<number, number>()
  const asked: number[] = []
  /** Onion keys under which entries take no handshake. */
  const refusing = new Set<Uint8Array>()
  const unreachable = new Set<DidKey>()
  const unlikely = new Set<DidKey>()
  /** Exits that never answer while a circuit is built; and whether the entry does. */
  const lost = new Set<number>()
  const way = { answers: true }
  const wish = { isNearest: false }
  /** Circuits that were built and not ended. */
  const standing = new Set<object>()
  /** Called when new streams go over another path set than before. */
  const onMoved: (() => void)[] = []
  // The handshake with an entry begins as it does in earnest; what comes of it is told below.
  const begun = new ClientCircuits({ networkId: 'test', clock, random: seededRandom(seed) })
  const circuits = {
    build: (options: ClientCircuitOptions): ClientCircuit => {
      entries.push(options.hops[0]?.id)
      const real = begun.build(options)
      if (real.state === 'closed') return real
      real.destroy()
      const exit = members.findIndex(({ key }) => key === options.hops.at(-1)?.id) - 2
      built.push(exit)
      const session = new Session({
        role: 'exit',
        clock,
        random,
        payloadLength: PAYLOAD,
        onStream: (stream) => {
          asked.push(exit)
          const refusal = refusals.get(exit)
          if (refusal !== undefined) return stream.refuse(refusal)
          // To a question for a name it is an answer: it has the same id.
          stream.handler = { onData: (chunk) => void stream.write(chunk.slice()) }
          stream.accept('192.0.2.1')
        },
      })
      let over = false
      const talk = (): void => {
        session.endBatch()
        while (session.next() !== undefined) {
          if (over) return
          const payload = new Uint8Array(PAYLOAD)
          options.onPacket?.(session.fill(payload), payload)
        }
      }
      clock.after(10, () => {
        if (over) return
        const [entry] = options.hops
        if (!way.answers || lost.has(exit)) {
          options.onEnd?.(CircuitReason.nextHopNotReached, way.answers ? 2 : 0)
          return
        }
        if (entry !== undefined && refusing.has(entry.onionKey)) {
          options.onEnd?.(CircuitReason.handshakeRefused, 0)
          return
        }
        options.onReady?.()
        if (!hostile.includes(exit)) return
        session.close(code, '')
        talk()
      })
      const circuit = {
        payloadLength: PAYLOAD,
        rttMs: [],
        suites: way.answers ? [Suite.aes256Gcm] : [],
        cells: 0,
        count: () => {},
        ping: (hop: number) => {
          clock.after(5, () => {
            if (!over && answering.has(exit)) options.onPong?.(hop, (hop + 1) * (pongMs.get(exit) ?? 5))
          })
        },
        seal: (fill: (payload: Uint8Array) => number) => {
          const payload = new Uint8Array(PAYLOAD)
          const packetNumber = fill(payload)
          if (!serving.has(exit)) return true
          session.receive(packetNumber, payload)
          clock.after(5, talk)
          return true
        },
        destroy: () => {
          over = true
          standing.delete(circuit)
        },
      } as unknown as ClientCircuit
      standing.add(circuit)
      return circuit
    },
  } as unknown as ClientCircuits
  const choice = testChoice({ clock, random, unlikely: () => unlikely })
  const routes = new ClientRoutes({
    circuits,
    queue: new FlushQueue(() => {}),
    clock,
    random,
    choice,
    unreachable: new Set(),
    linkTo: () =>
      ({
        newCircuitId: () => built.length + 1,
        sendMessage: () => true,
        sendCell: () => true,
      }) as unknown as CircuitLink,
    way: () => ({ setting: 'udp', byBridges: false, bridgeFault: undefined }),
    ...(rotationMs === undefined ? {} : { rotationMs: () => rotationMs }),
    isNearest: () => wish.isNearest,
    spares,
    onChange: () => {},
    onMoved: () => {
      for (const told of onMoved) told()
    },
  })
  const keep = routes.keep.bind(routes)
  routes.keep = () => {
    choice.setMembers(members)
    keep()
  }
  return {
    clock,
    routes,
    choice,
    built,
    entries,
    members,
    answering,
    serving,
    pongMs,
    refusing,
    unreachable,
    unlikely,
    refusals,
    asked,
    lost,
    way,
    onMoved,
    wish,
    standing,
  }
}

export type Network = ReturnType<typeof network>

/** The number of the exit that each leg leads to, and how the leg stands. */
export const legsOf = (routes: ClientRoutes, members: readonly RouteMember[]): [number, string][] =>
  routes.legs().map(({ hops, state }) => [members.findIndex(({ id }) => id === hops[2]?.node) - 2, state])

/** Lets a request and its answer go their ways, over two exits as well. */
export async function answered({ clock }: Pick<Network, 'clock'>): Promise<void> {
  for (let part = 0; part < 20; part++) await clock.advance(10)
}
