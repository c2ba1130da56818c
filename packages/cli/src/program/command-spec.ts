import type { DescribedCommand } from './described-command.ts'
import type { Invocation } from './invocation.ts'

interface CommandModule {
  readonly run: (invocation: Invocation) => Promise<void>
}

/**
 * One command with what does it. That code is loaded only when the command is run: the CLI starts in the time that
 * the one command needs.
 */
export interface CommandSpec extends DescribedCommand {
  readonly load: () => Promise<CommandModule>
}
