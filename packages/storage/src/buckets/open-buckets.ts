import type { Clock, Logger, Random, Scope } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { Bodies, type BodiesParts } from './bodies.ts'
import type { Buckets } from './buckets.ts'
import { Catalog, type CatalogOptions } from './catalog.ts'
import { NamedObjects } from './named-objects.ts'

export interface BucketsOptions
  extends Pick<BodiesParts, 'storage' | 'longestTtl'>, Pick<CatalogOptions, 'beforeWrite'> {
  /** The state directory of storage. */
  readonly directory: string
  readonly personKey: SigningKey
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly scope: Scope
}

/** The named objects of a person over `Storage`; they close with the scope. @throws WeftError E_CATALOG */
export async function openBuckets(options: BucketsOptions): Promise<Buckets> {
  const { storage, longestTtl, clock, random, logger } = options
  const scope = options.scope.child('buckets')
  try {
    const catalog = scope.use('catalog', await Catalog.open(options))
    const bodies = new Bodies({ storage, catalog, longestTtl, clock, random, logger, signal: scope.signal })
    scope.defer('what no bucket names', () => bodies.settled())
    return new NamedObjects({ catalog, bodies, clock, random })
  } catch (error) {
    await scope.close()
    throw error
  }
}
