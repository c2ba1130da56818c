import { type Logger, isWeftError, messageOf } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { MapNews, SignedMap } from '@weft/wire'
import type { TopicMessage, Verdict } from '../transport/pub-sub.ts'
import type { HeardMaps } from './heard-maps.ts'
import type { MapFollower } from './map-follower.ts'
import type { EntryChanges } from './map-history.ts'
import { areKnownChanges, changesOfNews, decodeMapNews } from './map-news.ts'
import type { SignedMembership } from './signed-membership.ts'

export interface NewsJudge {
  readonly membership: Pick<SignedMembership, 'verify' | 'changes'>
  readonly follower: Pick<MapFollower, 'offerChanges'>
  readonly heard: Pick<HeardMaps, 'isFirst'>
  /** Whether it is a map that this node held before it was told of it. */
  readonly isHeld: (map: SignedMap) => boolean
  /** Whether not one of the validators that are known is among its signers. */
  readonly isOfOthers: (map: SignedMap) => boolean
  /** Gets the entries of a map that is believed, whose changes were of no use, in its own time. */
  readonly fetch: (map: SignedMap, from: DidKey) => void
  readonly logger: Logger
}

/**
 * What gossip passes on: only maps that this node believes, and changes that it cannot see to be wrong. Those that it
 * can check it adopts on the way. Wrong ones are no reason to punish the neighbour, which may hold another map than they
 * start from; those that are of no form at all are, as every node looks at that before it passes them on. Of each map one
 * message with changes and one without them goes on.
 */
export async function judgeMapNews(
  { membership, follower, heard, isHeld, isOfOthers, fetch, logger }: NewsJudge,
  { data, from }: TopicMessage,
  signal: AbortSignal,
): Promise<Verdict> {
  let news: MapNews | undefined
  let changes: EntryChanges | undefined
  try {
    news = decodeMapNews(data)
    if (news.map === undefined) return 'reject'
    const held = isHeld(news.map)
    if (!held) membership.verify(news.map)
    changes = changesOfNews(news)
    if (changes === undefined) return firstOf(heard, news.map, false)
    if (held)
      return areKnownChanges(membership, news.from, changes, news.map) ? firstOf(heard, news.map, true) : 'ignore'
  } catch (error) {
    // Old maps come by honest delay, future ones by a clock that may be our own.
    if (isWeftError(error, 'E_MAP_OLD') || isWeftError(error, 'E_MAP_FUTURE')) return 'ignore'
    // Those of a term that one of the two has not heard of yet.
    if (isWeftError(error, 'E_MAP_QUORUM') && news?.map !== undefined && isOfOthers(news.map)) return 'ignore'
    return 'reject'
  }
  try {
    await follower.offerChanges(news.map, news.from, changes, signal)
    return firstOf(heard, news.map, true)
  } catch (error) {
    // A newer one, or the same, came by another way meanwhile.
    if (isWeftError(error, 'E_MAP_OLD') || signal.aborted) return 'ignore'
    logger.debug('the changes of a map are of no use', { from: shortId(from), cause: messageOf(error) })
    fetch(news.map, from)
    return 'ignore'
  }
}

function firstOf(heard: NewsJudge['heard'], map: SignedMap, hasChanges: boolean): Verdict {
  return heard.isFirst(map, hasChanges) ? 'accept' : 'ignore'
}
