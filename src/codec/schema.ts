import { DecodeError } from './decode-error.ts';

/**
 * How values of one format map to CBOR items and back. A format is declared once with the combinators below; the
 * order of fields in a declaration is the order of the bytes.
 */
export interface Schema<T> {
  /** The CBOR item (number, boolean, null, string, Uint8Array, array) of a value. Throws a RangeError outside bounds. */
  toItem(value: T): unknown;
  /** The value of a decoded item; `at` names the place in error messages. Throws a DecodeError outside bounds. */
  fromItem(item: unknown, at: string): T;
}

function schema<T>(expected: string, test: (value: unknown) => boolean): Schema<T> {
  return {
    toItem(value) {
      if (!test(value)) throw new RangeError(`not ${expected}`);
      return value;
    },
    fromItem(item, at) {
      if (!test(item)) throw new DecodeError(`${at || 'value'} is not ${expected}`);
      return item as T;
    },
  };
}

/** An integer from 0 to `max`. */
export function uint(max: number = Number.MAX_SAFE_INTEGER): Schema<number> {
  return schema(
    `an integer from 0 to ${max}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max,
  );
}

/** A byte string of exactly `length` bytes. */
export function bytes(length: number): Schema<Uint8Array> {
  return schema(`${length} bytes`, (value) => value instanceof Uint8Array && value.length === length);
}

/** A byte string of at most `max` bytes. */
export function bytesUpTo(max: number): Schema<Uint8Array> {
  return schema(`at most ${max} bytes`, (value) => value instanceof Uint8Array && value.length <= max);
}

/** A well-formed text of at most `maxBytes` UTF-8 bytes that does not begin with a byte-order mark. */
export function text(maxBytes: number): Schema<string> {
  return schema(
    `a text of at most ${maxBytes} bytes`,
    (value) =>
      typeof value === 'string' &&
      value.length <= maxBytes &&
      value.isWellFormed() &&
      !value.startsWith('\ufeff') &&
      new TextEncoder().encode(value).length <= maxBytes,
  );
}

/** True or false. */
export const boolean: Schema<boolean> = schema('a boolean', (value) => typeof value === 'boolean');

/** A value or null. */
export function nullable<T>(inner: Schema<T>): Schema<T | null> {
  return {
    toItem: (value) => (value === null ? null : inner.toItem(value)),
    fromItem: (item, at) => (item === null ? null : inner.fromItem(item, at)),
  };
}

/** At most `max` values of one schema, as an array. */
export function list<T>(inner: Schema<T>, max: number): Schema<readonly T[]> {
  return {
    toItem(values) {
      if (values.length > max) throw new RangeError(`more than ${max} elements`);
      return values.map((value) => inner.toItem(value));
    },
    fromItem(item, at) {
      if (!Array.isArray(item) || item.length > max)
        throw new DecodeError(`${at || 'value'} is not an array of at most ${max}`);
      return item.map((element, index) => inner.fromItem(element, `${at}[${index}]`));
    },
  };
}

type Fields<T> = { readonly [K in keyof T]: Schema<T[K]> };

/** An object as an array of its fields in declared order. */
export function struct<T extends object>(fields: Fields<T>): Schema<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return {
    toItem(value) {
      return names.map((name) => fields[name].toItem(value[name]));
    },
    fromItem(item, at) {
      if (!Array.isArray(item) || item.length !== names.length)
        throw new DecodeError(`${at || 'value'} is not an array of ${names.length}`);
      const value: Partial<T> = {};
      names.forEach((name, index) => {
        value[name] = fields[name].fromItem(item[index], at === '' ? name : `${at}.${name}`);
      });
      return value as T;
    },
  };
}

/** One of several named constants, as its number. */
export function enumeration<K extends string>(codes: Readonly<Record<K, number>>): Schema<K> {
  const names = new Map<unknown, K>((Object.keys(codes) as K[]).map((name) => [codes[name], name]));
  return {
    toItem(value) {
      const code = codes[value];
      if (code === undefined) throw new RangeError(`unknown constant ${String(value)}`);
      return code;
    },
    fromItem(item, at) {
      const name = names.get(item);
      if (name === undefined) throw new DecodeError(`${at || 'value'} is an unknown constant`);
      return name;
    },
  };
}

type Variants<U extends { readonly kind: string }> = {
  readonly [K in U['kind']]: readonly [code: number, schema: Schema<Omit<Extract<U, { readonly kind: K }>, 'kind'>>];
};

/** A union on `kind`, as `[code, fields]`. */
export function union<U extends { readonly kind: string }>(variants: Variants<U>): Schema<U> {
  type AnyVariant = readonly [number, Schema<object>];
  const byCode = new Map<unknown, readonly [string, AnyVariant[1]]>();
  for (const [kind, variant] of Object.entries(variants) as [string, AnyVariant][])
    byCode.set(variant[0], [kind, variant[1]]);
  return {
    toItem(value) {
      const variant = (variants as unknown as Record<string, AnyVariant>)[value.kind];
      if (variant === undefined) throw new RangeError(`unknown kind ${value.kind}`);
      return [variant[0], variant[1].toItem(value)];
    },
    fromItem(item, at) {
      const variant = Array.isArray(item) && item.length === 2 ? byCode.get(item[0]) : undefined;
      if (variant === undefined) throw new DecodeError(`${at || 'value'} has an unknown kind`);
      const [kind, inner] = variant;
      return { kind, ...inner.fromItem((item as unknown[])[1], at === '' ? kind : `${at}.${kind}`) } as unknown as U;
    },
  };
}
