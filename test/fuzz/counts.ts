/** How often what happened, by name. */
export type Counts = Readonly<Record<string, number>>;

/** Counts what happens. */
export function counter(): { readonly all: Counts; add(name: string): void } {
  const all: Record<string, number> = {};
  return {
    all,
    add(name) {
      all[name] = (all[name] ?? 0) + 1;
    },
  };
}
