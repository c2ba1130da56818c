import { test } from 'node:test'
import { skipWithout } from './lib/needs.ts'
import { watchFaults } from './lib/watch-faults.ts'

const BASE_PORT = 27_200

test(
  "a hundred faults of daemon, tunnel and network, and no packet that leaves but the daemon's",
  { skip: skipWithout('root', 'nat', 'tun', 'tcpdump') },
  (t) => watchFaults(t, BASE_PORT, 100, 1),
)
