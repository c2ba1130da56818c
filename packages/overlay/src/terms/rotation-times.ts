import type { NetworkFile } from '../network/network-file.ts'

type Lengths = Pick<NetworkFile, 'rotateMs' | 'mapEpochMs'>

/** Map epochs from one rotation to the next; endless where there is none. */
function rotationEpochs({ rotateMs = Number.POSITIVE_INFINITY, mapEpochMs }: Lengths): number {
  return Math.floor(rotateMs / mapEpochMs)
}

/** The rotation that an epoch is of; they are counted from the begin of the network, whatever terms begin and end between. */
export function rotationAt(file: Lengths, epoch: number): number {
  return Math.floor(epoch / rotationEpochs(file))
}

/** The first map epoch of a rotation; infinite for one that never comes. */
export function rotationStart(file: Lengths, rotation: number): number {
  return rotation === 0 ? 0 : rotation * rotationEpochs(file)
}
