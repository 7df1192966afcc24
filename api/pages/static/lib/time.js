// The hall's time, as its node tells it: this machine's clock may be wrong, and a demonstration's day runs fast.

let offset_ms = 0;

export function heard(at) {
  if (at) offset_ms = Date.parse(at) - Date.now();
}

export const now_ms = () => Date.now() + offset_ms;
export const since_s = (at) => (now_ms() - Date.parse(at)) / 1000;
