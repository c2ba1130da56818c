import type { ReactNode } from 'react'
import type { Resource } from '../api/use-resource.ts'
import { FaultNote } from './fault-note.tsx'
import { formatTime } from './format.ts'

/** The loading, error and stale states around whatever a page shows, and the "as of" of its numbers. */
export function ResourceView<T>({ resource, children }: { resource: Resource<T>; children: (data: T) => ReactNode }) {
  const { data, asOf, fault } = resource
  return (
    <>
      {fault !== undefined && <FaultNote fault={fault} />}
      {data === undefined && fault === undefined && (
        <p className="quiet" aria-busy="true">
          Loading…
        </p>
      )}
      {data !== undefined && children(data)}
      {asOf !== undefined && (
        <p className="quiet">
          As of {formatTime(asOf)}
          {fault !== undefined && ', not up to date'}
        </p>
      )}
    </>
  )
}
