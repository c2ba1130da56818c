import type { CommandSpec } from '../program/command-spec.ts'
import { HOME, OWN_HOME, TIMEOUT } from './common-options.ts'

const INVITATION = { name: '<invitation>', description: 'its name or id, as weft bridge list prints them' } as const

/** Bridges: of clients, and those that a bridge is asked. */
export const BRIDGE_COMMANDS: readonly CommandSpec[] = [
  {
    words: ['bridge', 'add'],
    summary: 'call by a bridge from the next start on, and nobody else',
    arguments: [
      {
        name: '<line>',
        description: 'what weft bridge invite printed at the bridge, or - to read it from standard input',
      },
    ],
    options: [OWN_HOME],
    examples: ['weft bridge add -', 'weft bridge add - < line.txt'],
    notes:
      'Several may be added: the first that works is used. Every user of a machine can read the command lines of the others, and a line is a secret: give it on standard input.',
    load: () => import('../commands/bridge-add.ts'),
  },
  {
    words: ['bridge', 'remove'],
    summary: 'forget a bridge; without any, this node calls members by itself again',
    arguments: [{ name: '<bridge>', description: 'its address and port, as weft bridge show prints them' }],
    options: [OWN_HOME],
    examples: ['weft bridge remove 192.0.2.1:443'],
    load: () => import('../commands/bridge-remove.ts'),
  },
  {
    words: ['bridge', 'show'],
    summary: 'show the bridges of this node, which one is used, and why others are not',
    options: [TIMEOUT, OWN_HOME],
    examples: ['weft bridge show', 'weft bridge show --json'],
    load: () => import('../commands/bridge-show.ts'),
  },
  {
    words: ['bridge', 'invite'],
    summary: 'invite a client to this bridge: print a line, which is a secret',
    arguments: [{ name: '<name>', description: 'to tell it from others; who it is for is better not written down' }],
    options: [
      { flags: '--address <address>', description: 'IP address of this bridge (default: bridge.address)' },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft bridge invite first', 'weft bridge invite second --address 192.0.2.1'],
    notes: 'A line for each client: one that becomes known is then revoked without harm to others.',
    load: () => import('../commands/bridge-invite.ts'),
  },
  {
    words: ['bridge', 'list'],
    summary: 'list the invitations to this bridge, and what goes over them',
    options: [TIMEOUT, HOME],
    examples: ['weft bridge list'],
    load: () => import('../commands/bridge-list.ts'),
  },
  {
    words: ['bridge', 'revoke'],
    summary: 'make an invitation void at once, and end its streams',
    arguments: [INVITATION],
    options: [TIMEOUT, HOME],
    examples: ['weft bridge revoke first'],
    load: () => import('../commands/bridge-revoke.ts'),
  },
]
