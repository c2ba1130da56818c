import { type Refusal, integerOf, textOf, tupleOf } from '../codec/strict-values.ts'
import {
  CAPACITY_LIMITS,
  ENERGY_SOURCES,
  type EnergySupply,
  GRID,
  MAX_CARBON,
  MAX_GRID,
  MAX_HARDWARE,
  MAX_PROVIDER,
  RESOURCE_TEXT,
  type ResourceCapacity,
  type ResourceDescriptor,
  SITE_KINDS,
} from '../resources/resource-descriptor.ts'

/** The keys of the limits are those of a capacity, in the order of the list. */
const QUANTITIES = Object.keys(CAPACITY_LIMITS) as (keyof ResourceCapacity)[]

/** The field `resources` of a certificate body as it is encoded: null, or what the node says of its machine. */
export function resourcesField(resources: ResourceDescriptor | undefined): unknown {
  if (resources === undefined) return null
  const { site, provider, hardware, capacity, energy } = resources
  return [
    site,
    provider ?? null,
    hardware ?? null,
    capacity === undefined ? null : QUANTITIES.map((quantity) => capacity[quantity] ?? null),
    energy === undefined ? null : [energy.evidence, energy.grid ?? null, energy.source ?? null, energy.carbon ?? null],
  ]
}

/** @throws refusal */
export function resourcesOf(value: unknown, refuse: Refusal): ResourceDescriptor | undefined {
  if (value === null) return undefined
  const [site, provider, hardware, capacity, energy] = tupleOf(value, 'resources', 5, refuse)
  return {
    site: oneOf(site, 'resources.site', SITE_KINDS, refuse),
    ...present('provider', provider, (text) => textOf(text, 'resources.provider', RESOURCE_TEXT, MAX_PROVIDER, refuse)),
    ...present('hardware', hardware, (text) => textOf(text, 'resources.hardware', RESOURCE_TEXT, MAX_HARDWARE, refuse)),
    ...present('capacity', capacity, (list) => capacityOf(list, refuse)),
    ...present('energy', energy, (list) => energyOf(list, refuse)),
  }
}

function capacityOf(value: unknown, refuse: Refusal): ResourceCapacity {
  const list = tupleOf(value, 'resources.capacity', QUANTITIES.length, refuse)
  // One encoding for one meaning: nothing said of any quantity is null in place of the list.
  if (list.every((item) => item === null)) throw refuse('resources.capacity says nothing of any quantity')
  return Object.assign(
    {},
    ...QUANTITIES.map((quantity, at) =>
      present(quantity, list[at], (number) =>
        integerOf(number, `resources.capacity.${quantity}`, 0, CAPACITY_LIMITS[quantity], refuse),
      ),
    ),
  ) as ResourceCapacity
}

function energyOf(value: unknown, refuse: Refusal): EnergySupply {
  const [evidence, grid, source, carbon] = tupleOf(value, 'resources.energy', 4, refuse)
  if (evidence === 'attested')
    throw refuse("resources.energy is marked 'attested', and nobody attests in this version: 'declared' is taken")
  if (grid === null && source === null && carbon === null)
    throw refuse('resources.energy says neither grid, source nor carbon')
  return {
    evidence: oneOf(evidence, 'resources.energy.evidence', ['declared'], refuse),
    ...present('grid', grid, (text) => textOf(text, 'resources.energy.grid', GRID, MAX_GRID, refuse)),
    ...present('source', source, (text) => oneOf(text, 'resources.energy.source', ENERGY_SOURCES, refuse)),
    ...present('carbon', carbon, (number) => integerOf(number, 'resources.energy.carbon', 0, MAX_CARBON, refuse)),
  }
}

function present<K extends string, T>(key: K, value: unknown, read: (value: unknown) => T): Partial<Record<K, T>> {
  return value === null ? {} : ({ [key]: read(value) } as Record<K, T>)
}

/** @throws refusal */
function oneOf<const T extends string>(value: unknown, path: string, known: readonly T[], refuse: Refusal): T {
  const found = known.find((one) => one === value)
  if (found === undefined) throw refuse(`${path} must be one of ${known.join(', ')}`)
  return found
}
