import type { KernelRules, KillSwitchKernel } from '../../src/kill-switch/kill-switch-kernel.ts'
import type { KillSwitchTerms } from '../../src/kill-switch/kill-switch-rules.ts'
import type { OutsideAddress } from '../../src/tun/machine-rules-text.ts'

const NONE = { packets: 0, bytes: 0 }

/** Rules of a kernel, as far as a switch asks for them; a test changes them and says what fails. */
export class FakeKernel implements KillSwitchKernel {
  terms: KillSwitchTerms | undefined
  nodes: readonly OutsideAddress[] = []
  /** Called before each change; what it throws is what the change fails with. */
  before: () => void | Promise<void> = () => {}

  async read(): Promise<KernelRules> {
    return {
      state: this.terms === undefined ? 'none' : 'standing',
      why: '',
      terms: this.terms,
      differences: [],
      nodes: this.nodes.length,
      blocked: { dns: NONE, lan: NONE, ipv6: NONE, forwarded: NONE, other: NONE },
    }
  }

  async put({ since, allowLan, uid }: KillSwitchTerms, nodes: readonly OutsideAddress[]): Promise<void> {
    await this.before()
    this.terms = { since, allowLan, uid }
    this.nodes = nodes
  }

  async setNodes(nodes: readonly OutsideAddress[]): Promise<void> {
    await this.before()
    this.nodes = nodes
  }

  async clear(): Promise<void> {
    await this.before()
    this.terms = undefined
    this.nodes = []
  }
}
