import type { GossipsubOpts } from '@libp2p/gossipsub'
import { TOPICS } from '@weft/wire'

type Scores = Required<Pick<GossipsubOpts, 'scoreParams' | 'scoreThresholds'>>
type TopicScores = NonNullable<NonNullable<Scores['scoreParams']['topics']>[string]>

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
/** Below it a counter is taken for zero. */
const DECAY_TO_ZERO = 0.01
/** The factor by which a counter of 1 fades to nothing within so many ms, applied every second. */
const fading = (ms: number): number => DECAY_TO_ZERO ** (SECOND_MS / ms)

/**
 * How the members of a topic's mesh are judged (gossipsub v1.1, peer scoring). Nothing is taken off for silence (P3): there
 * are minutes between messages of our topics, and a neighbour that has none has done no wrong. What counts against a peer
 * is what it cannot have passed on in good faith: a message that this node's validator of the topic rejects.
 */
const TOPIC: TopicScores = {
  topicWeight: 1,
  // P1: an hour in the mesh is worth 1.
  timeInMeshWeight: 1 / 3_600,
  timeInMeshQuantum: SECOND_MS,
  timeInMeshCap: 3_600,
  // P2: up to 4 for who brings news first.
  firstMessageDeliveriesWeight: 0.5,
  firstMessageDeliveriesDecay: fading(10 * MINUTE_MS),
  firstMessageDeliveriesCap: 8,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: fading(MINUTE_MS),
  meshMessageDeliveriesCap: 1,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: MINUTE_MS,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: fading(MINUTE_MS),
  // P4: by its square: one costs a place in the mesh, three the word, for up to an hour.
  invalidMessageDeliveriesWeight: -10,
  invalidMessageDeliveriesDecay: fading(HOUR_MS),
}

/** The scores of gossipsub for the topics of a network. */
export function gossipScores(networkId: string): Scores {
  return {
    scoreParams: {
      topics: Object.fromEntries(TOPICS.map((topic) => [`/weft/${networkId}/${topic}`, TOPIC])),
      topicScoreCap: 10,
      appSpecificWeight: 0,
      // P6, neighbours of one address, is left out: neighbours are members, of whom admission has looked at address and
      // family, and those behind one NAT, or reached over one relay, have one address by right.
      IPColocationFactorWeight: 0,
      IPColocationFactorThreshold: 1,
      IPColocationFactorWhitelist: new Set(),
      // P7: broken promises and grafts out of turn; a few happen under load.
      behaviourPenaltyWeight: -10,
      behaviourPenaltyThreshold: 6,
      behaviourPenaltyDecay: fading(10 * MINUTE_MS),
      decayInterval: SECOND_MS,
      decayToZero: DECAY_TO_ZERO,
      retainScore: HOUR_MS,
    },
    scoreThresholds: {
      gossipThreshold: -10,
      publishThreshold: -40,
      graylistThreshold: -80,
      // Addresses come from the signed map, never from a neighbour.
      acceptPXThreshold: 1_000,
      opportunisticGraftThreshold: 1,
    },
  }
}
