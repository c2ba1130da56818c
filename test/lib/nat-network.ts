import { execFileSync } from 'node:child_process'

/**
 * How a router stands between its hosts and the others, in the words of RFC 4787 and 5382: `full-cone` lets everybody in
 * at the face that a port has; `restricted` keeps one face towards all, and lets in whom the host has called there;
 * `symmetric` has another face towards each.
 */
export type NatKind = 'full-cone' | 'restricted' | 'symmetric'

/** Addresses of the outside are on one wire, each in a /16 of its own. */
const OUTSIDE = 8

/** Namespaces of the test's own: a wire for the outside, hosts on it, and hosts behind routers. All go with it. */
export class NatNetwork implements Disposable {
  readonly #prefix = `weft${process.pid.toString(36)}`
  readonly #namespaces: string[] = []
  readonly #wire: string
  /** The end on the wire of each outside host, by its namespace. */
  readonly #ports = new Map<string, string>()

  constructor() {
    this.#wire = this.#add('wire')
    this.#ip('-n', this.#wire, 'link', 'add', 'bridge', 'type', 'bridge')
    this.#ip('-n', this.#wire, 'link', 'set', 'bridge', 'up')
  }

  /** A host on the outside. Returns its namespace. */
  outside(name: string, address: string): string {
    const namespace = this.#add(name)
    const port = `port${this.#ports.size + 1}`
    this.#ports.set(namespace, port)
    this.#ip('-n', this.#wire, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'out', 'netns', namespace)
    this.#ip('-n', this.#wire, 'link', 'set', port, 'master', 'bridge', 'up')
    this.#ip('-n', namespace, 'address', 'add', `${address}/${OUTSIDE}`, 'dev', 'out')
    this.#ip('-n', namespace, 'link', 'set', 'out', 'up')
    return namespace
  }

  /** A host behind a router of its own, which has the address on the outside. Returns the host's namespace. */
  behind(kind: NatKind, name: string, address: string): string {
    const router = this.outside(`${name}-r`, address)
    const host = this.#add(name)
    this.#ip('-n', router, 'link', 'add', 'in', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host)
    this.#ip('-n', router, 'address', 'add', '10.7.0.1/24', 'dev', 'in')
    this.#ip('-n', router, 'link', 'set', 'in', 'up')
    this.#ip('-n', host, 'address', 'add', '10.7.0.2/24', 'dev', 'eth0')
    this.#ip('-n', host, 'link', 'set', 'eth0', 'up')
    this.#ip('-n', host, 'route', 'add', 'default', 'via', '10.7.0.1')
    this.#ip('netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
    execFileSync('ip', ['netns', 'exec', router, 'nft', '-f', '-'], { input: rules(kind), stdio: 'pipe' })
    return host
  }

  /** Lets a host on the outside send and be sent so many Mbit/s (tc-tbf(8)). */
  limit(namespace: string, mbit: number): void {
    for (const words of this.#ends(namespace))
      execFileSync('tc', [...words, 'tbf', 'rate', `${mbit}mbit`, 'burst', '32kb', 'latency', '200ms'], {
        stdio: 'pipe',
      })
  }

  /** Takes the limit away. */
  unlimit(namespace: string): void {
    for (const words of this.#ends(namespace))
      execFileSync(
        'tc',
        words.map((word) => (word === 'replace' ? 'delete' : word)),
        { stdio: 'pipe' },
      )
  }

  #ends(namespace: string): readonly (readonly string[])[] {
    const port = this.#ports.get(namespace)
    if (port === undefined) throw new Error(`${namespace} is no host on the outside`)
    return [
      ['-n', namespace, 'qdisc', 'replace', 'dev', 'out', 'root'],
      ['-n', this.#wire, 'qdisc', 'replace', 'dev', port, 'root'],
    ]
  }

  [Symbol.dispose](): void {
    for (const namespace of this.#namespaces.toReversed()) {
      try {
        this.#ip('netns', 'delete', namespace)
      } catch {
        // What is left of a set-up that failed half-way.
      }
    }
  }

  #add(name: string): string {
    const namespace = `${this.#prefix}-${name}`
    this.#ip('netns', 'add', namespace)
    this.#namespaces.push(namespace)
    this.#ip('-n', namespace, 'link', 'set', 'lo', 'up')
    return namespace
  }

  #ip(...words: readonly string[]): void {
    execFileSync('ip', words, { stdio: 'pipe' })
  }
}

function rules(kind: NatKind): string {
  // Linux keeps the port of a connection where it is free, and so gives it one face towards all, unless told otherwise.
  const face = kind === 'symmetric' ? 'masquerade fully-random' : 'masquerade'
  const inbound = kind === 'full-cone' ? 'iifname "out" meta l4proto tcp dnat to 10.7.0.2' : ''
  return `
table ip nat {
  chain inbound {
    type nat hook prerouting priority dstnat
    ${inbound}
  }
  chain outbound {
    type nat hook postrouting priority srcnat
    oifname "out" ${face}
  }
}
table ip filter {
  chain input {
    type filter hook input priority filter; policy drop
    iifname "in" accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop
    iifname "in" accept
    ct state established,related accept
    ct status dnat accept
  }
}
`
}
