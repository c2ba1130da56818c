import type { OptionSpec } from '../program/described-command.ts'

/** Of every command. */
export const JSON_OPTION: OptionSpec = {
  flags: '--json',
  description: 'print one JSON document (schemaVersion 1) to stdout',
}

/** Of the commands that set up or start a node. */
export const OWN_HOME: OptionSpec = {
  flags: '--home <dir>',
  description: "the node's state directory (default: WEFT_HOME, else the XDG state directory)",
}

/** Of every command that speaks to a daemon. */
export const HOME: OptionSpec = {
  flags: '--home <dir>',
  description:
    "the node's state directory (default: WEFT_HOME, else the running devnet's client, else the XDG state directory)",
}

export const DIR: OptionSpec = {
  flags: '--dir <dir>',
  description: "the devnet's directory (default: weft/devnet in the XDG state directory)",
}

export const TIMEOUT: OptionSpec = {
  flags: '--timeout <time>',
  description: 'give up after this long, e.g. 30s (exit code 6)',
}

export const LONG: OptionSpec = { flags: '--long', description: 'print whole ids' }
