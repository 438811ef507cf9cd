import path from 'node:path';
import { lineAt, type SourceFiles } from './source-files.ts';
import { withoutComments } from './source-text.ts';

/** What the files under one path may import of the project. Paths are prefixes from the top of the tree. */
interface ImportRule {
  readonly files: string;
  readonly mayImport: readonly string[];
  /** Exceptions from `mayImport`. */
  readonly except?: readonly string[];
  /** True for code that a browser loads: no `node:` modules. */
  readonly browserSafe?: true;
}

const BROWSER_SAFE_CRYPTO = { mayImport: ['src/codec/', 'src/crypto/'], except: ['src/crypto/node/'] } as const;
const LEDGER = ['src/ledger/', ...BROWSER_SAFE_CRYPTO.mayImport] as const;

/** Who may import whom. A file falls under the longest matching `files`; what no rule names may not be imported. */
const IMPORT_TABLE: readonly ImportRule[] = [
  { files: 'src/codec/', mayImport: ['src/codec/'], browserSafe: true },
  { files: 'src/crypto/', ...BROWSER_SAFE_CRYPTO, browserSafe: true },
  { files: 'src/crypto/node/', mayImport: ['src/codec/', 'src/crypto/'] },
  { files: 'src/ledger/', mayImport: LEDGER, except: ['src/crypto/node/'], browserSafe: true },
  { files: 'src/consensus/', mayImport: ['src/consensus/', ...LEDGER], except: ['src/crypto/node/'] },
  { files: 'src/index/', mayImport: ['src/index/', ...LEDGER] },
  {
    files: 'src/index/inner/',
    mayImport: ['src/index/inner/', ...LEDGER],
    except: ['src/crypto/node/'],
    browserSafe: true,
  },
  { files: 'src/storage/', mayImport: ['src/storage/', ...LEDGER] },
  { files: 'src/p2p/', mayImport: ['src/p2p/', ...LEDGER] },
  {
    files: 'src/node/',
    mayImport: ['src/node/', 'src/consensus/', 'src/index/', 'src/storage/', 'src/p2p/', ...LEDGER],
  },
  {
    files: 'src/api/',
    mayImport: ['src/api/', 'src/node/ports.ts', 'src/ledger/', 'src/codec/', 'src/crypto/address.ts'],
  },
  {
    files: 'src/api/contract',
    mayImport: ['src/api/contract', 'src/ledger/', 'src/codec/', 'src/crypto/address.ts'],
    browserSafe: true,
  },
  {
    files: 'src/client/',
    mayImport: ['src/client/', 'src/index/inner/', 'src/api/contract', ...LEDGER],
    except: ['src/crypto/node/'],
    browserSafe: true,
  },
  { files: 'src/cli/', mayImport: ['src/cli/', 'src/node/', 'src/api/', 'src/client/', ...LEDGER] },
  { files: 'bin/', mayImport: ['bin/', 'src/cli/'] },
  { files: 'web/', mayImport: ['web/', 'src/client/'], browserSafe: true },
];

/** Package-internal specifiers (`imports` of package.json): which files may use each. */
const SUBPATH_USERS: ReadonlyMap<string, string> = new Map([['#sha256', 'src/crypto/']]);

/** One import, re-export, dynamic import or worker URL of a file. */
export interface Import {
  readonly from: string;
  readonly line: number;
  readonly specifier: string;
  /** Path of the imported file of the project; null for packages, `node:` modules and `#` specifiers. */
  readonly target: string | null;
  /** True when only a URL is taken, as for a worker's file: no module of this process. */
  readonly url: boolean;
}

const STATEMENT = /\b(?:import|export)\b[^'"`;=()]*?\bfrom\s*(['"])([^'"\n]+)\1|\bimport\s*\(?\s*(['"`])([^'"`\n]+)\3/g;
const WORKER_URL = /\bnew\s+URL\s*\(\s*(['"`])(\.{1,2}\/[^'"`\n]+)\1/g;

/** Every import of every file; type-only ones too, since they tie the folders together all the same. */
export function findImports(files: SourceFiles): readonly Import[] {
  const imports: Import[] = [];
  for (const [from, text] of files) {
    const code = withoutComments(text);
    const add = (match: RegExpMatchArray, specifier: string, url: boolean) => {
      const target = specifier.startsWith('.') ? path.posix.join(path.posix.dirname(from), specifier) : null;
      imports.push({ from, line: lineAt(code, match.index ?? 0), specifier, target, url });
    };
    for (const match of code.matchAll(STATEMENT)) add(match, (match[2] ?? match[4])!, false);
    for (const match of code.matchAll(WORKER_URL)) add(match, match[2]!, true);
  }
  return imports;
}

/** Imports that the table forbids, and files that stand under no rule. */
export function importFaults(files: SourceFiles): readonly string[] {
  const faults: string[] = [];
  for (const from of files.keys())
    if (ruleOf(from) === undefined) faults.push(`${from}: no import rule for its folder`);
  for (const entry of findImports(files)) {
    const rule = ruleOf(entry.from);
    if (rule === undefined) continue;
    const fault = faultOf(entry, rule);
    if (fault !== null) faults.push(`${entry.from}:${entry.line}: ${fault}`);
  }
  return faults;
}

function ruleOf(file: string): ImportRule | undefined {
  return IMPORT_TABLE.filter((rule) => file.startsWith(rule.files)).sort((a, b) => b.files.length - a.files.length)[0];
}

function faultOf({ from, specifier, target }: Import, rule: ImportRule): string | null {
  if (specifier.startsWith('#')) {
    const users = SUBPATH_USERS.get(specifier);
    return users !== undefined && from.startsWith(users) ? null : `may not import ${specifier}`;
  }
  if (target === null)
    return rule.browserSafe && specifier.startsWith('node:')
      ? `runs in browsers too, may not import ${specifier}`
      : null;
  const allowed = rule.mayImport.some((prefix) => target.startsWith(prefix));
  const excepted = rule.except?.some((prefix) => target.startsWith(prefix)) ?? false;
  return allowed && !excepted ? null : `${rule.files} may not import ${target}`;
}

/** Circles of imports between files, each as `a → b → a`, starting at its first file in alphabetical order. */
export function importCircles(files: SourceFiles): readonly string[] {
  const edges = new Map<string, string[]>();
  for (const { from, target, url } of findImports(files)) {
    if (target !== null && !url) edges.set(from, [...(edges.get(from) ?? []), target]);
  }
  const circles = new Set<string>();
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      circles.add(circleText(path.slice(start)));
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of edges.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of [...edges.keys()].sort()) visit(file);
  return [...circles];
}

function circleText(circle: readonly string[]): string {
  const first = circle.indexOf([...circle].sort()[0]!);
  const turned = [...circle.slice(first), ...circle.slice(0, first)];
  return [...turned, turned[0]!].join(' → ');
}
