import { useState } from 'react'
import type { VpnStatusAnswer } from '@weft/node'
import type { Resource } from '../api/use-resource.ts'
import { addRate, type RateSample } from './rate-history.ts'

/** The throughput of each answer so far, for the time that is drawn. */
export function useRateHistory({ data, asOf }: Resource<VpnStatusAnswer>): readonly RateSample[] {
  const [history, setHistory] = useState<readonly RateSample[]>([])
  // An answer is taken in as it is first rendered: an effect would draw each one twice.
  if (data !== undefined && asOf !== undefined && asOf !== history.at(-1)?.at) {
    const { sentBytesPerSecond: sent, receivedBytesPerSecond: received } = data.route.throughput
    setHistory(addRate(history, { at: asOf, sent, received }))
  }
  return history
}
