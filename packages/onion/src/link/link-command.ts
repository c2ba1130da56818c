/** Commands of a cell header (docs/specs/packets.md, Packets of a link). A cell's is `relay`, a message's one of the others. */
export const LinkCommand = { relay: 0, create: 1, created: 2, destroy: 3, ping: 4, pong: 5 } as const

/** Those of messages about a circuit; ping and pong are about the link itself. */
export type CircuitCommand = typeof LinkCommand.create | typeof LinkCommand.created | typeof LinkCommand.destroy

/** Where an opened packet's cell header stands: circuit id 4 ‖ command 1 ‖ zeros 3. */
export const CIRCUIT_ID_AT = 12
export const COMMAND_AT = 16
const COMMAND_UNIT = 2 ** 24

/** The four bytes at {@link COMMAND_AT}. */
export function commandWord(command: number): number {
  return command * COMMAND_UNIT
}

/** The inverse: undefined when the zeros are none, or the command is not of this version. */
export function readCommand(word: number): number | undefined {
  return word % COMMAND_UNIT === 0 && word <= LinkCommand.pong * COMMAND_UNIT ? word / COMMAND_UNIT : undefined
}

/** Whether a command is about the link, and has circuit id 0; all others have another. */
export function isAboutLink(command: number): boolean {
  return command === LinkCommand.ping || command === LinkCommand.pong
}
