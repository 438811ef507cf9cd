// Loaded into a node by --import: its wall clock is off by WRONG_CLOCK_MS; its monotonic clock is right.
const offMs = Number(process.env['WRONG_CLOCK_MS']);
const RightDate = Date;

class WrongDate extends RightDate {
  constructor(...given: readonly unknown[]) {
    super(...((given.length === 0 ? [WrongDate.now()] : given) as [number]));
  }

  static override now(): number {
    return RightDate.now() + offMs;
  }
}

globalThis.Date = WrongDate as unknown as DateConstructor;
