/** How many entries of the system's connection tracking an exit's clients may hold. */
export interface FlowLimits {
  /** Of one client, over both versions of IP. */
  readonly perClient: number
  /** A power of two: client n is of group n mod `groups`. */
  readonly groups: number
  /** Of a group: `groups * perGroup` is what all hold together. */
  readonly perGroup: number
  /** Flows that a client begins, tracked or not, beyond which nothing is counted for it: so many a second, and at once. */
  readonly perSecond: number
  readonly atOnce: number
}

/** Of one client: a browser has a few hundred at most, a program for torrents with its questions for peers some 600. */
const MOST_OF_CLIENT = 1_024
/** Room of a group, where there is so much: two clients that want all that one may have. */
const GROUP_ROOM = 2 * MOST_OF_CLIENT
/** Each that begins has the kernel look at all entries of its client: with 1,024 some 0.4 ms, so that this is 2.6 % of a core. */
const PER_SECOND = 64
const FEWEST_GROUPS = 16
/** As many as there are addresses. */
const MOST_GROUPS = 1_024

/**
 * Half of the table is the machine's own, whose flows and those of TCP, UDP and names that it carries have to have room. The other half is
 * dealt to groups, whose lists are short: counting takes the kernel a look at each entry of a list, and one list of all would take it milliseconds.
 * Up to `groups` clients, who get addresses in turn, each have a group for themselves.
 * @param max nf_conntrack_max; 0 is no limit
 */
export function flowLimits(max: number): FlowLimits {
  const all = max === 0 ? MOST_GROUPS * GROUP_ROOM : Math.floor(max / 2)
  let groups = MOST_GROUPS
  while (groups > FEWEST_GROUPS && groups * GROUP_ROOM > all) groups /= 2
  const perGroup = Math.min(GROUP_ROOM, Math.max(1, Math.floor(all / groups)))
  const perClient = Math.min(MOST_OF_CLIENT, perGroup)
  return { perClient, groups, perGroup, perSecond: PER_SECOND, atOnce: 2 * perClient }
}
