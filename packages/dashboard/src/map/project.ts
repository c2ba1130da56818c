/** A place on the globe, degrees. */
export interface GlobePlace {
  readonly latitude: number
  readonly longitude: number
}

/** A place on the flat map, in its units: a degree of longitude each, x to the east and y to the south. */
export interface MapPlace {
  readonly x: number
  readonly y: number
}

/** The part of the flat map that is drawn: all longitudes, without most of what has no people. */
export const WORLD = { left: -180, top: -102, width: 360, height: 167 } as const

const RADIANS = Math.PI / 180

/** Miller's cylindrical projection (J. P. Snyder, Map Projections: A Working Manual, USGS 1395, section 11): parallels stay level, and the poles do not run away. */
export function project({ latitude, longitude }: GlobePlace): MapPlace {
  const y = 1.25 * Math.log(Math.tan(Math.PI / 4 + 0.4 * latitude * RADIANS))
  return { x: longitude, y: -y / RADIANS }
}
