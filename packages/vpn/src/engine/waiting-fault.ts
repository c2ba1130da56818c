import type { Fault } from '@weft/core'

/** Why no exit carries the packets of the whole machine, with the way out of that it sends nothing until one does. */
export function waitingFault({ code, cause, fix }: Fault): Fault {
  return {
    code,
    cause,
    fix: `${fix} Until an exit carries its packets nothing leaves this machine; weft vpn down opens it, and its packets go their own way.`,
  }
}
