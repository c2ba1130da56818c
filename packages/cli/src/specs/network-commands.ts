import type { CommandSpec } from '../program/command-spec.ts'
import { HOME, LONG, OWN_HOME, TIMEOUT } from './common-options.ts'

/** The network of members. */
export const NETWORK_COMMANDS: readonly CommandSpec[] = [
  {
    words: ['members'],
    summary: 'list the certified members of the signed map',
    options: [LONG, HOME],
    examples: ['weft members', 'weft members --json'],
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
        flags: '--validator <id=address>',
        description: "another person's validator; may be given several times",
        repeats: true,
      },
      { flags: '--family <name>', description: 'the operator of this node (default: the name of this machine)' },
      OWN_HOME,
    ],
    examples: ['weft network create commons --address /ip4/192.0.2.1/tcp/4780'],
    load: () => import('../commands/network-create.ts'),
  },
  {
    words: ['network', 'show'],
    summary: 'show the network of this node',
    options: [HOME],
    examples: ['weft network show'],
    load: () => import('../commands/network-show.ts'),
  },
  {
    words: ['network', 'revoke'],
    summary: "give this validator's vote to eject a node; a quorum of validators ejects it at once",
    arguments: [{ name: '<node>', description: 'its id, or the end of it as lists print it' }],
    options: [
      { flags: '--reason <why>', description: 'conformance, abuse, compromised, retired or equivocation' },
      { flags: '--for <duration>', description: 'how long it is kept out (default: 30d)' },
      { flags: '--withdraw', description: 'vote to take an ejection back' },
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
