// Where each value of a JSON text stands: a fault is named in the line it belongs to. No browser in here.

export class Unreadable extends Error {
  constructor(at) {
    super("not JSON");
    this.at = at;
  }
}

const SCALAR = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const SPACE = /\s*/y;

// A map from JSON pointers to places in the text. Throws Unreadable with the place of the first character that is wrong.
export function positions(text) {
  const found = new Map();
  let at = 0;
  const take = (pattern) => { pattern.lastIndex = at; const match = pattern.exec(text); if (match) at = pattern.lastIndex; return match; };
  const skip = () => take(SPACE);
  const expect = (character) => { skip(); if (text[at] !== character) throw new Unreadable(at); at += 1; };
  const ends = (character) => { skip(); return text[at] === character; };

  function list(close, item) {
    at += 1;
    if (ends(close)) { at += 1; return; }
    for (let index = 0; ; index += 1) {
      item(index);
      skip();
      if (text[at] !== ",") break;
      at += 1;
    }
    expect(close);
  }

  function value(pointer, key_at = null) {
    skip();
    found.set(pointer, key_at ?? at);
    if (text[at] === "[") list("]", (index) => value(`${pointer}/${index}`));
    else if (text[at] === "{") list("}", () => member(pointer));
    else if (!take(SCALAR)) throw new Unreadable(at);
  }

  function member(pointer) {
    skip();
    const key_at = at;
    const key = text[at] === '"' ? take(SCALAR) : null;
    if (!key) throw new Unreadable(at);
    expect(":");
    value(`${pointer}/${JSON.parse(key[0]).replaceAll("~", "~0").replaceAll("/", "~1")}`, key_at);
  }

  value("");
  skip();
  if (at < text.length) throw new Unreadable(at);
  return found;
}

export const lineOf = (text, at) => text.slice(0, at).split("\n").length;

// The line of a pointer, or of the nearest value around it (a missing member has no line of its own).
export function lineAt(text, found, pointer) {
  let wanted = pointer;
  while (wanted && !found.has(wanted)) wanted = wanted.slice(0, wanted.lastIndexOf("/"));
  return lineOf(text, found.get(wanted) ?? 0);
}
