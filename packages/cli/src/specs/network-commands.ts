import type { CommandSpec } from '../program/command-spec.ts'
import { HOME, LONG, OWN_HOME, TIMEOUT } from './common-options.ts'

/** The network of members. */
export const NETWORK_COMMANDS: readonly CommandSpec[] = [
  {
    words: ['members'],
    summary: 'list the certified members of the signed map, or show one with the votes for it',
    arguments: [{ name: '[member]', description: 'its id, or the end of it as lists print it' }],
    options: [LONG, HOME],
    examples: ['weft members', 'weft members --json', 'weft members Xk3f9QpA --json'],
    load: () => import('../commands/members.ts'),
  },
  {
    words: ['peers'],
    summary: 'list the links to other members',
    options: [LONG, HOME],
    examples: ['weft peers'],
    load: () => import('../commands/peers.ts'),
  },
  {
    words: ['resources'],
    summary: 'list what the members say of their machines, and the sums of it',
    options: [LONG, HOME],
    examples: ['weft resources', 'weft resources --json'],
    notes:
      'Nobody checked it: capacity, grid, energy and carbon are the words of the operators, but where an attester of the network signed the latter. A node says it by the section [resources] of its weft.toml.',
    load: () => import('../commands/resources.ts'),
  },
  {
    words: ['leases'],
    summary: 'list the clients that lend something, and how this node stands with a lease of its own',
    options: [LONG, TIMEOUT, HOME],
    examples: ['weft leases', 'weft leases --json'],
    notes: 'A client asks for a lease when node.forward is true in its weft.toml.',
    load: () => import('../commands/leases.ts'),
  },
  {
    words: ['ping'],
    summary: 'measure the round trip to a member',
    arguments: [{ name: '<peer>', description: 'its id, or the end of it as lists print it' }],
    options: [{ flags: '--count <n>', description: 'how many times (default: 1)' }, TIMEOUT, HOME],
    examples: ['weft ping 4tJq9XbC --count 5'],
    load: () => import('../commands/ping.ts'),
  },
  {
    words: ['network', 'create'],
    summary: 'begin a network of your own, with this node as a validator',
    arguments: [{ name: '<name>', description: 'lower-case letters, digits and dashes' }],
    options: [
      { flags: '--address <addresses>', description: 'where others reach this node, e.g. /ip4/192.0.2.1/tcp/4780' },
      {
        flags: '--validator <id=address[;family]>',
        description:
          "another person's validator, its id as weft init prints it there; ;FAMILY where one operator has several; may be given several times",
        repeats: true,
      },
      {
        flags: '--family <name>',
        description: 'the operator of this node (default: node.family of weft.toml, else the name of this machine)',
      },
      {
        flags: '--policy <ways>',
        description: 'how nodes are admitted: open (default), invite, stake, or several of which each is enough',
      },
      {
        flags: '--inviter <id>',
        description: 'whose invitations count, in place of those of each validator; may be given several times',
        repeats: true,
      },
      {
        flags: '--attester <id>',
        description: 'who may attest the energy of members; may be given several times',
        repeats: true,
      },
      { flags: '--map-epoch <time>', description: 'how often the map of members is signed (default: 60s)' },
      {
        flags: '--rotate <time>',
        description:
          'how often some seats of validators are drawn anew (default: never, and 1d in a network of 64 seats)',
      },
      OWN_HOME,
    ],
    examples: [
      'weft network create commons --address /ip4/192.0.2.1/tcp/4780',
      'weft network create club --address /ip4/192.0.2.1/tcp/4780 --policy invite',
      "weft network create commons --address /ip4/192.0.2.1/tcp/4780 --validator 'did:key:z6Mk…=/ip4/192.0.2.2/tcp/4780;bern'",
    ],
    notes:
      'There is no option for the minimums of roles, the number of seats and other epochs: edit network.json (docs/specs/network-file.md) before any node starts with it or gets it, as each change makes another network.',
    load: () => import('../commands/network-create.ts'),
  },
  {
    words: ['network', 'invite'],
    summary: 'print a token by which others join; a secret, where the network admits by invitation',
    options: [
      { flags: '--expires <time>', description: 'until when nodes may join by it (default: 7d)' },
      { flags: '--uses <n>', description: 'how many nodes may be members by it at a time (default: 1)' },
      {
        flags: '--roles <roles>',
        description: 'what they may offer, e.g. storage,relay (default: all that work, but validator)',
      },
      { flags: '--for <id>', description: 'the only node that may use it, by its whole id; weft init prints it there' },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft network invite', 'weft network invite --expires 2d --uses 3 --roles storage,relay'],
    load: () => import('../commands/network-invite.ts'),
  },
  {
    words: ['network', 'attest'],
    summary: 'attest what the power of a node is, as an attester of the network',
    arguments: [{ name: '<member>', description: 'its id, or the end of it as lists print it' }],
    options: [
      { flags: '--grid <zone>', description: 'country or zone of its grid, e.g. CH or US-TEX-ERCO' },
      {
        flags: '--source <source>',
        description: 'what it is made from; mix is whatever the grid has',
        choices: ['mix', 'solar', 'wind', 'hydro', 'geothermal', 'nuclear', 'biomass', 'gas', 'oil', 'coal'],
      },
      { flags: '--carbon <n>', description: 'gCO2/kWh, a yearly mean' },
      { flags: '--expires <time>', description: 'for how long it holds (default: 365d)' },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft network attest 4tJq9XbC --grid CH --source hydro --carbon 24'],
    notes:
      'The keys of attesters are named when a network begins: weft network create --attester. An attestation that ends before the certificate of the node (24 h by default) shows as declared: give --expires more than that.',
    load: () => import('../commands/network-attest.ts'),
  },
  {
    words: ['network', 'join'],
    summary: 'join a network by a token that weft network invite printed there',
    arguments: [{ name: '<token>', description: 'the token, or - to read it from standard input' }],
    options: [
      {
        flags: '--bridge <line>',
        description:
          'call by this bridge, and nobody else; may be given several times; better: weft bridge add - before',
        repeats: true,
      },
      TIMEOUT,
      OWN_HOME,
    ],
    examples: ['weft network join -', 'weft network join - < token.txt'],
    notes:
      'Every user of a machine can read the command lines of the others, and a token is a secret: give it on standard input.',
    load: () => import('../commands/network-join.ts'),
  },
  {
    words: ['network', 'show'],
    summary: 'show the network of this node: policy, validators, epochs',
    options: [LONG, HOME],
    examples: ['weft network show'],
    load: () => import('../commands/network-show.ts'),
  },
  {
    words: ['network', 'revoke'],
    summary: "give this validator's vote to eject a node; a quorum of validators ejects it at once",
    arguments: [{ name: '<node>', description: 'its id, or the end of it as lists print it' }],
    options: [
      {
        flags: '--reason <why>',
        description: 'why; needed unless --withdraw is given',
        choices: ['conformance', 'abuse', 'compromised', 'retired', 'equivocation'],
      },
      { flags: '--for <duration>', description: 'how long it is kept out (default: 30d)' },
      {
        flags: '--withdraw',
        description: "take this validator's vote back, or, of a node that is ejected, vote for its way back",
      },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft network revoke 4tJq9XbC --reason abuse', 'weft network revoke 4tJq9XbC --withdraw'],
    load: () => import('../commands/network-revoke.ts'),
  },
  {
    words: ['network', 'revocations'],
    summary: 'list the nodes that validators ejected, and votes that wait for more',
    options: [LONG, HOME],
    examples: ['weft network revocations'],
    load: () => import('../commands/network-revocations.ts'),
  },
]
