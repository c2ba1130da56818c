import type { DidKey } from '@weft/crypto'
import type { ChoiceQuestion, HopChoice, HopStanding, LegChoice } from '../vpn.ts'
import { type Discard, discardWords } from './discard-reason.ts'
import type { Candidate, PositionRecord } from './position-record.ts'
import type { RouteMember } from './route-member.ts'

/** Members that are named of a hop at most. */
const MAX_NAMED = 100

interface Record {
  /** ms since the Unix epoch. */
  readonly at: number
  readonly positions: readonly PositionRecord[]
}

/** How legs were chosen, for as long as anybody has their hops. */
export class ChoiceRecords {
  readonly #records = new WeakMap<readonly RouteMember[], Record>()

  keep(hops: readonly RouteMember[], record: Record): void {
    this.#records.set(hops, record)
  }

  /** @param hops as they were handed out when they were chosen; undefined for others */
  describe(hops: readonly RouteMember[], question: ChoiceQuestion): Pick<LegChoice, 'chosenAt' | 'hops'> | undefined {
    const record = this.#records.get(hops)
    return record && { chosenAt: record.at, hops: record.positions.map((position) => hopChoice(position, question)) }
  }
}

function hopChoice(position: PositionRecord, { node: asked, named }: ChoiceQuestion): HopChoice {
  const { node, role, candidates, weight, share, bits, floorBits, reasons } = position
  const most = Math.max(0, Math.min(MAX_NAMED, named))
  const standing = (each: Candidate | Discard): HopStanding => standingOf(each.node, each, node)
  return {
    node,
    role,
    candidates,
    weight,
    share,
    bits,
    floorBits,
    discarded: reasons.counts.map(({ reason, count }) => ({ reason, words: discardWords(reason), count })),
    heaviest: position.best(most).map(standing),
    out: reasons.list(most).map(standing),
    asked: asked === undefined ? undefined : standingOf(asked, position.of(asked), node),
  }
}

function standingOf(node: DidKey, known: Candidate | Discard | undefined, chosen: DidKey): HopStanding {
  const nothing = { weight: undefined, share: undefined, reason: undefined, beside: undefined }
  if (known === undefined) return { node, standing: 'unlisted', ...nothing }
  if ('reason' in known) {
    const beside = known.beside === '' ? undefined : known.beside
    return { ...nothing, node, standing: 'out', reason: known.reason, beside }
  }
  const { weight, share } = known
  return { ...nothing, node, standing: node === chosen ? 'chosen' : 'candidate', weight, share }
}
