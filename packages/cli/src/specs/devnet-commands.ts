import type { CommandSpec } from '../program/command-spec.ts'
import { DIR, TIMEOUT } from './common-options.ts'

const NODES = { name: '<node...>', description: 'names (storage3) or ids' } as const

/** Whole networks on this machine. */
export const DEVNET_COMMANDS: readonly CommandSpec[] = [
  {
    words: ['devnet', 'up'],
    summary: 'start a network of real nodes on this machine, one process each',
    options: [
      {
        flags: '--nodes <n>',
        description: 'how many, 6 to 60: two clients, four validators, the rest storage and exits (default: 12)',
      },
      DIR,
      { flags: '--base-port <port>', description: 'first port; each node takes ten (default: 7780)' },
      { flags: '--seed <text>', description: 'the same text makes the same keys and places (default: random)' },
      {
        flags: '--exit-allow <rule>',
        description:
          "CIDR:PORT that exits may dial beside public addresses; may be given several times (default: 127.0.0.1/32:*, never the devnet's own ports)",
        repeats: true,
      },
      { flags: '--detach', description: 'leave it running in the background' },
      { ...TIMEOUT, description: 'give up after this long (default: 90s; exit code 6)' },
    ],
    examples: ['weft devnet up', 'weft devnet up --nodes 12 --dir /tmp/net --base-port 9000 --detach --json'],
    notes:
      'In the foreground the network ends with the command, however it ends. In the background it stays until weft devnet down. A stopped network goes on with its data. Files of more than 4 KiB need nine nodes that store, which a devnet of 11 or more has.',
    load: () => import('../commands/devnet-up.ts'),
  },
  {
    words: ['devnet', 'status'],
    summary: 'show which nodes live and what they occupy',
    options: [DIR],
    examples: ['weft devnet status'],
    load: () => import('../commands/devnet-status.ts'),
  },
  {
    words: ['devnet', 'kill'],
    summary: 'kill nodes as a power cut would (SIGKILL)',
    arguments: [NODES],
    options: [DIR],
    examples: ['weft devnet kill storage3'],
    load: () => import('../commands/devnet-kill.ts'),
  },
  {
    words: ['devnet', 'restart'],
    summary: 'start nodes again, killed or not; return when they are ready',
    arguments: [NODES],
    options: [DIR, TIMEOUT],
    examples: ['weft devnet restart storage3'],
    load: () => import('../commands/devnet-restart.ts'),
  },
  {
    words: ['devnet', 'down'],
    summary: 'stop the network; no process is left',
    options: [DIR, { flags: '--erase', description: 'remove its directory: keys, objects, logs' }],
    examples: ['weft devnet down', 'weft devnet down --erase'],
    load: () => import('../commands/devnet-down.ts'),
  },
]
