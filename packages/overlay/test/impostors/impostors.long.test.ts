import { testImpostors } from './impostors-properties.ts'

for (let seed = 2; seed < 12; seed++) testImpostors(100_000, seed)
