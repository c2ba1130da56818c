/** Timers between two turns of the event loop: memory that only the loop frees is bounded, and a debugger or a test runner gets a word in. */
const TURN_EVERY = 4_096

/**
 * Lets every promise that can settle do so before the next timer of a `VirtualClock` fires. The queue of `nextTick` is
 * looked at again only when no microtask is left (nodejs.org, The Node.js Event Loop), so that one tick is a complete
 * drain, at half the price of a turn of the event loop. It is exact only for code that awaits nothing but promises and
 * the clock, as all of a simulation does: what waits for a file or a socket would not be waited for.
 */
export function promiseSettler(): () => Promise<void> {
  let timers = 0
  return () =>
    new Promise((resolve) => {
      if (++timers % TURN_EVERY === 0) setImmediate(resolve)
      else process.nextTick(resolve)
    })
}
