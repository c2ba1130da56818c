import { test } from 'node:test'
import { skipWithout } from './lib/needs.ts'
import { watchFaults } from './lib/watch-faults.ts'

const BASE_PORT = 27_400

test(
  "a thousand faults of daemon, tunnel and network, and no packet that leaves but the daemon's",
  { skip: skipWithout('root', 'nat', 'tun', 'tcpdump') },
  (t) => watchFaults(t, BASE_PORT, 1_000, Number(process.env['WEFT_SEED'] ?? 57)),
)
