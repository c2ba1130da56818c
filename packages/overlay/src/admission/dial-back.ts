import { type Clock, type Fault, type Random, WeftError, toWeftError } from '@weft/core'
import type { DidKey, SigningKey } from '@weft/crypto'
import type { SignedEnvelope } from '@weft/wire'
import { type ChallengeAnswer, decodeChallengeAnswer } from './challenge-answer.ts'
import { challengeNonce } from './challenge-nonce.ts'
import { parseRelayedAddress } from '../network/relayed-address.ts'
import type { Probe } from '../transport/transport.ts'
import type { Prober } from './probe.ts'

/** What one declared address answered; the checks judge it. */
export interface DialResult {
  readonly address: string
  /** The nonce that was sent. */
  readonly nonce: Uint8Array
  /** Open when the address was reached. */
  readonly probe: Probe | undefined
  readonly envelope: SignedEnvelope | undefined
  /** Read from the envelope, not verified yet. */
  readonly answer: ChallengeAnswer | undefined
  /** The validator's clock when the answer came, ms since the Unix epoch. */
  readonly answeredAt: number
  readonly fault: Fault | undefined
}

export interface DialBackInit {
  readonly prober: Prober
  readonly validator: SigningKey
  readonly applicant: DidKey
  readonly addresses: readonly string[]
  /** The nonce of its application. */
  readonly application: Uint8Array
  readonly clock: Clock
  readonly random: Random
}

/** ms for one address to be reached and to answer; all are tried at once, within the time of the application. */
export const DIAL_BACK_TIMEOUT_MS = 6_000
/** The same for one over a relay: two connections have to be made, one after the other. */
const RELAYED_TIMEOUT_MS = 2 * DIAL_BACK_TIMEOUT_MS

/**
 * Dials every declared address of an applicant, each on a connection of its own, and puts the challenge to it. Done at
 * most once per application, when the first check asks: applications that fail a cheap check cause no dialling.
 */
export class DialBack implements AsyncDisposable {
  readonly #init: DialBackInit
  readonly #probes: Probe[] = []
  #results: Promise<readonly DialResult[]> | undefined

  constructor(init: DialBackInit) {
    this.#init = init
  }

  /** One result per declared address, in their order. Does not throw for what the applicant does. */
  results(signal: AbortSignal): Promise<readonly DialResult[]> {
    this.#results ??= Promise.all(this.#init.addresses.map((address) => this.#dial(address, signal)))
    return this.#results
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#results
    await Promise.all(this.#probes.map((probe) => probe[Symbol.asyncDispose]()))
  }

  async #dial(address: string, signal: AbortSignal): Promise<DialResult> {
    const { prober, validator, applicant, application, clock, random } = this.#init
    const nonce = challengeNonce(random, application)
    const limit = new AbortController()
    const timeoutMs = parseRelayedAddress(address) === undefined ? DIAL_BACK_TIMEOUT_MS : RELAYED_TIMEOUT_MS
    const cancel = clock.after(timeoutMs, () => limit.abort(tooSlow(address, timeoutMs)))
    const inTime = AbortSignal.any([signal, limit.signal])
    let probe: Probe | undefined
    try {
      probe = await prober.probe(address, applicant, inTime)
      this.#probes.push(probe)
      const request = { nonce, validator: validator.publicKey, address }
      const { answer: envelope } = await probe.rpc.call(applicant, 'admission.challenge', request, { signal: inTime })
      const answer = envelope === undefined ? undefined : decodeChallengeAnswer(envelope.payload)
      return { address, nonce, probe, envelope, answer, answeredAt: clock.now(), fault: undefined }
    } catch (error) {
      const fault = toWeftError(error, {
        code: 'E_NODE_UNREACHABLE',
        cause: `Nothing that answers was found at ${address}.`,
        fix: 'Open the port for the outside, or declare the address at which the node can be reached: network.announce in weft.toml.',
      })
      return { address, nonce, probe, envelope: undefined, answer: undefined, answeredAt: clock.now(), fault }
    } finally {
      cancel()
    }
  }
}

function tooSlow(address: string, timeoutMs: number): WeftError {
  return new WeftError({
    code: 'E_NODE_UNREACHABLE',
    cause: `Nothing answered at ${address} within ${timeoutMs} ms.`,
    fix: 'Open the port for the outside, or declare the address at which the node can be reached: network.announce in weft.toml.',
    retryable: true,
  })
}
