import type { Effect } from '../../src/consensus/effect.ts';
import type { Input } from '../../src/consensus/input.ts';

/** Everything that the nodes of a run did, as counts and as one hash (FNV-1a over two lanes). */
export class Trace {
  readonly counts: Record<string, number> = {};
  #lanes: [number, number] = [0x811c9dc5, 0x01000193];

  get hash(): string {
    return this.#lanes.map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
  }

  note(nowMs: number, node: number, input: Input, effects: readonly Effect[]): void {
    const what = input.kind === 'Message' ? `message.${input.message.kind}` : `input.${input.kind}`;
    this.count(what);
    this.#mix(`${nowMs}/${node}/${what}`);
    if (input.kind === 'Message' && input.message.kind !== 'Decided') this.#mix(input.message.signature.join(','));
    for (const effect of effects) this.#noteEffect(effect);
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #noteEffect(effect: Effect): void {
    this.#mix(effect.kind);
    if (effect.kind === 'Report') this.count(`report.${effect.code}`);
    else if (effect.kind === 'Validate') this.count(`effect.Validate.${effect.mode}`);
    else this.count(`effect.${effect.kind}`);
  }

  #mix(text: string): void {
    let [a, b] = this.#lanes;
    for (let i = 0; i < text.length; i += 1) {
      a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
      b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b) ^ (b >>> 13);
    }
    this.#lanes = [a, b];
  }
}
