import type { Endpoint, LinkPaths } from '@weft/onion'

/** The way to a place by UDP with each packet in two halves, for paths that do not take whole ones. */
export function inHalves({ address, port }: Endpoint): Endpoint {
  return { address, port, over: 'halves' }
}

/**
 * The ways of one link between members: whole packets, and halves beside them where those were not answered within a second. A link in
 * halves tries whole packets with each renewal of its keys.
 */
export function udpPaths(whole: Endpoint): LinkPaths {
  const halves = inHalves(whole)
  let isNarrow = false
  return {
    // Now and then halves alone: a whole initiation may get there whose answer does not get back.
    next: (tries) => (tries === 0 && !isNarrow ? [whole] : tries % 2 === 1 || tries === 0 ? [halves, whole] : [halves]),
    answered: (by) => {
      isNarrow = by === halves
    },
  }
}
