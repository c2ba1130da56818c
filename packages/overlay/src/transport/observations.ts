import { addressGroup } from '../network/address-group.ts'

/** How one node that this node called saw it: the address and port from which the call came. */
export interface Observation {
  /** Multiaddr of the node that saw it. */
  readonly from: string
  /** An IP literal in its canonical spelling. */
  readonly host: string
  readonly port: number
  /** Whether the call was made from the port that all calls share (PunchPort). */
  readonly shared: boolean
}

/** Places from which this node was seen that are remembered; the oldest is forgotten first. */
const REMEMBERED = 32

/**
 * How others see this node. Each is believed as little as any other: of one address (an IPv6 /64) the last word counts,
 * and what most addresses say is taken.
 */
export class Observations {
  readonly #byGroup = new Map<string, Observation>()

  add(observation: Observation): void {
    const group = addressGroup(observation.from)
    this.#byGroup.delete(group)
    this.#byGroup.set(group, observation)
    const [oldest] = this.#byGroup.keys()
    if (this.#byGroup.size > REMEMBERED && oldest !== undefined) this.#byGroup.delete(oldest)
  }

  /** The IP address that most name. */
  host(): string | undefined {
    return mostNamed([...this.#byGroup.values()].map(({ host }) => host))
  }

  /**
   * The address and port that the shared port has for the outside. Undefined where nothing is known, or where a NAT
   * gives it another port towards each node (RFC 4787, section 4.1: not endpoint-independent), so that none can be foretold.
   */
  endpoint(): { readonly host: string; readonly port: number } | undefined {
    const host = this.host()
    const shared = [...this.#byGroup.values()].filter((each) => each.shared && each.host === host)
    const port = mostNamed(shared.map((each) => each.port))
    if (host === undefined || port === undefined) return undefined
    const agreed = shared.filter((each) => each.port === port).length
    return agreed * 2 > shared.length ? { host, port } : undefined
  }
}

/** What is named most often; of several the one named last. */
function mostNamed<T>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const most = Math.max(...counts.values())
  return values.findLast((value) => counts.get(value) === most)
}
