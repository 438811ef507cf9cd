import type { Effect } from '../../src/consensus/effect.ts';
import type { Input } from '../../src/consensus/input.ts';
import { EFFECT_NAMES, INPUT_NAMES, MESSAGE_NAMES } from './coverage.ts';

/** Everything that the nodes of a run did, as counts and as one hash (two multiplicative lanes). */
export class Trace {
  readonly #counts = new Map<string, number>();
  #a = 0x811c9dc5;
  #b = 0x01000193;

  get hash(): string {
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  note(nowMs: number, node: number, input: Input, effects: readonly Effect[]): void {
    this.#mix(nowMs);
    this.#mix(node);
    if (input.kind === 'Message') {
      const { message } = input;
      this.count(MESSAGE_NAMES[message.kind]);
      if (message.kind === 'Decided') this.#mixBytes(message.certificate.blockHash);
      else this.#mixBytes(message.signature);
    } else {
      this.count(INPUT_NAMES[input.kind]);
      this.#mix(input.kind.length);
    }
    for (const effect of effects) this.#noteEffect(effect);
  }

  count(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  #noteEffect(effect: Effect): void {
    this.#mix(effect.kind.length * 256 + effect.kind.charCodeAt(0));
    if (effect.kind === 'Report') this.count(`report.${effect.code}`);
    else if (effect.kind === 'Validate') this.count(`effect.Validate.${effect.mode}`);
    else this.count(EFFECT_NAMES[effect.kind]);
  }

  #mixBytes(bytes: Uint8Array): void {
    for (let i = 0; i < 16; i += 1) this.#mix(bytes[i]!);
  }

  #mix(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x01000193);
    this.#b = Math.imul(this.#b ^ value, 0x85ebca6b) ^ (this.#b >>> 13);
  }
}
