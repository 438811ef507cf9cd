import { isObject, type JsonObject } from './bundle.ts';

/**
 * The values at a dotted path, such as `component.code`: lists on the way and at the end are walked through, so a path
 * may have none, one or many values.
 */
export function valuesAt(content: JsonObject, path: string): readonly unknown[] {
  let values: readonly unknown[] = [content];
  for (const name of path.split('.'))
    values = values.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : []));
  return values;
}

/** The first non-empty text at the first of the paths that has one. */
export function firstText(content: JsonObject, paths: readonly string[]): string | undefined {
  for (const path of paths)
    for (const value of valuesAt(content, path)) if (typeof value === 'string' && value !== '') return value;
  return undefined;
}
