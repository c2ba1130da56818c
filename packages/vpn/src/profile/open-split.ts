import { networkRange } from '@weft/core'
import type { ProfileField, ResolvedFields } from './profile.ts'

/** Beside a tunnel go more addresses of the internet than somebody excludes who means a network or two. */
export interface OpenSplit {
  /** Percent of the internet's addresses that go beside it, of which version. */
  readonly ipv4: number
  readonly ipv6: number
  /** The lists that have it so. */
  readonly fields: readonly ProfileField[]
}

interface Range {
  readonly first: bigint
  readonly last: bigint
}

/** Which addresses are of the internet, and how many may go beside a tunnel: less than a /8 of IPv4, and than a /16 of IPv6. */
const VERSIONS = [
  {
    family: 4,
    networks: ['0.0.0.0/0'],
    // RFC 6890, RFC 1918, RFC 6598, RFC 5771 and what is reserved (RFC 1112).
    without: [
      '0.0.0.0/8',
      '10.0.0.0/8',
      '100.64.0.0/10',
      '127.0.0.0/8',
      '169.254.0.0/16',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '224.0.0.0/3',
    ],
    most: 1n << 24n,
  },
  // RFC 4291 and its registry: global unicast.
  { family: 6, networks: ['2000::/3'], without: [], most: 1n << 112n },
] as const

/** Undefined where most of the internet goes through the tunnel; users and programs that are excluded are not counted. */
export function openSplit(resolved: ResolvedFields): OpenSplit | undefined {
  const { tunExclude, tunInclude, tunIncludeUsers, tunIncludeCgroups } = resolved
  const isOnly = tunInclude.length + tunIncludeUsers.length + tunIncludeCgroups.length > 0
  const [ipv4, ipv6] = VERSIONS.map(({ family, networks, without, most }) => {
    const internet = minus(rangesOf(networks, family), rangesOf(without, family))
    const inside = minus(isOnly ? rangesOf(tunInclude, family) : internet, rangesOf(tunExclude, family))
    const outside = sizeOf(minus(internet, inside))
    return { share: Number((outside * 10_000n) / sizeOf(internet)) / 100, isOpen: outside >= most }
  }) as [Share, Share]
  if (!ipv4.isOpen && !ipv6.isOpen) return undefined
  const fields = (['tunExclude', 'tunInclude', 'tunIncludeUsers', 'tunIncludeCgroups'] as const).filter(
    (field) => resolved[field].length > 0,
  )
  return { ipv4: ipv4.share, ipv6: ipv6.share, fields }
}

interface Share {
  readonly share: number
  readonly isOpen: boolean
}

/** In order, none of which touches another one. */
function rangesOf(networks: readonly string[], family: 4 | 6): readonly Range[] {
  const all = networks.map(networkRange).filter((range) => range.family === family)
  const merged: Range[] = []
  for (const { first, last } of all.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const before = merged.at(-1)
    if (before === undefined || first > before.last + 1n) merged.push({ first, last })
    else if (last > before.last) merged.splice(-1, 1, { first: before.first, last })
  }
  return merged
}

/** What of the first ones is not in the others; both in order. */
function minus(ranges: readonly Range[], others: readonly Range[]): readonly Range[] {
  return ranges.flatMap(({ first, last }) => {
    const left: Range[] = []
    let from = first
    for (const other of others) {
      if (other.last < from || other.first > last) continue
      if (other.first > from) left.push({ first: from, last: other.first - 1n })
      from = other.last + 1n
    }
    if (from <= last) left.push({ first: from, last })
    return left
  })
}

function sizeOf(ranges: readonly Range[]): bigint {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1n, 0n)
}
