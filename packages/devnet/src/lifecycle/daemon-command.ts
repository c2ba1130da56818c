/** How a node's daemon is run: `[program, ...arguments]`, to which the node's own flags are added. */
export type DaemonCommand = readonly [program: string, ...args: string[]]
