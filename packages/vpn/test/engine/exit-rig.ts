import assert from 'node:assert/strict'
import { type Clock, WeftError, silentLogger, systemRandom } from '@weft/core'
import { DNS_STREAM, type ExitCircuit, MemoryBudget, Session, type SessionStream } from '@weft/onion'
import { ExitService } from '../../src/engine/exit-service.ts'
import { FlushQueue } from '../../src/engine/flush-queue.ts'
import type { PathSet } from '../../src/engine/path-set.ts'
import { type SealedSender, SessionDriver } from '../../src/engine/session-driver.ts'
import type { TakeStream, WriteEarly } from '../../src/engine/stream-opener.ts'
import { DnsAsker } from '../../src/exit/dns-asker.ts'
import { ExitPolicy, type ExitPolicyInit } from '../../src/exit/exit-policy.ts'
import { NameResolver } from '../../src/exit/name-resolver.ts'
import { SessionShares } from '../../src/exit/session-shares.ts'

const PAYLOAD = 1329

/** Lets sockets of this machine have their say. */
export async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!done()) {
    assert.ok(performance.now() < deadline, 'nothing came of it')
    await new Promise((again) => setImmediate(again))
  }
}

/** A client's session and an exit, with a circuit between them that hands packets over at once. */
export function exitRig(
  clock: Clock,
  options: {
    readonly allow?: readonly string[]
    readonly resolver?: Pick<NameResolver, 'resolve'>
    readonly nameServers?: readonly string[]
    readonly interfaces?: ExitPolicyInit['interfaces']
    /** It is no exit. */
    readonly isRelay?: boolean
    /** Another last hop than the one made here. */
    readonly exit?: ExitService
  } = {},
) {
  const queue = new FlushQueue(() => {})
  const memory = new MemoryBudget(12 << 20)
  const lookups = new SessionShares(512)
  const servers = options.nameServers ?? []
  const exit =
    options.exit ??
    new ExitService({
      internet:
        options.isRelay === true
          ? undefined
          : {
              policy: new ExitPolicy({
                clock,
                allow: options.allow ?? [],
                deny: [],
                own: [],
                ...(options.interfaces === undefined ? {} : { interfaces: options.interfaces }),
              }),
              asker: new DnsAsker({ clock, random: systemRandom, servers }),
              resolver: (options.resolver ?? new NameResolver({ clock, servers, lookups })) as NameResolver,
              lookups,
            },
      workers: 1,
      memory,
      queue,
      clock,
      random: systemRandom,
      logger: silentLogger,
    })
  const first = joined(exit, queue, clock)
  return {
    exit,
    /** Of the exit that is made here. */
    memory,
    ...first,
    queue,
    /** A further session. */
    join: () => joined(exit, queue, clock),
    close: (): void => {
      exit.close()
      first.driver.close()
    },
  }
}

/** A client's session with the exit. */
function joined(exit: ExitService, queue: FlushQueue, clock: Clock) {
  const carry =
    (take: (number: number, payload: Uint8Array) => void): SealedSender['seal'] =>
    (fill) => {
      const payload = new Uint8Array(PAYLOAD)
      take(fill(payload), payload)
      return true
    }
  const circuit: ExitCircuit = {
    payloadLength: PAYLOAD,
    seal: carry((number, payload) => {
      session.receive(number, payload)
      driver.wake()
    }),
    destroy: () => {},
  }
  const session = new Session({
    role: 'client',
    clock,
    random: systemRandom,
    payloadLength: PAYLOAD,
    onWritable: () => driver.wake(),
  })
  const driver = new SessionDriver(session, queue, clock)
  driver.carry(session.first, { seal: carry((number, payload) => circuit.onPacket?.(number, payload)) })
  assert.ok(exit.accept(circuit))
  return { session, driver }
}

/** Opens streams to the DNS of the rig's exit, and keeps them in `streams`. */
export function dnsOver(rig: ReturnType<typeof exitRig>, streams: SessionStream[] = []) {
  const paths = { wake: () => rig.driver.wake(), forget: () => {}, healthy: true } as unknown as PathSet
  return (take: TakeStream, writeEarly?: WriteEarly): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    const stream = rig.session.openStream(DNS_STREAM)
    streams.push(stream)
    stream.handler = {
      onOpened: () => {
        take(stream, paths)
        resolve(undefined)
      },
      onRefused: (code) => reject(new WeftError({ code: 'E_EXIT_FULL', cause: `refused ${code}`, fix: '' })),
    }
    writeEarly?.(stream)
    rig.driver.wake()
    return promise
  }
}
