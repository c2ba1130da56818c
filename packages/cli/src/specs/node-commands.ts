import type { CommandSpec } from '../program/command-spec.ts'
import type { OptionSpec } from '../program/described-command.ts'
import { HOME, OWN_HOME, TIMEOUT } from './common-options.ts'

const NODE_SETTINGS: readonly OptionSpec[] = [
  { flags: '--preset <preset>', description: 'a named set of roles: client, regular, core, exit or validator' },
  { flags: '--roles <roles>', description: 'what the node offers to others, e.g. storage,relay' },
  { flags: '--name <name>', description: 'a name for its people' },
  { flags: '--family <name>', description: 'the operator; all nodes of one operator name the same' },
  { flags: '--network <file>', description: 'the network file of the network to join' },
  { flags: '--base-port <port>', description: 'first of the loopback ports (default: 7780)' },
  { flags: '--public-port <port>', description: 'first of the public ports (default: 4780)' },
]

/** The node itself: set up, run, look after. */
export const NODE_COMMANDS: readonly CommandSpec[] = [
  {
    words: ['init'],
    summary: 'make the key of a node, print its id, and write its settings',
    options: [
      ...NODE_SETTINGS,
      { flags: '--network-id <id>', description: 'refuse the file of --network unless it is of this network' },
      { flags: '--force', description: 'write weft.toml anew' },
      OWN_HOME,
    ],
    examples: ['weft init --preset regular --network ./network.json', 'weft init --preset validator'],
    notes:
      'A node that was set up without a network is given one later by its file alone: weft init --network FILE. Its settings stay as they are.',
    load: () => import('../commands/init.ts'),
  },
  {
    words: ['start'],
    summary: 'run the daemon of this node',
    options: [
      { flags: '--detach', description: 'run in the background; return when it is ready' },
      { ...TIMEOUT, description: 'with --detach: give up after this long, e.g. 30s (exit code 6)' },
      ...NODE_SETTINGS,
      OWN_HOME,
    ],
    examples: ['weft start', 'weft start --detach --timeout 30s'],
    load: () => import('../commands/start.ts'),
  },
  {
    words: ['stop'],
    summary: 'stop the daemon',
    options: [
      {
        flags: '--drain',
        description: 'first leave the network in good order: records go to other members; Ctrl-C takes it back',
      },
      TIMEOUT,
      HOME,
    ],
    examples: ['weft stop', 'weft stop --drain'],
    load: () => import('../commands/stop.ts'),
  },
  {
    words: ['status'],
    summary: 'show how the node stands',
    options: [TIMEOUT, HOME],
    examples: ['weft status', 'weft status --json'],
    load: () => import('../commands/status.ts'),
  },
  {
    words: ['check'],
    summary: 'tell what is wrong and how to mend it (exit code 1 if anything is)',
    options: [
      { flags: '--wait', description: 'wait until nothing is wrong (exit code 6 if time runs out)' },
      { ...TIMEOUT, fallback: '60s' },
      HOME,
    ],
    examples: ['weft check', 'weft check --wait --timeout 60s'],
    load: () => import('../commands/check.ts'),
  },
  {
    words: ['id'],
    summary: 'print the ids of the node and of its person, whether a daemon runs or not',
    options: [HOME],
    examples: ['weft id'],
    load: () => import('../commands/id.ts'),
  },
  {
    words: ['dashboard'],
    summary: 'print a one-use link to the dashboard, and open it where there is a display',
    options: [{ flags: '--no-open', description: 'only print the link' }, HOME],
    examples: ['weft dashboard'],
    load: () => import('../commands/dashboard.ts'),
  },
  {
    words: ['config', 'explain'],
    summary: 'explain a setting, or list all of them, or those of a section',
    arguments: [{ name: '[key]', description: 'e.g. storage.quota, or a section such as bridge' }],
    examples: ['weft config explain storage.quota', 'weft config explain bridge', 'weft config explain'],
    load: () => import('../commands/config-explain.ts'),
  },
  {
    words: ['token', 'create'],
    summary: 'make a token for a program that uses the HTTP API',
    arguments: [{ name: '<name>', description: 'to tell it from others' }],
    options: [
      { flags: '--scopes <scopes>', description: 'what it may do, e.g. storage:read,node:read or storage:*' },
      { flags: '--ttl <time>', description: 'how long it is valid, e.g. 30d (default: 90d)' },
      HOME,
    ],
    examples: ['weft token create grafana --scopes metrics:read --ttl 365d'],
    load: () => import('../commands/token-create.ts'),
  },
  {
    words: ['token', 'list'],
    summary: 'list the tokens (never their secrets)',
    options: [HOME],
    examples: ['weft token list'],
    load: () => import('../commands/token-list.ts'),
  },
  {
    words: ['token', 'revoke'],
    summary: 'make a token void at once',
    arguments: [{ name: '<name>', description: 'its name or id, as weft token list prints them' }],
    options: [HOME],
    examples: ['weft token revoke grafana'],
    load: () => import('../commands/token-revoke.ts'),
  },
  {
    words: ['setup', 'completion'],
    summary: "print the shell's completion script",
    arguments: [{ name: '<shell>', description: 'bash, zsh or fish', choices: ['bash', 'zsh', 'fish'] }],
    examples: ['weft setup completion bash > ~/.local/share/bash-completion/completions/weft'],
    load: () => import('../commands/setup-completion.ts'),
  },
]
