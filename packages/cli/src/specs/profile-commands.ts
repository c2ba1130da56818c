import type { CommandSpec } from '../program/command-spec.ts'
import type { OptionSpec } from '../program/described-command.ts'
import { HOME, TIMEOUT } from './common-options.ts'

const PROFILE = { name: '<profile>', description: 'its name, as weft vpn profile list prints it' } as const
const NEW = { name: '<name>', description: 'what it is to be called: 1 to 32 of a-z, 0-9 and -' } as const

/** One of each field of a profile, under its name (docs/specs/profiles.md). */
const FIELDS: readonly OptionSpec[] = [
  {
    flags: '--exit <wish>',
    description: 'auto, nearest, random, a country (DE), a region (na, eu, as, oc, sa, rest) or the did:key of a node',
  },
  { flags: '--hops <count>', description: 'nodes of a route, 2 to 5' },
  { flags: '--tier <tier>', description: 'delays, padding and cover traffic', choices: ['off', 'standard', 'high'] },
  { flags: '--legs <count>', description: 'circuits to the exit that are in use at once', choices: ['1', '2'] },
  {
    flags: '--isolation <what>',
    description: 'what has routes of its own',
    choices: ['none', 'credentials', 'destination'],
  },
  { flags: '--rotation-minutes <minutes>', description: 'new streams take new routes after so long, 1 to 1440' },
  {
    flags: '--kill-switch <state>',
    description: 'let nothing out but through the VPN, or but the local network',
    choices: ['off', 'on', 'allow-lan'],
  },
  { flags: '--tun <state>', description: 'the whole machine through a route', choices: ['on', 'off'] },
  { flags: '--tun-exclude <networks>', description: 'CIDRs beside the tunnel, with commas between them' },
  { flags: '--tun-include <networks>', description: 'CIDRs that alone go through the tunnel' },
  { flags: '--tun-exclude-users <users>', description: 'users of this machine beside the tunnel' },
  { flags: '--tun-include-users <users>', description: 'users who alone go through the tunnel' },
  { flags: '--tun-exclude-cgroups <paths>', description: 'cgroups beside the tunnel' },
  { flags: '--tun-include-cgroups <paths>', description: 'cgroups that alone go through the tunnel' },
  {
    flags: '--dns <where>',
    description: 'answer names on this machine, asked for at the exit',
    choices: ['exit', 'off'],
  },
]

/** How routes are made and what goes over them, under names. */
export const PROFILE_COMMANDS: readonly CommandSpec[] = [
  {
    words: ['vpn', 'profile', 'list'],
    summary: 'list the profiles and what they say',
    options: [TIMEOUT, HOME],
    examples: ['weft vpn profile list'],
    load: () => import('../commands/vpn-profile-list.ts'),
  },
  {
    words: ['vpn', 'profile', 'show'],
    summary: 'show what a profile says, and what that means on this node',
    arguments: [PROFILE],
    options: [TIMEOUT, HOME],
    examples: ['weft vpn profile show default', 'weft vpn profile show private --json'],
    load: () => import('../commands/vpn-profile-show.ts'),
  },
  {
    words: ['vpn', 'profile', 'create'],
    summary: 'create a profile; what it leaves out is as configured',
    arguments: [NEW],
    options: [...FIELDS, TIMEOUT, HOME],
    examples: [
      'weft vpn profile create work --exit DE --tier high',
      'weft vpn profile create streams --exit nearest --hops 2',
    ],
    load: () => import('../commands/vpn-profile-create.ts'),
  },
  {
    words: ['vpn', 'profile', 'set'],
    summary: 'change fields of a profile',
    arguments: [PROFILE],
    options: [
      ...FIELDS,
      { flags: '--unset <field>', description: 'leave a field out again, such as exit (repeatable)', repeats: true },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft vpn profile set work --hops 4', 'weft vpn profile set work --unset exit'],
    notes: 'A list is the whole list: --tun-exclude 10.0.0.0/8,192.168.0.0/16; an empty one is --tun-exclude "".',
    load: () => import('../commands/vpn-profile-set.ts'),
  },
  {
    words: ['vpn', 'profile', 'copy'],
    summary: 'copy a profile, also one that is built in',
    arguments: [PROFILE, NEW],
    options: [TIMEOUT, HOME],
    examples: ['weft vpn profile copy private work'],
    load: () => import('../commands/vpn-profile-copy.ts'),
  },
  {
    words: ['vpn', 'profile', 'delete'],
    summary: 'delete a profile that is not in use',
    arguments: [PROFILE],
    options: [TIMEOUT, HOME],
    examples: ['weft vpn profile delete work'],
    load: () => import('../commands/vpn-profile-delete.ts'),
  },
  {
    words: ['vpn', 'profile', 'use'],
    summary: 'use a profile from now on',
    arguments: [PROFILE],
    options: [TIMEOUT, HOME],
    examples: ['weft vpn profile use private', 'weft vpn profile use default'],
    notes: 'New routes follow at once. What needs weft vpn up, or weft vpn down before it, is said.',
    load: () => import('../commands/vpn-profile-use.ts'),
  },
  {
    words: ['vpn', 'profile', 'export'],
    summary: 'print a profile as a document for other nodes',
    arguments: [PROFILE],
    options: [TIMEOUT, HOME],
    examples: ['weft vpn profile export work > work.json'],
    notes:
      'Users and cgroups are of this machine and left out; networks of split tunnelling and a node as exit are in it.',
    load: () => import('../commands/vpn-profile-export.ts'),
  },
  {
    words: ['vpn', 'profile', 'import'],
    summary: 'create a profile from a document',
    arguments: [{ name: '<file>', description: 'what weft vpn profile export printed, or - for standard input' }],
    options: [
      { flags: '--name <name>', description: 'call it so (default: its name in the document)' },
      { flags: '--replace', description: 'also where there is one of that name' },
      { flags: '--check', description: 'say what would change, and change nothing' },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft vpn profile import work.json --check', 'weft vpn profile import - --replace < work.json'],
    load: () => import('../commands/vpn-profile-import.ts'),
  },
]
