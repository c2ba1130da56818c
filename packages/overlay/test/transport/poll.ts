/** One turn of a poll, ms. */
export function turn(ms = 10): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits until `read` gave the same number `turns` times in a row: whoever raises it stands still. */
export async function untilStill(read: () => number, turns: number): Promise<void> {
  let last = -1
  for (let idle = 0; idle < turns;) {
    await turn()
    const now = read()
    idle = now === last ? idle + 1 : 0
    last = now
  }
}
