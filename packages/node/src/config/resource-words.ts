import type { EnergySource, SiteKind } from '@weft/overlay'

/** The words of a resource descriptor, here once more so that the CLI does not load the overlay to explain a setting. */
export const SITES = ['home', 'office', 'datacentre', 'edge', 'mobile'] as const satisfies readonly SiteKind[]
export const SOURCES = [
  'mix',
  'solar',
  'wind',
  'hydro',
  'geothermal',
  'nuclear',
  'biomass',
  'gas',
  'oil',
  'coal',
] as const satisfies readonly EnergySource[]
