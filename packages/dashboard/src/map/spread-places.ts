import type { Frame } from './frame.ts'
import type { MapPlace } from './project.ts'

const ROUNDS = 60
/** Radians: no two of those that stand at one place are pushed the same way. */
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5))

/**
 * Pushes places apart until any two are `least` from each other, or as far as the frame has room; the first stays
 * where it is. The same places always end up the same way.
 */
export function spreadPlaces(places: readonly MapPlace[], least: number, frame: Frame): readonly MapPlace[] {
  const moved: MapPlace[] = [...places]
  for (let round = 0; round < ROUNDS; round++) {
    let isStill = true
    for (let one = 0; one < moved.length; one++) {
      for (let other = one + 1; other < moved.length; other++) {
        const push = pushOf(moved[one] as MapPlace, moved[other] as MapPlace, least, other)
        if (push === undefined) continue
        isStill = false
        if (one > 0) moved[one] = kept(moved[one] as MapPlace, push, -1, least, frame)
        moved[other] = kept(moved[other] as MapPlace, push, one > 0 ? 1 : 2, least, frame)
      }
    }
    if (isStill) break
  }
  return moved
}

/** Half of what two places lack, from the one to the other; undefined where they lack nothing. */
function pushOf(one: MapPlace, other: MapPlace, least: number, at: number): MapPlace | undefined {
  const x = other.x - one.x
  const y = other.y - one.y
  const distance = Math.hypot(x, y)
  if (distance >= least * 0.99) return undefined
  const half = (least - distance) / 2
  if (distance > 0.01) return { x: (x / distance) * half, y: (y / distance) * half }
  return { x: Math.cos(at * GOLDEN_ANGLE) * half, y: Math.sin(at * GOLDEN_ANGLE) * half }
}

function kept({ x, y }: MapPlace, push: MapPlace, times: number, edge: number, frame: Frame): MapPlace {
  const { left, top, width, height } = frame
  return {
    x: Math.max(left + edge / 2, Math.min(left + width - edge / 2, x + push.x * times)),
    y: Math.max(top + edge / 2, Math.min(top + height - edge / 2, y + push.y * times)),
  }
}
