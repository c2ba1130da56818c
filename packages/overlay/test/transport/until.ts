import { once } from 'node:events'

/** Waits until `check` holds, asking again and again; fails after `ms`. */
export async function until(check: () => boolean | Promise<boolean>, what: string, ms = 10_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Waits until `read` gave the same number `times` times in a row: whoever raises it stands still. */
export async function untilStill(read: () => number, times: number): Promise<void> {
  let last = -1
  let same = 0
  await until(
    () => {
      const now = read()
      same = now === last ? same + 1 : 0
      last = now
      return same >= times
    },
    'it stands still',
    60_000,
  )
}

/** The first line that a child process prints. */
export async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  while (!text.includes('\n')) {
    const [chunk] = (await once(stream, 'data')) as [Buffer]
    text += chunk.toString()
  }
  return text.slice(0, text.indexOf('\n'))
}
