import type { Bench } from '../lib/bench-result.ts'
import { hostileRows, pathRows } from './simulated-lookups.ts'

/** Lookups among members that lie and collude, in a network that is played. */
const bench: Bench = async () => ({
  name: 'overlay-lookup',
  rows: [...(await hostileRows()), ...(await pathRows())],
  notes: [
    '10,000 members with real entries, proofs and messages, the lookup and the answers as they ship, on a virtual clock from one seed; the caller holds no map and knows 16 members at random. Right is a lookup whose list is the 20 holders of the whole map, all of them and in order. A sample is 100 lookups (2,000 with `--long`), so that 1 % is one lookup; 500 without a miss bound the rate of misses at 0.6 % (95 %), and what is below follows from the formula (docs/specs/lookup.md, Why one is enough).',
    'Links take 25 to 75 ms one way, 50 on average; a first call to a node takes two more round trips for TCP and TLS. Time counts from nothing: the heads of maps are asked for first.',
    'Who names only its own knows all hostile members and proves the twenty nearest; "each in its own way": of those who lie a seventh each names only its own, leads on, names honest members far off, is silent, answers after 2.5 s, forges, or holds an old map. Places chosen: of four times as many keys as they have members the hostile keep those that fall nearest to the 40 targets of the lookups, so that they rightly hold more than half of the places there.',
    'Paths: as many nodes are known as there are paths, so that doubt cannot add any.',
  ],
})

export default bench
