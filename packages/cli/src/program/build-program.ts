import { Argument, Command, Option } from 'commander'
import { ALL_COMMANDS, GROUPS } from '../specs/all-commands.ts'
import { JSON_OPTION } from '../specs/common-options.ts'
import { Output } from '../output/output.ts'
import type { CommandSpec } from './command-spec.ts'
import type { OptionSpec } from './described-command.ts'
import { Invocation } from './invocation.ts'

export interface ProgramOptions {
  readonly version: string
  readonly signal: AbortSignal
  readonly env: NodeJS.ProcessEnv
}

/** The parser of the whole command line. It throws CommanderError where it would print and exit. */
export function buildProgram(options: ProgramOptions): Command {
  const program = new Command('weft')
    .description(
      'Private routes, durable storage, messages, apps, verified work: a network woven by the people who run its nodes.',
    )
    .version(options.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .addHelpText('after', ROOT_HELP)
  prepare(program)
  const groups = new Map(
    GROUPS.map(({ words, summary, notes }) => {
      const group = new Command(words.at(-1))
        .description(summary)
        .helpOption('-h, --help', 'show help')
        .helpCommand(false)
      if (notes !== undefined) group.addHelpText('after', `\n${notes}`)
      return [words.join(' '), prepare(group)]
    }),
  )
  for (const spec of ALL_COMMANDS) {
    const word = spec.words.at(-1) as string
    const group = spec.words.length === 1 ? program : groups.get(spec.words.slice(0, -1).join(' '))
    group?.addCommand(buildCommand(spec, word, options))
  }
  for (const { words } of GROUPS) {
    const group = groups.get(words.join(' ')) as Command
    const above = words.length === 1 ? program : groups.get(words.slice(0, -1).join(' '))
    above?.addCommand(group)
  }
  return program
}

const ROOT_HELP = `
Every command explains itself: weft COMMAND --help. A whole network on this machine: weft devnet up.

Exit codes: 0 ok, 1 failed, 2 usage, 3 daemon not running, 4 not permitted, 5 not found, 6 timed out.`

/** Errors are thrown for main to tell in one form; nothing is printed by the parser but help. */
function prepare(command: Command): Command {
  return command.exitOverride().configureOutput({ outputError: () => {} })
}

function buildCommand(spec: CommandSpec, word: string, options: ProgramOptions): Command {
  const command = prepare(new Command(word)).description(spec.summary).helpOption('-h, --help', 'show help')
  for (const { name, description, choices } of spec.arguments ?? []) {
    const argument = new Argument(name, description)
    command.addArgument(choices === undefined ? argument : argument.choices([...choices]))
  }
  for (const option of [...(spec.options ?? []), JSON_OPTION]) command.addOption(buildOption(option))
  command.addHelpText('after', helpText(spec))
  command.action(async () => {
    const values = command.opts()
    const module = await spec.load()
    await module.run(
      new Invocation({
        args: command.args,
        options: values,
        output: new Output(values['json'] === true),
        signal: options.signal,
        env: options.env,
        commands: ALL_COMMANDS,
      }),
    )
  })
  return command
}

function buildOption({ flags, description, choices, fallback, repeats }: OptionSpec): Option {
  const option = new Option(flags, description)
  if (choices !== undefined) option.choices([...choices])
  if (fallback !== undefined) option.default(fallback)
  if (repeats === true)
    option.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value])
  return option
}

function helpText({ examples, notes }: CommandSpec): string {
  const lines = examples.map((example) => `  $ ${example}`).join('\n')
  return `${notes === undefined ? '' : `\n${notes}\n`}\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${lines}`
}
