import type { Frame } from './frame.ts'
import type { MapPlace } from './project.ts'

/** Where the words of a place stand beside it. */
export type LabelSide = 'right' | 'left' | 'above' | 'below'

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

const SIDES: readonly LabelSide[] = ['right', 'left', 'above', 'below']
/** On the narrowest screen, of the width of the frame: half a sign, and a label. */
const SIGN = 0.025
const LABEL = { width: 0.13, height: 0.05 }

/**
 * Chooses for each label the side where it covers least of signs, labels and the world beyond the frame.
 * @param places all signs; the first `labels` of them have words
 */
export function labelSides(places: readonly MapPlace[], labels: number, frame: Frame): readonly LabelSide[] {
  const signs = places.map((place) => around(place, SIGN * frame.width))
  const taken: Box[] = []
  return places.slice(0, labels).map((place, at) => {
    const others = signs.filter((_, other) => other !== at)
    const costs = SIDES.map((side) => {
      const box = labelBox(place, side, frame)
      return [...others, ...taken].reduce((sum, other) => sum + shared(box, other), 0) + 3 * beyond(box, frame)
    })
    const side = SIDES[costs.indexOf(Math.min(...costs))] as LabelSide
    taken.push(labelBox(place, side, frame))
    return side
  })
}

function around({ x, y }: MapPlace, half: number): Box {
  return { left: x - half, right: x + half, top: y - half, bottom: y + half }
}

function labelBox({ x, y }: MapPlace, side: LabelSide, frame: Frame): Box {
  const width = LABEL.width * frame.width
  const height = LABEL.height * frame.width
  const sign = SIGN * frame.width
  if (side === 'right') return { left: x + sign, right: x + sign + width, top: y - height / 2, bottom: y + height / 2 }
  if (side === 'left') return { left: x - sign - width, right: x - sign, top: y - height / 2, bottom: y + height / 2 }
  const top = side === 'above' ? y - sign - height : y + sign
  return { left: x - width / 2, right: x + width / 2, top, bottom: top + height }
}

/** The area that two boxes have in common. */
function shared(one: Box, other: Box): number {
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left)
  const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)
  return across > 0 && down > 0 ? across * down : 0
}

function beyond(box: Box, { left, top, width, height }: Frame): number {
  const whole = (box.right - box.left) * (box.bottom - box.top)
  return whole - shared(box, { left, right: left + width, top, bottom: top + height })
}
