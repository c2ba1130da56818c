import { testHostile } from './hostile-properties.ts'

testHostile(60_000, 1)
