import { messageOf } from '@weft/core'
import type { OutsideAddress } from '../tun/machine-rules-text.ts'
import { runCommand } from '../tun/run-command.ts'
import {
  type BlockReason,
  type Blocked,
  type KillSwitchTerms,
  LISTED_COUNTERS,
  LISTED_TABLE,
  REMOVED_TABLE,
  blockedIn,
  differences,
  killSwitchRules,
  nodeRules,
  termsIn,
  withoutNodes,
} from './kill-switch-rules.ts'

/** What stands in the kernel. */
export interface KernelRules {
  /** none: there is no such table; unknown: it may not be looked at, or not judged. */
  readonly state: 'standing' | 'none' | 'unknown'
  /** Why it is unknown; empty otherwise. */
  readonly why: string
  /** Undefined where the rules do not say. */
  readonly terms: KillSwitchTerms | undefined
  /** How the rules differ from those that the switch puts. */
  readonly differences: readonly string[]
  /** Addresses of nodes that the daemon may reach without its mark. */
  readonly nodes: number
  readonly blocked: Readonly<Record<BlockReason, Blocked>>
}

const NOTHING: Omit<KernelRules, 'state' | 'why'> = {
  terms: undefined,
  differences: [],
  nodes: 0,
  blocked: blockedIn(''),
}
/** As nft lists the rules that stand for given terms, by their text. */
const listings = new Map<string, Promise<string>>()

/** Where the rules are. All but `read` throw an Error where they cannot do it; each changes all or nothing. */
export interface KillSwitchKernel {
  /** Those that stand. @param ordered what they are compared with where they do not say what they are */
  read(ordered?: KillSwitchTerms): Promise<KernelRules>
  /** Puts them in the place of those that stand, with the counts of these. @param blocked those counts, where they are known */
  put(terms: KillSwitchTerms, nodes: readonly OutsideAddress[], blocked?: KernelRules['blocked']): Promise<void>
  /** Puts other addresses of nodes in the place of those known. */
  setNodes(nodes: readonly OutsideAddress[]): Promise<void>
  clear(): Promise<void>
}

/** That of this machine, by nft(8). */
export const NFTABLES: KillSwitchKernel = {
  read: readKernel,
  put: putKernel,
  setNodes: async (nodes) => void (await runCommand('nft', ['-f', '-'], nodeRules(nodes))),
  clear: async () => void (await runCommand('nft', ['-f', '-'], REMOVED_TABLE)),
}

async function readKernel(ordered?: KillSwitchTerms): Promise<KernelRules> {
  let listing: string
  try {
    listing = await runCommand('nft', LISTED_TABLE)
  } catch (error) {
    const why = messageOf(error)
    return { ...NOTHING, state: why.includes('No such file') ? 'none' : 'unknown', why }
  }
  const { rules, nodes } = withoutNodes(listing)
  const terms = termsIn(rules)
  const blocked = await readBlocked()
  const found = { ...NOTHING, terms, nodes, blocked }
  const wanted = terms ?? ordered
  if (wanted === undefined)
    return { ...found, state: 'standing', why: '', differences: ['it does not say what it allows'] }
  try {
    const expected = await expectedListing(wanted)
    return { ...found, state: 'standing', why: '', differences: differences(expected, rules) }
  } catch (error) {
    return { ...found, state: 'unknown', why: `what the rules should be could not be found out: ${messageOf(error)}` }
  }
}

async function putKernel(
  terms: KillSwitchTerms,
  nodes: readonly OutsideAddress[],
  blocked?: KernelRules['blocked'],
): Promise<void> {
  const text = killSwitchRules(terms, blocked ?? (await readBlocked())) + nodeRules(nodes)
  await runCommand('nft', ['-f', '-'], text)
}

/**
 * The rules as this nft and this kernel list them, found out in a network namespace of its own: how they print what they were given
 * differs from version to version.
 */
function expectedListing(terms: KillSwitchTerms): Promise<string> {
  const text = killSwitchRules(terms)
  const known = listings.get(text)
  if (known !== undefined) return known
  const script = `nft -f - && nft ${LISTED_TABLE.join(' ')}`
  const listing = runCommand('unshare', ['--net', 'sh', '-c', script], text).then(
    (listed) => withoutNodes(listed).rules,
  )
  listings.clear()
  listings.set(text, listing)
  listing.catch(() => listings.delete(text))
  return listing
}

async function readBlocked(): Promise<KernelRules['blocked']> {
  return blockedIn(await runCommand('nft', LISTED_COUNTERS).catch(() => ''))
}
