import type { CommandSpec } from '../program/command-spec.ts'
import { HOME, LONG, TIMEOUT } from './common-options.ts'

/** Private routes. */
export const VPN_COMMANDS: readonly CommandSpec[] = [
  {
    words: ['vpn', 'up'],
    summary: 'start the proxy and a route',
    options: [
      { flags: '--tun', description: 'lead the whole machine through a route (Linux, root or CAP_NET_ADMIN)' },
      { flags: '--profile <name>', description: 'use this profile from now on (weft vpn profile list)' },
      { flags: '--wait', description: 'wait until a route is connected (exit code 6 if time runs out)' },
      { ...TIMEOUT, fallback: '30s' },
      HOME,
    ],
    examples: [
      'weft vpn up --wait',
      'weft vpn up --tun --wait',
      'weft vpn up --profile private',
      'curl --proxy socks5h://127.0.0.1:7781 https://example.org/',
    ],
    notes:
      'Programs use it as a SOCKS5 proxy that resolves names (socks5h), by HTTP CONNECT (https_proxy), or by its /proxy.pac. Requests with other user names and passwords get routes of their own.',
    load: () => import('../commands/vpn-up.ts'),
  },
  {
    words: ['vpn', 'down'],
    summary: 'end the proxy, every connection over it and the routes',
    options: [TIMEOUT, HOME],
    examples: ['weft vpn down'],
    load: () => import('../commands/vpn-down.ts'),
  },
  {
    words: ['vpn', 'status'],
    summary: 'show the proxy, what failed over it and why, and what this node carries for others',
    options: [LONG, TIMEOUT, HOME],
    examples: ['weft vpn status', 'weft vpn status --json'],
    load: () => import('../commands/vpn-status.ts'),
  },
  {
    words: ['vpn', 'receipts'],
    summary: 'show how pay for circuits stands: tokens, what hops took, and what this node is owed',
    options: [LONG, TIMEOUT, HOME],
    examples: ['weft vpn receipts', 'weft vpn receipts --json'],
    notes: 'It is off unless receipts.mode is on (weft config explain receipts.mode).',
    load: () => import('../commands/vpn-receipts.ts'),
  },
  {
    words: ['vpn', 'killswitch'],
    summary:
      'let nothing leave this machine but through the tunnel, until it is taken off; root, with or without a daemon',
    arguments: [
      {
        name: '<action>',
        description: 'what to do with it, or to show how it stands',
        choices: ['on', 'off', 'status'],
      },
    ],
    options: [
      { flags: '--allow-lan', description: 'let out what stays on the LAN, but for names' },
      { flags: '--no-boot', description: 'do not put it on again when the machine starts' },
      HOME,
    ],
    examples: [
      'sudo weft vpn killswitch on --home ~/.local/state/weft',
      'sudo weft vpn killswitch status',
      'sudo weft vpn killswitch off',
    ],
    notes:
      'It stays on whatever becomes of the daemon and the tunnel: down, stopped, killed, upgraded, and after a reboot. It lets out the daemon of the home that it is put on with.',
    load: () => import('../commands/vpn-killswitch.ts'),
  },
  {
    words: ['vpn', 'route'],
    summary: 'show the nodes of the route, hop by hop, with their health',
    options: [
      LONG,
      { flags: '--watch', description: 'show it once a second, until Ctrl-C; with --json one document a line' },
      {
        flags: '--verify',
        description: 'ask every hop what it counted, and show what that proves (exit code 1 if not all is well)',
      },
      {
        flags: '--why [node]',
        description:
          'show how each hop was chosen, what the others fell out for, and the guards; of one node all of it',
      },
      TIMEOUT,
      HOME,
    ],
    examples: [
      'weft vpn route',
      'weft vpn route --watch',
      'weft vpn route --verify',
      'weft vpn route --why',
      'weft vpn route --json',
    ],
    load: () => import('../commands/vpn-route.ts'),
  },
  {
    words: ['vpn', 'exits'],
    summary: 'list the exits of the signed map',
    options: [LONG, TIMEOUT, HOME],
    examples: ['weft vpn exits'],
    load: () => import('../commands/vpn-exits.ts'),
  },
]
