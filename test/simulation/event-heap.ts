/** What happens when, in virtual milliseconds; events of one instant in the order in which they were planned. */
export class EventHeap {
  #events: { readonly atMs: number; readonly order: number; readonly act: () => void }[] = [];
  #planned = 0;
  nowMs = 0;

  plan(afterMs: number, act: () => void): void {
    this.#planned += 1;
    const heap = this.#events;
    heap.push({ atMs: this.nowMs + afterMs, order: this.#planned, act });
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) break;
      [heap[child], heap[parent]] = [heap[parent]!, heap[child]!];
      child = parent;
    }
  }

  /** Runs the next event, if it is due by `untilMs`; false when there is none. */
  runNext(untilMs: number): boolean {
    const heap = this.#events;
    const first = heap[0];
    if (first === undefined || first.atMs > untilMs) return false;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sinkRoot();
    }
    this.nowMs = first.atMs;
    first.act();
    return true;
  }

  #sinkRoot(): void {
    const heap = this.#events;
    let parent = 0;
    while (true) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2])
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      if (least === parent) return;
      [heap[least], heap[parent]] = [heap[parent]!, heap[least]!];
      parent = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#events[a]!, this.#events[b]!];
    return x.atMs < y.atMs || (x.atMs === y.atMs && x.order < y.order);
  }
}
