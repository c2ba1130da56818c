import type { Clock, Scope } from '@weft/core'
import type { Overlay } from '@weft/overlay'
import type { Storage } from '@weft/storage'
import type { Vpn } from '@weft/vpn'
import type { EventRing } from './event-ring.ts'
import type { TransferLog } from './transfer-log.ts'

export interface EventSources {
  readonly overlay: Overlay
  readonly storage: Storage
  readonly vpn: Pick<Vpn, 'on'>
  readonly ring: EventRing
  readonly transfers: TransferLog
  readonly clock: Clock
  readonly scope: Scope
}

/** Leads what overlay, storage and VPN tell into the events of the API. */
export function feedEvents({ overlay, storage, vpn, ring, transfers, clock, scope }: EventSources): void {
  scope.defer(
    'map events',
    overlay.on('map', (event) => ring.add('map', event)),
  )
  scope.defer(
    'peer events',
    overlay.on('peer', (event) => ring.add('peer', event)),
  )
  scope.defer(
    'admission events',
    overlay.on('admission', (event) => ring.add('admission', event)),
  )
  scope.defer(
    'reach events',
    overlay.on('reach', (event) => ring.add('reach', event)),
  )
  scope.defer(
    'lease events',
    overlay.on('lease', (event) => ring.add('lease', event)),
  )
  scope.defer(
    'term events',
    overlay.on('term', ({ number, fromEpoch, validators }) =>
      ring.add('term', { number, fromEpoch, validators: validators.map(({ id }) => id) }),
    ),
  )
  scope.defer(
    'holders that fall out',
    storage.on('holderLost', () => transfers.holdersLost++),
  )
  scope.defer(
    'transfer events',
    storage.on('transfer', (event) => {
      const transfer = transfers.record(event, clock.now())
      // Four lines a second of progress would push everything else out of the ring.
      if (transfer.state === 'running') ring.announce('transfer', transfer)
      else ring.add('transfer', transfer)
    }),
  )
  scope.defer(
    'removal events',
    storage.on('removal', (event) => ring.add('removal', event)),
  )
  scope.defer(
    'route events',
    vpn.on('route', (event) => ring.add('route', event)),
  )
  scope.defer(
    'events of routes',
    vpn.on('routeEvent', (event) => ring.add('route-event', event)),
  )
  scope.defer(
    'kill switch events',
    vpn.on('killSwitch', (event) => ring.add('killSwitch', event)),
  )
  scope.defer(
    'throughput events',
    vpn.on('throughput', (event) => ring.announce('throughput', event)),
  )
}
