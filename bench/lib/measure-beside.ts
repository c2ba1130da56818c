import type { MeasureOptions } from './measure.ts'
import { type Summary, summarise } from './summarise.ts'

/**
 * Measures ours and a peer's in alternation, so that whatever else the machine does meets both alike. The first
 * to run changes from one round to the next.
 */
export async function measureBeside(
  ours: () => number | Promise<number>,
  peers: () => number | Promise<number>,
  { samples = 5, warmup = 1 }: MeasureOptions = {},
): Promise<{ ours: Summary; peer: Summary }> {
  const figures: { ours: number[]; peer: number[] } = { ours: [], peer: [] }
  for (let round = -warmup; round < samples; round++) {
    const oursFirst = round % 2 === 0
    const first = await (oursFirst ? ours() : peers())
    const second = await (oursFirst ? peers() : ours())
    if (round < 0) continue
    figures.ours.push(oursFirst ? first : second)
    figures.peer.push(oursFirst ? second : first)
  }
  return { ours: summarise(figures.ours), peer: summarise(figures.peer) }
}
