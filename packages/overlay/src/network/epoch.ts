import type { NetworkFile } from './network-file.ts'

/** The map epoch of a moment (ms since the Unix epoch); negative before the network began. */
export function epochAt(network: NetworkFile, now: number): number {
  return Math.floor((now - network.createdAt) / network.mapEpochMs)
}

/** When a map epoch begins, ms since the Unix epoch. */
export function epochStart(network: NetworkFile, epoch: number): number {
  return network.createdAt + epoch * network.mapEpochMs
}

/** Largest epoch number that any structure may name. */
export const MAX_EPOCH = 2 ** 40
