import { type Command, CommanderError } from 'commander'
import { toWeftError } from '@weft/core'
import { ALL_COMMANDS } from '../specs/all-commands.ts'
import { Output } from '../output/output.ts'
import { buildProgram } from './build-program.ts'
import { EXIT, exitCodeOf } from './exit-code.ts'
import { interruptSignal } from './interrupts.ts'
import { parseError } from './parse-error.ts'
import { VERSION } from './version.ts'

/** Runs one command line (without the program's name) to its end. @returns the exit code; errors are told here. */
export async function runCli(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  leaveQuietlyWhenNobodyReads()
  const program = buildProgram({ version: VERSION, signal: interruptSignal(), env })
  try {
    if (args.length === 0) {
      process.stdout.write(program.helpInformation())
      return EXIT.usage
    }
    await program.parseAsync(namesCommands(program, args) ? [...args] : withoutHelp(args), { from: 'user' })
    return EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
    // A group without a command: its help, on stderr, is all there is to say.
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage
    const told =
      error instanceof CommanderError
        ? parseError(error, commandWords(args))
        : toWeftError(error, {
            code: 'E_INTERNAL',
            cause: `The command failed in a way that was not foreseen: ${String(error)}`,
            fix: 'Run it again; when it stays, report it with the command and this message.',
          })
    new Output(args.includes('--json')).error(told)
    return exitCodeOf(told)
  }
}

/** Whether the words that stand for commands are commands. What follows a whole command is for that one to judge. */
function namesCommands(program: Command, args: readonly string[]): boolean {
  let group = program
  for (const word of args) {
    if (word === '--' || group.commands.length === 0) break
    if (word.startsWith('-')) continue
    const next = group.commands.find((command) => command.name() === word)
    if (next === undefined) return false
    group = next
  }
  return true
}

/** Asked for the help of a command that does not exist, the parser would show another's and call that a success. */
function withoutHelp(args: readonly string[]): string[] {
  return args.filter((word) => word !== '--help' && word !== '-h')
}

/** The command or group that the line begins with: whose help is pointed at. */
function commandWords(args: readonly string[]): string {
  const known = (count: number): boolean =>
    ALL_COMMANDS.some(
      ({ words }) => args.length >= count && args.slice(0, count).every((word, at) => words[at] === word),
    )
  const count = args.findIndex((_, at) => !known(at + 1))
  return args.slice(0, count < 0 ? args.length : count).join(' ')
}

/** `weft ls | head -1`: when the reader is gone there is nothing left to say, and nothing went wrong. */
function leaveQuietlyWhenNobodyReads(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok)
    throw error
  })
}
