import type { Clock, Logger, Random, Scope } from '@weft/core'
import type { SigningKey } from '@weft/crypto'
import { Bodies, type BodiesParts, RESTORED_NAME } from './bodies.ts'
import { Catalog, type CatalogOptions } from './catalog.ts'
import type { BodyPart, OwnObject } from './catalog-records.ts'
import { CatalogLog, type CatalogLogParts } from './catalog-log.ts'
import { LogKeys, type Operation } from './log-entry.ts'
import { NamedObjects, type OwnBuckets } from './named-objects.ts'

type BodiesOptions = Pick<BodiesParts, 'storage' | 'longestTtl' | 'ownOf'>

export interface BucketsOptions
  extends BodiesOptions, Pick<CatalogOptions, 'beforeWrite'>, Pick<CatalogLogParts, 'records'> {
  /** Makes an object that another machine of this person put this machine's own. */
  readonly adopt: (body: BodyPart & { readonly own: OwnObject }, name: string) => void
  /** The state directory of storage. */
  readonly directory: string
  readonly personKey: SigningKey
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly scope: Scope
}

/** The named objects of a person over `Storage`; they close with the scope. @throws WeftError E_CATALOG */
export async function openBuckets(options: BucketsOptions): Promise<OwnBuckets> {
  const { storage, longestTtl, ownOf, records, clock, random, logger, personKey } = options
  const scope = options.scope.child('buckets')
  try {
    const catalog = scope.use('catalog', await Catalog.open(options))
    const bodies = new Bodies({ storage, catalog, longestTtl, ownOf, clock, random, logger, signal: scope.signal })
    scope.defer('what no bucket names', () => bodies.settled())
    catalog.sweepUploads(clock.now())
    const keys = scope.use('keys of the log', new LogKeys(personKey))
    const adopt = (operation: Operation): void => {
      for (const body of operation.flatMap(bodiesOf)) {
        if (body.own !== undefined) options.adopt({ ...body, own: body.own }, RESTORED_NAME)
      }
    }
    const { signal } = scope
    // Records live as long as an object may: both are the word of this node, in the map or not.
    const log = new CatalogLog({ catalog, keys, records, adopt, lifetime: longestTtl, clock, random, logger, signal })
    scope.defer('the log of the catalog', () => log.settled())
    return new NamedObjects({ catalog, bodies, log, clock, random })
  } catch (error) {
    await scope.close()
    throw error
  }
}

function bodiesOf(change: Operation[number]): readonly BodyPart[] {
  if (change.type === 'version') return change.body
  return change.type === 'part' ? [change.part.body] : []
}
