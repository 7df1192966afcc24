// Spoken calls: what is said, in which order, and what is left out when there is too much to say. No browser in here:
// the voice, the chime and the time are given, so that tests can bring their own.

const DIGITS = "零一二三四五六七八九";
export const CLIP_OF = { ...Object.fromEntries(Array.from(DIGITS, (digit, value) => [digit, String(value)])), 十: "ten", 百: "hundred" };
export const REPEATS_UP_TO = 2; // calls in the queue; with more, each is said once
export const ENGLISH_UP_TO = 3;
export const CHIME_UP_TO = 8;

export function chineseNumber(value) {
  if (value < 10) return DIGITS[value];
  if (value < 20) return `十${value % 10 ? DIGITS[value % 10] : ""}`;
  if (value < 100) return `${DIGITS[Math.floor(value / 10)]}十${value % 10 ? DIGITS[value % 10] : ""}`;
  const rest = value % 100;
  const tail = rest === 0 ? "" : rest < 10 ? `零${DIGITS[rest]}` : rest < 20 ? `一${chineseNumber(rest)}` : chineseNumber(rest);
  return `${DIGITS[Math.floor(value / 100)]}百${tail}`;
}

// A001 is read letter by letter and digit by digit.
export const spokenTicket = (number) => number.replace(/\d/g, (digit) => DIGITS[Number(digit)]);
export const spokenCounter = (name) => name.replace(/\d+/g, (digits) => (Number(digits) < 1000 ? chineseNumber(Number(digits)) : digits));

export function sentence(call, language) {
  if (language === "en") return `Ticket ${Array.from(call.number).join(" ")}, please go to ${call.nameEn}.`;
  return `请${spokenTicket(call.number)}号到${spokenCounter(call.name)}`;
}

// What is said for one call when `waiting` more are behind it: [{chime}] or [{language, text, call}].
export function parts(call, waiting, languages) {
  const chinese = { language: "zh-CN", text: sentence(call, "zh-CN"), call };
  const english = languages.includes("en") ? [{ language: "en", text: sentence(call, "en"), call }] : [];
  return [
    ...(waiting <= CHIME_UP_TO ? [{ chime: true }] : []),
    chinese,
    ...(waiting <= REPEATS_UP_TO ? [chinese] : []),
    ...(waiting <= ENGLISH_UP_TO ? english : []),
  ];
}

// One queue for one audio zone. `say(part)` resolves when the part has been heard.
export class Announcer {
  constructor({ say, languages, now_ms, begun, ended }) {
    Object.assign(this, { say, languages, now_ms, begun, ended });
    this.queue = [];
    this.isSpeaking = false;
    this.worst_lag_ms = 0;
  }

  // A call that is still to be said is not said twice; a later counter for the same number replaces the earlier one.
  add(call) {
    this.queue = this.queue.filter((one) => one.number !== call.number);
    this.queue.push({ ...call, at_ms: this.now_ms() });
    if (!this.isSpeaking) this.#speak();
  }

  // Leave unsaid what `isDue(call)` says is over.
  keep(isDue) {
    this.queue = this.queue.filter(isDue);
  }

  get lag_ms() {
    return this.queue.length ? this.now_ms() - this.queue[0].at_ms : 0;
  }

  async #speak() {
    this.isSpeaking = true;
    while (this.queue.length) {
      const call = this.queue.shift();
      const lag_ms = this.now_ms() - call.at_ms;
      this.worst_lag_ms = Math.max(this.worst_lag_ms, lag_ms);
      this.begun?.(call, lag_ms);
      for (const part of parts(call, this.queue.length, this.languages)) await this.say(part);
      this.ended?.(call);
    }
    this.isSpeaking = false;
  }
}
