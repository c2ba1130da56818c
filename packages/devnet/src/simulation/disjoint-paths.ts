/**
 * How many paths lead from one node to another that share no node but these two (Menger 1927): a maximum flow through the
 * graph in which each node is an arc that carries one path, found by augmenting paths (Ford and Fulkerson 1956, breadth
 * first). A direct link counts as one.
 * @param neighbours of each node; a link that only one side names is one all the same
 */
export function disjointPaths<Node>(neighbours: ReadonlyMap<Node, Iterable<Node>>, from: Node, to: Node): number {
  const graph = new ResidualGraph()
  const places = new Map<Node, number>()
  const placeOf = (node: Node): number => {
    let place = places.get(node)
    if (place === undefined) {
      place = graph.addNode(node === from || node === to ? Number.MAX_SAFE_INTEGER : 1)
      places.set(node, place)
    }
    return place
  }
  for (const [a, b] of linksOf(neighbours)) graph.addLink(placeOf(a), placeOf(b))
  let paths = 0
  while (graph.augment(placeOf(from), placeOf(to))) paths++
  return paths
}

/** Each link once. */
function* linksOf<Node>(neighbours: ReadonlyMap<Node, Iterable<Node>>): Generator<[Node, Node]> {
  const done = new Map<Node, Set<Node>>()
  for (const [node, others] of neighbours) {
    const seen = new Set<Node>([node])
    done.set(node, seen)
    for (const other of others) {
      if (seen.has(other)) continue
      seen.add(other)
      if (done.get(other)?.has(node) !== true) yield [node, other]
    }
  }
}

/** What each arc can still carry. A node is two vertices, 2n where paths come in and 2n + 1 where they leave. */
class ResidualGraph {
  /** Arcs in pairs: one and its reverse, which gives back what was carried. */
  readonly #heads: number[] = []
  readonly #room: number[] = []
  /** Arcs that leave a vertex. */
  readonly #arcs: number[][] = []

  addNode(room: number): number {
    const node = this.#arcs.length / 2
    this.#arcs.push([], [])
    this.#addArc(2 * node, 2 * node + 1, room)
    return node
  }

  addLink(a: number, b: number): void {
    this.#addArc(2 * a + 1, 2 * b, 1)
    this.#addArc(2 * b + 1, 2 * a, 1)
  }

  /** Finds one path more and takes it; false when there is none. */
  augment(from: number, to: number): boolean {
    const [start, end] = [2 * from + 1, 2 * to]
    /** The arc by which a vertex was reached. */
    const reachedBy = new Map<number, number>([[start, -1]])
    const queue = [start]
    for (const vertex of queue) {
      for (const arc of this.#arcs[vertex] ?? []) {
        const head = this.#heads[arc] as number
        if ((this.#room[arc] as number) === 0 || reachedBy.has(head)) continue
        reachedBy.set(head, arc)
        if (head === end) {
          this.#take(reachedBy, end)
          return true
        }
        queue.push(head)
      }
    }
    return false
  }

  #take(reachedBy: ReadonlyMap<number, number>, end: number): void {
    for (let arc = reachedBy.get(end); arc !== undefined && arc >= 0;) {
      this.#room[arc] = (this.#room[arc] as number) - 1
      this.#room[arc ^ 1] = (this.#room[arc ^ 1] as number) + 1
      arc = reachedBy.get(this.#heads[arc ^ 1] as number)
    }
  }

  #addArc(tail: number, head: number, room: number): void {
    this.#arcs[tail]?.push(this.#heads.length)
    this.#heads.push(head)
    this.#room.push(room)
    this.#arcs[head]?.push(this.#heads.length)
    this.#heads.push(tail)
    this.#room.push(0)
  }
}
