import { type Refusal, bytesOf, integerOf, textOf, tupleOf } from '../codec/strict-values.ts'
import { type Attested, attestedEnergy } from '../resources/attestation.ts'
import { figureFields, figuresOf } from '../resources/energy-figures.ts'
import { oneOf, present } from '../resources/optional-fields.ts'
import {
  CAPACITY_LIMITS,
  type EnergySupply,
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
    energy === undefined ? null : energyField(energy),
  ]
}

/** @param holder in whose certificate it stands @throws refusal */
export function resourcesOf(value: unknown, holder: Attested, refuse: Refusal): ResourceDescriptor | undefined {
  if (value === null) return undefined
  const [site, provider, hardware, capacity, energy] = tupleOf(value, 'resources', 5, refuse)
  return {
    site: oneOf(site, 'resources.site', SITE_KINDS, refuse),
    ...present('provider', provider, (text) => textOf(text, 'resources.provider', RESOURCE_TEXT, MAX_PROVIDER, refuse)),
    ...present('hardware', hardware, (text) => textOf(text, 'resources.hardware', RESOURCE_TEXT, MAX_HARDWARE, refuse)),
    ...present('capacity', capacity, (list) => capacityOf(list, refuse)),
    ...present('energy', energy, (list) => energyOf(list, holder, refuse)),
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

function energyOf(value: unknown, holder: Attested, refuse: Refusal): EnergySupply {
  const [evidence, ...rest] = tupleOf(value, 'resources.energy', 4, refuse)
  if (oneOf(evidence, 'resources.energy.evidence', ['declared', 'attested'], refuse) === 'declared') {
    const [grid, source, carbon] = rest
    return { evidence: 'declared', ...figuresOf(grid, source, carbon, 'resources.energy', refuse) }
  }
  const [payload, signer, signature] = rest
  const path = 'resources.energy.attestation'
  if (!(payload instanceof Uint8Array)) throw refuse(`${path} must be bytes`)
  const statement = {
    payload,
    signer: bytesOf(signer, `${path}.signer`, 32, refuse),
    signature: bytesOf(signature, `${path}.signature`, 64, refuse),
  }
  return attestedEnergy(statement, holder, path, refuse)
}

function energyField(energy: EnergySupply): unknown {
  if (energy.evidence === 'declared') return ['declared', ...figureFields(energy)]
  const { payload, signer, signature } = energy.statement
  return ['attested', payload, signer, signature]
}
