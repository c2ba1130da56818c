import { sumRecords } from '../engine/sum-records.ts'
import type { CarriedStatus } from '../vpn.ts'

/** What several packet workers carry, together; undefined when none carries anything. */
export function sumCarried(all: readonly CarriedStatus[]): CarriedStatus | undefined {
  const [first, ...others] = all
  if (first === undefined || others.length === 0) return first
  const sum = (pick: (each: CarriedStatus) => number): number => all.reduce((sofar, each) => sofar + pick(each), 0)
  return {
    workers: all.flatMap(({ workers }) => workers),
    circuits: sum(({ circuits }) => circuits),
    links: sum(({ links }) => links),
    inTls: sum(({ inTls }) => inTls),
    exitStreams: sum(({ exitStreams }) => exitStreams),
    exitChannels: sum(({ exitChannels }) => exitChannels),
    // Clients' IP packets take one interface, and one worker.
    exitIp: first.exitIp,
    memberStreams: sum(({ memberStreams }) => memberStreams),
    memberStreamsOpened: sum(({ memberStreamsOpened }) => memberStreamsOpened),
    packetsForwarded: sum(({ packetsForwarded }) => packetsForwarded),
    packetsReceived: sum(({ packetsReceived }) => packetsReceived),
    packetsSent: sum(({ packetsSent }) => packetsSent),
    packetsWaiting: sum(({ packetsWaiting }) => packetsWaiting),
    packetsWaited: {
      realtime: sum(({ packetsWaited }) => packetsWaited.realtime),
      interactive: sum(({ packetsWaited }) => packetsWaited.interactive),
      bulk: sum(({ packetsWaited }) => packetsWaited.bulk),
    },
    packetsDropped: sumRecords(all.map(({ packetsDropped }) => packetsDropped)),
    portEvents: sumRecords(all.map(({ portEvents }) => portEvents)),
  }
}
