import { type Clock, WeftError, withTimeout } from '@weft/core'
import { isIPv4 } from 'node:net'
import { AddressLimiter } from '../admission/address-limiter.ts'
import { remoteHost } from '../network/remote-host.ts'
import type { Caller, RequestOf, ResponseInitOf } from '../rpc.ts'
import type { Transport } from '../transport/transport.ts'

export interface ReachResponderInit {
  readonly prober: Pick<Transport, 'probe'>
  readonly clock: Clock
}

/** Dials at once; each makes a host of its own for a moment. */
const AT_ONCE = 4
/** A node asks three others at its start and every ten minutes. */
const RATE = { burst: 8, refillMs: 15_000, addresses: 4_096 }
const DIAL_TIMEOUT_MS = 6_000

/**
 * Answers `peer.reach`: dials the caller back as a stranger, at the address from which it came and at no other, so that
 * nobody can have others dialled. Of a dial that failed no more is said than that the caller was not found there.
 */
export class ReachResponder {
  readonly #init: ReachResponderInit
  readonly #limiter: AddressLimiter
  #dialling = 0

  constructor(init: ReachResponderInit) {
    this.#init = init
    this.#limiter = new AddressLimiter(RATE, init.clock)
  }

  /** @throws WeftError E_REACH_REFUSED, E_REACH_BUSY */
  async answer(
    { port, websocket }: Pick<RequestOf<'peer.reach'>, 'port' | 'websocket'>,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<ResponseInitOf<'peer.reach'>> {
    const host = remoteHost(caller.address)
    if (host === undefined) throw refused('the caller came over a relay')
    if (port < 1 || port > 65_535) throw refused(`${port} is no TCP port`)
    if (this.#dialling >= AT_ONCE || !this.#limiter.take(caller.address)) throw busy()
    this.#dialling++
    try {
      const address = `/${isIPv4(host) ? 'ip4' : 'ip6'}/${host}/tcp/${port}${websocket ? '/ws' : ''}`
      return { reached: await this.#isFound(address, caller, signal), host }
    } finally {
      this.#dialling--
    }
  }

  async #isFound(address: string, { id }: Caller, signal: AbortSignal): Promise<boolean> {
    const { prober, clock } = this.#init
    try {
      const dial = (inner: AbortSignal): Promise<AsyncDisposable> => prober.probe(address, id, inner)
      await using _ = await withTimeout(clock, DIAL_TIMEOUT_MS, signal, () => refused('nobody answered'), dial)
      return true
    } catch {
      return false
    }
  }
}

function refused(why: string): WeftError {
  return new WeftError({
    code: 'E_REACH_REFUSED',
    cause: `The node does not dial back: ${why}.`,
    fix: 'Ask over a direct connection, for a TCP port (docs/specs/reach.md).',
  })
}

function busy(): WeftError {
  return new WeftError({
    code: 'E_REACH_BUSY',
    cause: 'The node dials others back already, or was asked too often from this address.',
    fix: 'Nothing to do: another node is asked, and this one again later.',
    retryable: true,
  })
}
