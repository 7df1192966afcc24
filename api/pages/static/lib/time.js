// The hall's time, as its node tells it: this machine's clock may be wrong, and a demonstration's day runs fast.

let offset_ms = 0;

export function heard(at) {
  if (at) offset_ms = Date.parse(at) - Date.now();
}

export const now_ms = () => Date.now() + offset_ms;
export const since_s = (at) => (now_ms() - Date.parse(at)) / 1000;

// The moment at which a clock of the hall shows `time` (HH:MM) on `day` (YYYY-MM-DD).
export function atHallTime(day, time, zone) {
  const wanted_ms = Date.parse(`${day}T${time}:00Z`);
  const shown = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  const off_ms = (at_ms) => Date.parse(`${shown.format(at_ms).replace(" ", "T")}Z`) - at_ms;
  return new Date(wanted_ms - off_ms(wanted_ms - off_ms(wanted_ms))).toISOString();
}
