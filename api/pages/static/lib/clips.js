// Recorded words, where the browser has no voice: which of them make a sentence, and playing them one after the other.
import { CLIP_OF, chineseNumber } from "./announcer.js";

const MOST_MS = 6_000; // a clip that never says that it has ended

// The words of a call in order. The counter's own clip, where there is one, else its number: both are given.
export function clipNames(call, language) {
  const number = Array.from(call.number);
  const digits = /\d+/.exec(call.name)?.[0] ?? "";
  const own = `counter-${call.counter}`;
  if (language === "en") return { words: ["ticket", ...number, "go-to"], own, otherwise: digits ? ["counter", ...digits] : null };
  return { words: ["please", ...number, "to"], own, otherwise: digits && Number(digits) < 1000 ? [...Array.from(chineseNumber(Number(digits)), (one) => CLIP_OF[one]), "window"] : null };
}

export class Clips {
  constructor() {
    this.paths = new Map();
    this.ready = this.#load();
  }

  async #load() {
    const answer = await fetch("/clips/index.json").catch(() => null);
    const items = answer?.ok ? (await answer.json()).items : [];
    for (const path of items) this.paths.set(path.slice(0, path.lastIndexOf(".")), `/clips/${path}`);
  }

  // The addresses of a call's clips; null where one of them is missing: half a sentence would send nobody anywhere.
  of(call, language) {
    const { words, own, otherwise } = clipNames(call, language);
    const names = [...words, ...(this.paths.has(`${language}/${own}`) ? [own] : otherwise ?? [own])];
    const found = names.map((name) => this.paths.get(`${language}/${name}`));
    return found.every(Boolean) ? found : null;
  }

  async play(addresses) {
    for (const address of addresses) {
      await new Promise((resolve) => {
        const sound = new Audio(address);
        const over = setTimeout(resolve, MOST_MS);
        sound.onended = sound.onerror = () => { clearTimeout(over); resolve(); };
        sound.play().catch(() => sound.onerror());
      });
    }
  }
}
