/**
 * `code` with comments and the contents of strings, template texts and regular expressions blanked by spaces. Lines
 * and columns stay. A slash after a value divides, anywhere else it opens a regular expression.
 */
export function withoutCommentsAndStrings(code: string): string {
  return blank(code, true);
}

/** `code` with only its comments blanked: what import statements are read from. */
export function withoutComments(code: string): string {
  return blank(code, false);
}

const AFTER_VALUE = /(?:[\w$)\]}]|\+\+|--)\s*$/;
const AFTER_KEYWORD = /\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)\s*$/;

function blank(code: string, stringsToo: boolean): string {
  let out = '';
  let position = 0;
  /** Depth of braces within each open `${…}`, innermost last. */
  const substitutions: number[] = [];
  const hide = (end: number, hidden: boolean) => {
    const part = code.slice(position, end);
    out += hidden ? part.replace(/[^\n]/g, ' ') : part;
    position = end;
  };
  const literal = (end: number) => {
    hide(position + 1, false);
    hide(Math.max(position, end - 1), stringsToo);
    hide(end, false);
  };
  const template = () => {
    const end = templateTextEnd(code, position + 1);
    const opensSubstitution = code[end - 1] === '{';
    if (opensSubstitution) substitutions.push(0);
    literal(end);
  };
  while (position < code.length) {
    const character = code[position]!;
    const next = code[position + 1];
    if (character === '/' && next === '/') hide(lineEnd(code, position), true);
    else if (character === '/' && next === '*') hide(endAfter(code, '*/', position + 2), true);
    else if (character === "'" || character === '"') literal(stringEnd(code, position + 1, character));
    else if (character === '`') template();
    else if (character === '/' && (!AFTER_VALUE.test(out.slice(-80)) || AFTER_KEYWORD.test(out.slice(-80))))
      literal(regexEnd(code, position + 1));
    else if (character === '}' && substitutions.at(-1) === 0) {
      substitutions.pop();
      template();
    } else {
      if (substitutions.length > 0 && character === '{') substitutions[substitutions.length - 1]! += 1;
      if (substitutions.length > 0 && character === '}') substitutions[substitutions.length - 1]! -= 1;
      hide(position + 1, false);
    }
  }
  return out;
}

function endAfter(code: string, mark: string, from: number): number {
  const found = code.indexOf(mark, from);
  return found < 0 ? code.length : found + mark.length;
}

function lineEnd(code: string, from: number): number {
  const found = code.indexOf('\n', from);
  return found < 0 ? code.length : found;
}

function stringEnd(code: string, from: number, quote: string): number {
  for (let i = from; i < code.length; i += 1) {
    if (code[i] === '\\') i += 1;
    else if (code[i] === quote || code[i] === '\n') return i + 1;
  }
  return code.length;
}

/** The position after the closing backtick or after the next opening of a substitution. */
function templateTextEnd(code: string, from: number): number {
  for (let i = from; i < code.length; i += 1) {
    if (code[i] === '\\') i += 1;
    else if (code[i] === '`') return i + 1;
    else if (code[i] === '$' && code[i + 1] === '{') return i + 2;
  }
  return code.length;
}

function regexEnd(code: string, from: number): number {
  let inClass = false;
  for (let i = from; i < code.length; i += 1) {
    const character = code[i];
    if (character === '\\') i += 1;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if ((character === '/' && !inClass) || character === '\n') return i + 1;
  }
  return code.length;
}
