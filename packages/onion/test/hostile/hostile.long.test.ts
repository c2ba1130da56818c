import { testHostile } from './hostile-properties.ts'

// A million in all, the goal of the design.
for (let seed = 2; seed < 12; seed++) testHostile(100_000, seed)
