import type { CommandSpec } from '../program/command-spec.ts'
import type { GroupSpec } from '../program/described-command.ts'
import { BRIDGE_COMMANDS } from './bridge-commands.ts'
import { DEVNET_COMMANDS } from './devnet-commands.ts'
import { NETWORK_COMMANDS } from './network-commands.ts'
import { NODE_COMMANDS } from './node-commands.ts'
import { S3_COMMANDS } from './s3-commands.ts'
import { STORAGE_COMMANDS } from './storage-commands.ts'
import { VPN_COMMANDS } from './vpn-commands.ts'
import { PROFILE_COMMANDS } from './profile-commands.ts'

/** Every command, in the order of the help. */
export const ALL_COMMANDS: readonly CommandSpec[] = [
  ...STORAGE_COMMANDS,
  ...S3_COMMANDS,
  ...VPN_COMMANDS,
  ...PROFILE_COMMANDS,
  ...BRIDGE_COMMANDS,
  ...NETWORK_COMMANDS,
  ...NODE_COMMANDS,
  ...DEVNET_COMMANDS,
]

/** The words that only group commands. */
export const GROUPS: readonly GroupSpec[] = [
  { words: ['s3'], summary: 'the S3 API of your buckets' },
  { words: ['s3', 'key'], summary: 'keys for programs that speak S3' },
  { words: ['vpn'], summary: 'private routes over three nodes, and the proxy into them' },
  { words: ['vpn', 'profile'], summary: 'how routes are made and what goes over them, under names' },
  {
    words: ['bridge'],
    summary: 'ways into a network where its members are blocked',
    notes:
      'At the bridge, which is a client of the network with bridge.enabled and bridge.address in its weft.toml (weft config explain bridge): invite, list, revoke. At the client that it invites: add before weft network join, then show and remove.',
  },
  { words: ['network'], summary: 'begin a network, join one, invite into it, or show the one of this node' },
  { words: ['config'], summary: 'explain the settings' },
  { words: ['token'], summary: 'tokens for programs that use the HTTP API' },
  { words: ['setup'], summary: 'set this machine up' },
  { words: ['devnet'], summary: 'whole networks of real nodes on this machine' },
]
