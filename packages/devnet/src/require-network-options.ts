import { WeftError, addressReach, isLoopback } from '@weft/core'
import type { NewNetwork } from './new-network.ts'
import { quoted, requireNodeId } from './require-node-id.ts'

type Check = (options: NewNetwork) => void

/**
 * Refuses what `weft network create` was given wrongly, by the name of the option: what the parser of network files says
 * names parts of a file that nobody has written yet.
 * @throws WeftError E_USAGE
 */
export async function requireNetworkOptions(options: NewNetwork): Promise<void> {
  // Loaded here alone: the rest of this package does without the overlay's weight.
  const overlay = await import('@weft/overlay')
  const { DEFAULT_MAP_EPOCH_MS, FAMILY, MAP_EPOCH_BOUNDS, MAX_ADDRESSES, MAX_NAME, NETWORK_NAME, WAYS, rotateBounds } =
    overlay

  function requireFamily(family: string, option: string): void {
    if (FAMILY.test(family) && family.length <= MAX_NAME) return
    throw wrong(
      `${option} names the family ${quoted(family)}.`,
      `Write letters, digits, dots, dashes and underscores, at most ${MAX_NAME}, a letter or digit first.`,
    )
  }

  function requireAddress(address: string, option: string): void {
    const host = overlay.parseNodeAddress(address)?.host
    if (host === undefined) {
      throw wrong(
        `${option} ${quoted(address)} is no address of a node.`,
        'Write it like /ip4/192.0.2.1/tcp/4780 or /ip6/2001:db8::1/tcp/4780, with an IP address in its usual spelling and the public port of the node.',
      )
    }
    if (addressReach(host) !== 'special' || isLoopback(host)) return
    throw wrong(
      `${option} ${quoted(address)}: nobody reaches a node at ${host}.`,
      'Give the address at which the other nodes reach it; where it listens is network.listen_host in weft.toml.',
    )
  }

  function requireAddresses(addresses: readonly string[], option: string): void {
    if (addresses.length > MAX_ADDRESSES) {
      throw wrong(`${option} names ${addresses.length} addresses.`, `Give at most ${MAX_ADDRESSES}.`)
    }
    for (const address of addresses) requireAddress(address, option)
  }

  /** Each has an address that means the same machine at all of them. */
  function requireCommon({ addresses: own, others }: NewNetwork): void {
    const validators = [{ addresses: own }, ...others]
    const network = { file: { simulated: undefined }, validators } as unknown as Parameters<
      typeof overlay.isDialable
    >[0]
    const apart = validators.findIndex(
      ({ addresses }) => !addresses.some((address) => overlay.isDialable(network, address)),
    )
    if (apart === -1) return
    throw wrong(
      `${apart === 0 ? '--address' : '--validator'} ${quoted(validators[apart]?.addresses.join(',') ?? '')}: the other nodes do not dial it.`,
      'Give a global address and a port that is 80, 443, or 1024 and more. Loopback and private addresses are for networks in which all validators have such.',
    )
  }

  /** One place is that of one node: behind a repeat lies a port that was copied. */
  function requireApart({ addresses: own, others }: NewNetwork): void {
    const taken = new Set<string>()
    for (const [at, { addresses }] of [{ addresses: own }, ...others].entries()) {
      for (const address of addresses) {
        const { host, port } = overlay.parseNodeAddress(address) ?? {}
        const place = `${host} ${port}`
        if (taken.has(place)) {
          throw wrong(
            `${at === 0 ? '--address' : '--validator'} ${quoted(address)}: this host and port are named twice.`,
            'Give each validator addresses of its own; of several on one machine each needs another port.',
          )
        }
        taken.add(place)
      }
    }
  }

  const checks: readonly Check[] = [
    ({ name }) => {
      if (NETWORK_NAME.test(name) && name.length <= MAX_NAME) return
      throw wrong(
        `${quoted(name)} is no name for a network.`,
        `Write lower-case letters, digits and dashes, at most ${MAX_NAME}, a letter or digit first.`,
      )
    },
    ({ addresses }) => requireAddresses(addresses, '--address'),
    ({ family }) => requireFamily(family, '--family'),
    ({ policy }) => {
      const strange = policy.find((way) => !(WAYS as readonly string[]).includes(way))
      const isTwice = new Set(policy).size !== policy.length
      if (strange === undefined && !isTwice && policy.length > 0 && (policy.length === 1 || !policy.includes('open')))
        return
      throw wrong(
        strange === undefined
          ? `--policy '${policy.join(',')}' is no policy.`
          : `--policy names ${quoted(strange)}, which is no way to be admitted.`,
        'Write open alone, or one or both of invite and stake, e.g. --policy invite.',
      )
    },
    ({ mapEpochMs }) => {
      if (mapEpochMs === undefined) return
      if (mapEpochMs >= MAP_EPOCH_BOUNDS.min && mapEpochMs <= MAP_EPOCH_BOUNDS.max) return
      throw wrong(`--map-epoch is ${mapEpochMs} ms.`, 'Give it from 200ms to 1h (60m), e.g. --map-epoch 60s.')
    },
    ({ rotateMs, mapEpochMs = DEFAULT_MAP_EPOCH_MS }) => {
      const { min, max } = rotateBounds(mapEpochMs)
      if (rotateMs === undefined || (rotateMs >= min && rotateMs <= max)) return
      throw wrong(`--rotate is ${rotateMs} ms.`, `Give it from ${min / 1_000}s to 30d, e.g. --rotate 1d.`)
    },
    ({ others }) => {
      for (const { id, addresses, family } of others) {
        requireNodeId(id, '--validator')
        requireAddresses(addresses, '--validator')
        requireFamily(family, '--validator')
      }
      requireDistinct(
        others.map(({ id }) => id),
        '--validator',
      )
    },
    requireApart,
    requireCommon,
    ({ inviters, policy }) => {
      requireIds(inviters, '--inviter')
      if (inviters.length === 0 || policy.includes('invite')) return
      throw wrong(
        `--inviter is given, and --policy ${policy.join(',')} admits nobody by invitation.`,
        'Add --policy invite, or leave --inviter out.',
      )
    },
    ({ attesters = [] }) => requireIds(attesters, '--attester'),
  ]
  for (const check of checks) check(options)
}

function requireIds(ids: readonly string[], option: string): void {
  for (const id of ids) requireNodeId(id, option)
  requireDistinct(ids, option)
}

function requireDistinct(ids: readonly string[], option: string): void {
  const again = ids.find((id, at) => ids.indexOf(id) !== at)
  if (again !== undefined) throw wrong(`${option} names ${again} twice.`, 'Name each node once.')
}

function wrong(cause: string, fix: string): WeftError {
  return new WeftError({ code: 'E_USAGE', cause, fix })
}
