import { type Clock, systemClock } from '@weft/core'

/**
 * The system clock whose timers keep the process alive: for waits that are what a command is there for. Those of
 * `systemClock` do not, and a command that only waits would end instead.
 */
export const referencedClock: Clock = {
  ...systemClock,
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
}
