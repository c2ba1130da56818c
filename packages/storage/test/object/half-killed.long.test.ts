import { test } from 'node:test'
import { killHalf } from './half-killed.ts'

test('half of 100 nodes killed at once: 1,000 objects of class vault are read, and made whole with others', (t) =>
  killHalf(t, 1_000))
