import { type Clock, type Random, toHex, wait } from '@weft/core'
import type { Link } from '@weft/onion'
import type { LossCount } from '@weft/overlay'

/** Pings of a measurement; each is a packet of the size of all others, and so is its answer. */
const PINGS = 400
/** Sent at once, and ms until the next: 400 a second, about 5 Mbit/s. */
const AT_ONCE = 4
const PACE_MS = 10
/** ms for the last answers. */
const LATE_MS = 1_000
const TOKEN_BYTES = 8

/**
 * Counts the pings over a link that nobody answers: lost on the way there, or on the way back. A token is random, so that
 * none can be answered that did not come.
 */
export async function measureLoss(
  link: Pick<Link, 'ping' | 'onPong'>,
  clock: Clock,
  random: Random,
): Promise<LossCount> {
  const open = new Set<string>()
  const before = link.onPong
  link.onPong = (token) => void open.delete(toHex(token))
  try {
    for (let sent = 0; sent < PINGS; sent += AT_ONCE) {
      for (let at = 0; at < AT_ONCE; at++) {
        const token = random.bytes(TOKEN_BYTES)
        open.add(toHex(token))
        link.ping(token)
      }
      await wait(clock, PACE_MS)
    }
    await wait(clock, LATE_MS)
    return { sent: PINGS, lost: open.size }
  } finally {
    link.onPong = before
  }
}
