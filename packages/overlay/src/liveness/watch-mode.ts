/** How the neighbours are watched. */
export type WatchMode =
  /** All neighbours watch all: what one sees the others are told. */
  | 'mesh'
  /** Each neighbour has neighbours of its own. */
  | 'sparse'
  /** This node is no member: nobody observes with it. */
  | 'alone'
