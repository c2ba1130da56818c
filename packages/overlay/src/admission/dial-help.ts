import { isIPv6 } from 'node:net'
import { type Clock, type Logger, type Random, messageOf, throwIfAborted } from '@weft/core'
import { type DidKey, type SigningKey, fromDidKey, shortId } from '@weft/crypto'
import { drawInTurn } from '../committee/draw-in-turn.ts'
import type { Member } from '../member.ts'
import { epochAt } from '../network/epoch.ts'
import type { Network } from '../network/network.ts'
import { networkPrefix } from '../network/network-prefix.ts'
import { parseNodeAddress } from '../network/node-address.ts'
import type { Rpc } from '../rpc.ts'
import { answerFault } from './answer-fault.ts'
import type { CertificateBody } from './certificate-body.ts'
import type { Application } from './application.ts'
import { decodeChallengeAnswer } from './challenge-answer.ts'
import { challengeNonce } from './challenge-nonce.ts'
import { DIALERS, dialersOf } from './dialers-of.ts'

export interface DialHelpInit {
  readonly network: Pick<Network, 'id' | 'file'>
  readonly validator: SigningKey
  /** Members of the newest map. */
  readonly members: () => readonly Member[]
  readonly rpc: Pick<Rpc, 'call'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/**
 * What members found at an address: the applicant; not the applicant, as at least two of them say and none says otherwise;
 * or too few of them answered to tell.
 */
export type DialVerdict = 'found' | 'not-found' | 'unknown'

/** Members asked about one address, at most: one at first, the others when that one did not find the applicant. */
const HELPERS = 3
/** Members that have to say that they did not find it: one may lie, or have no way there itself. */
const LEAST_DENIALS = 2
/** ms for a member to dial and to answer. */
const HELP_TIMEOUT_MS = 5_000

/**
 * Has members dial an applicant, from addresses that it does not know to be a validator's. A member cannot make an answer up,
 * as the applicant signs it; it can say that there was none, which counts only when another says so as well.
 */
export class DialHelp {
  readonly #init: DialHelpInit

  constructor(init: DialHelpInit) {
    this.#init = init
  }

  async look(
    application: Pick<Application, 'body' | 'nonce'>,
    address: string,
    signal: AbortSignal,
  ): Promise<DialVerdict> {
    const { network, clock } = this.#init
    const epoch = Math.max(0, epochAt(network.file, clock.now()))
    const [first, ...others] = this.#helpersFor(application.body, address, epoch)
    if (first === undefined) return 'unknown'
    const ask = (helper: DidKey): Promise<boolean | undefined> => this.#ask(helper, application, address, epoch, signal)
    const found = await ask(first)
    if (found === true) return 'found'
    const all = [found, ...(await Promise.all(others.map(ask)))]
    throwIfAborted(signal)
    if (all.includes(true)) return 'found'
    return all.filter((each) => each === false).length >= LEAST_DENIALS ? 'not-found' : 'unknown'
  }

  /**
   * Random members of those that dial the address for this validator now, that are no validators, of other families and networks
   * than the applicant and this validator, and that have the protocol of the address: one without IPv6 finds nobody there.
   */
  #helpersFor(applicant: CertificateBody, address: string, epoch: number): readonly DidKey[] {
    const { network, validator, members, random } = this.#init
    const known = members()
    const own = known.find(({ id }) => id === validator.id)
    const sides = [applicant, ...(own === undefined ? [] : [own])]
    const families = new Set(sides.map(({ family }) => family))
    const networks = new Set(sides.map(({ diversityAddress }) => networkPrefix(diversityAddress)))
    const host = parseNodeAddress(address)?.host ?? ''
    const isV6 = isIPv6(host)
    const errand = { network: network.id, epoch, validator: validator.publicKey, host }
    const isDrawn = dialersOf(errand, known.length, DIALERS)
    const isFit = (member: Member): boolean => {
      const { id, roles, family, diversityAddress } = member
      return (
        id !== applicant.id &&
        !roles.includes('validator') &&
        !families.has(family) &&
        !networks.has(networkPrefix(diversityAddress)) &&
        hostsOf(member).some((each) => isIPv6(each) === isV6) &&
        isDrawn(fromDidKey(id))
      )
    }
    // Looked at as they are drawn: most members fit, and there may be thousands.
    return [...drawInTurn(random, known).filter(isFit).take(HELPERS)].map(({ id }) => id)
  }

  /** Whether the member found the applicant; undefined when it did not say. */
  async #ask(
    helper: DidKey,
    { body: { key }, nonce: application }: Pick<Application, 'body' | 'nonce'>,
    address: string,
    epoch: number,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    const { validator, rpc, random, logger } = this.#init
    const nonce = challengeNonce(random, application)
    try {
      const request = { applicant: key, nonce, address, epoch: BigInt(epoch) }
      const { answer: envelope } = await rpc.call(helper, 'admission.dial', request, {
        signal,
        timeoutMs: HELP_TIMEOUT_MS,
      })
      if (envelope === undefined) return false
      const challenged = { nonce, validator: validator.publicKey, address, key }
      const fault = answerFault(envelope, decodeChallengeAnswer(envelope.payload), challenged)
      if (fault === undefined) return true
      logger.debug('a member brought no answer to a challenge', { helper: shortId(helper), fault })
    } catch (error) {
      if (!signal.aborted)
        logger.debug('a member did not dial an applicant', { helper: shortId(helper), error: messageOf(error) })
    }
    return undefined
  }
}

/** Where it listens; where it calls from when it is reached over relays only. */
function hostsOf({ addresses, diversityAddress }: Member): readonly string[] {
  const hosts = addresses.flatMap((address) => parseNodeAddress(address)?.host ?? [])
  return hosts.length === 0 ? [diversityAddress] : hosts
}
