import type { Clock, Random } from '@weft/core'
import { DNS_STREAM, SessionCode, ipFromBytes, ipToBytes } from '@weft/onion'
import { extendedErrorOf, readAnswer } from '../dns/dns-answer.ts'
import { EDE, RCODE, TYPE } from '../dns/dns-codes.ts'
import { type DnsRecord, isSameQuestion, readName, readQuestion } from '../dns/dns-message.ts'
import { type DnsQuery, forwardedQuery, readQuery } from '../dns/dns-query.ts'
import { localAnswer } from '../dns/local-names.ts'
import { nameQuestion, reverseName } from '../dns/name-question.ts'
import { namesPrivateAddress } from '../dns/private-addresses.ts'
import type { ResolveRequest } from '../proxy/proxy-request.ts'
import { DnsLink } from './dns-link.ts'
import type { StreamOpener } from './stream-opener.ts'
import { targetFault } from './target-fault.ts'

export interface NameLookupsInit {
  readonly clock: Clock
  readonly random: Random
}

/** ms after the last question in which the stream to an exit's DNS stands: routes with a stream keep their place (IsolatedRoutes). */
const IDLE_MS = 1_000

/** Looks names up for programs, each over its own routes: those of different credentials share no stream here either. Nothing is kept. */
export class NameLookups {
  readonly #init: NameLookupsInit
  readonly #links = new WeakMap<Routes, DnsLink>()

  constructor(init: NameLookupsInit) {
    this.#init = init
  }

  /**
   * The address of a name, IPv4 before IPv6, or the name of an address, asked at the exit of these routes.
   *
   * @throws WeftError E_TARGET_NAME, E_TARGET_NAME_SERVER, E_TARGET_POLICY for an address that is not public, E_DNS_TIMEOUT, E_DNS_BUSY,
   *   and as `StreamOpener.open`
   */
  async resolve({ host, isReverse }: ResolveRequest, routes: Routes): Promise<string> {
    if (!isReverse && ipToBytes(host) !== undefined) return host
    const link = this.#linkOver(routes)
    if (isReverse) {
      const found = await ask(link, reverseName(host), TYPE.ptr, (bytes, { dataAt }) => readName(bytes, dataAt))
      return found ?? nowhere()
    }
    const address = (bytes: Uint8Array, { dataAt, end }: DnsRecord): string => ipFromBytes(bytes.subarray(dataAt, end))
    return (await ask(link, host, TYPE.a, address)) ?? (await ask(link, host, TYPE.aaaa, address)) ?? nowhere()
  }

  /** New streams of these routes go over another path set: so do questions. */
  moved(routes: Routes): void {
    this.#links.get(routes)?.moved()
  }

  #linkOver(routes: Routes): DnsLink {
    let link = this.#links.get(routes)
    if (link === undefined) {
      link = new DnsLink({
        ...this.#init,
        idleMs: IDLE_MS,
        open: (...request) => routes.open(DNS_STREAM, ...request),
      })
      this.#links.set(routes, link)
    }
    return link
  }
}

type Routes = Pick<StreamOpener, 'open'>

function nowhere(): never {
  throw targetFault(SessionCode.nameNotFound)
}

/** Undefined when the name is there and has no such record. @throws WeftError */
async function ask(
  link: DnsLink,
  name: string | undefined,
  type: number,
  read: (bytes: Uint8Array, record: DnsRecord) => string | undefined,
): Promise<string | undefined> {
  const question = name === undefined ? undefined : nameQuestion(name, type)
  const query = question === undefined ? undefined : readQuery(question)
  if (query === undefined || 'rcode' in query) return nowhere()
  const local = localAnswer(query)
  const bytes = local ?? (await link.ask((id) => forwardedQuery(query, id)))
  const answer = isAnswerTo(query, bytes) ? readAnswer(bytes) : undefined
  if (answer?.rcode === RCODE.nameError) return nowhere()
  if (answer?.rcode !== RCODE.noError) throw targetFault(SessionCode.nameServerFailed)
  const isPrivate = local === undefined && namesPrivateAddress(bytes, answer.records)
  if (isPrivate || extendedErrorOf(answer)?.code === EDE.blocked) throw targetFault(SessionCode.policy)
  for (const record of answer.records) {
    const found = record.section === 'answer' && record.type === type ? read(bytes, record) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function isAnswerTo({ question }: DnsQuery, bytes: Uint8Array): boolean {
  const told = readQuestion(bytes)
  return told !== undefined && isSameQuestion(told, question)
}
