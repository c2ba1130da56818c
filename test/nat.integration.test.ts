import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { SigningKey } from '@weft/crypto'
import type { Role } from '@weft/overlay'
import { PLACES, type Place, WAYS } from '../packages/devnet/test/simulation/nat-ways.ts'
import type { ReachNodeOptions, ReachNodeState } from '../packages/overlay/test/reach-process.ts'
import { eventually } from './lib/eventually.ts'
import { NatNetwork } from './lib/nat-network.ts'
import { skipWithout } from './lib/needs.ts'

const PORT = 25_600
/** ms: a node that was refused applies again after up to 90 s, and holes are punched again after 30, 60 and 300 s. */
const PATIENCE = 400_000
const NODE = join(import.meta.dirname, '../bin/node')
const PROGRAM = join(import.meta.dirname, '../packages/overlay/test/reach-process.ts')

/** A node in a namespace, and the last thing that it said of itself. */
class Machine implements AsyncDisposable {
  readonly id: string
  state: ReachNodeState | undefined
  #said = ''
  readonly #process: ChildProcess

  constructor(namespace: string, key: SigningKey, roles: readonly Role[], files: string) {
    this.id = key.id
    const options: ReachNodeOptions = {
      networkFile: join(files, 'network.json'),
      seed: key.seed().toHex(),
      roles,
      port: PORT,
      directory: join(files, namespace),
    }
    this.#process = spawn('ip', ['netns', 'exec', namespace, NODE, PROGRAM, JSON.stringify(options)])
    const { stdout, stderr } = this.#process
    assert.ok(stdout !== null && stderr !== null)
    createInterface({ input: stdout }).on('line', (line) => (this.state = JSON.parse(line) as ReachNodeState))
    stderr.on('data', (chunk: Buffer) => (this.#said = `${this.#said}${chunk.toString()}`.slice(-4_000)))
  }

  get said(): string {
    return `${this.#said} ${JSON.stringify(this.state)}`
  }

  /** How it has that peer: directly, over a relay, or not. */
  way(id: string): 'direct' | 'relay' | 'none' {
    const peer = this.state?.peers.find((each) => each.id === id)
    if (peer?.state !== 'connected') return 'none'
    return peer.relayed === true ? 'relay' : 'direct'
  }

  /** Why it does not have that peer. */
  why(id: string): string {
    return this.state?.peers.find((each) => each.id === id)?.fault?.cause ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }
}

/** Resolves once all machines are so. */
async function allOf(what: string, all: readonly Machine[], are: (machine: Machine) => boolean): Promise<void> {
  const look = async (): Promise<readonly string[]> => all.filter((each) => !are(each)).map(({ said }) => said)
  await eventually(what, look, (missing) => missing.length === 0, PATIENCE)
}

test(
  'behind every kind of NAT nodes are reached, directly where it can be and over relays elsewhere',
  { skip: skipWithout('root', 'nat'), timeout: 900_000 },
  async (t) => {
    const files = mkdtempSync(join(tmpdir(), 'weft-nat-'))
    t.after(() => rmSync(files, { recursive: true, force: true }))
    using network = new NatNetwork()
    await using machines = new AsyncDisposableStack()
    const start = (namespace: string, key: SigningKey, roles: readonly Role[]): Machine =>
      machines.use(new Machine(namespace, key, roles, files))

    const validators = [1, 2, 3].map((index) => ({ key: SigningKey.generate(), address: `5.${index}.0.1` }))
    const text = JSON.stringify({
      schemaVersion: 1,
      name: 'nat',
      mapEpochMs: 2_000,
      createdAt: Date.now() - 20_000,
      validators: validators.map(({ key, address }, index) => ({
        id: key.id,
        addresses: [`/ip4/${address}/tcp/${PORT}`],
        roles: ['validator', 'relay', 'storage'],
        family: `family-${index}`,
      })),
    })
    writeFileSync(join(files, 'network.json'), text)
    const publicNodes = validators.map(({ key, address }, index) =>
      start(network.outside(`v${index}`, address), key, ['validator', 'relay', 'storage']),
    )
    const certified = (machine: Machine): boolean => machine.state?.admission.state === 'certified'
    await allOf('certificates of the validators', publicNodes, certified)

    const place = (kind: Place, name: string, net: number): string =>
      kind === 'outside' ? network.outside(name, `5.${net}.0.1`) : network.behind(kind, name, `5.${net}.0.1`)
    // One after the other: on a small machine ten programs that begin at once keep each other from answering in time.
    const nodes: { readonly kind: Place; readonly machine: Machine }[] = []
    for (const [index, kind] of PLACES.entries()) {
      const machine = start(place(kind, `n${index}`, 20 + index), SigningKey.generate(), ['storage'])
      await allOf(`the certificate of the node, ${kind}`, [machine], certified)
      const expected = kind === 'outside' || kind === 'full-cone' ? 'direct' : 'relayed'
      assert.equal(machine.state?.reach.state, expected, `${kind}: ${machine.said}`)
      nodes.push({ kind, machine })
    }
    for (const [index, kind] of PLACES.entries()) {
      const client = start(place(kind, `c${index}`, 40 + index), SigningKey.generate(), ['client'])
      const row = (): string => nodes.map((node) => `${node.kind}: ${client.way(node.machine.id)}`).join(', ')
      const expected = PLACES.map((to) => `${to}: ${WAYS[kind][to]}`).join(', ')
      try {
        await eventually(
          `the ways of the client, ${kind}`,
          async () => row(),
          (seen) => seen === expected,
          PATIENCE,
        )
      } catch (error) {
        for (const node of nodes) t.diagnostic(`${kind} -> ${node.kind}: ${client.why(node.machine.id)}`)
        throw error
      } finally {
        t.diagnostic(`client ${kind} -> ${row()}`)
      }
      await client[Symbol.asyncDispose]()
    }
  },
)
