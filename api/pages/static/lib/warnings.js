// Warnings to who is in charge: what each says, what to do about it, a sound until somebody has seen it.
import { button, h } from "./dom.js";
import { clock, lasting, named, span, t } from "./words.js";
import { Voice } from "./voice.js";

const RING_MS = 20_000;
const voice = window.queueVoice ?? new Voice(); // a test brings a recorder

// The numbers of an alert as people read them.
function values(alert, plan) {
  const given = alert.values;
  const seconds = given.silent_s ?? given.idle_s ?? given.rung_s ?? given.long_s;
  const times = (value) => (value === undefined ? "" : t("times", { factor: Math.round(value * 10) / 10 }));
  return {
    counter: alert.counter ? plan.counterName(alert.counter) : "", service: named(plan.serviceOf[given.service ?? alert.service]),
    time: seconds === undefined ? "" : given.long_s ? lasting(seconds) : span(seconds), burn: times(given.long), limit: times(given.limit), counted: given.counted,
    waiting: given.waiting, expected: given.expected_misses, allowed: given.allowed,
  };
}

export const standing = (alerts) => alerts.filter((one) => !one.cleared_at);

export function alertNotice(alert, plan, acknowledge) {
  const urgent = !["burning_slowly", "idle_while_waiting"].includes(alert.kind);
  const seen = alert.acknowledged_at && (alert.acknowledged_by
    ? t("seen-by", { name: alert.acknowledged_by, time: clock(alert.acknowledged_at, plan.time_zone) }) : t("seen-at", { time: clock(alert.acknowledged_at, plan.time_zone) }));
  return h("div", { class: `notice spread alert ${urgent ? "bad" : ""} ${seen ? "calm" : ""}`, role: seen ? null : "alert" },
    h("p", {}, h("strong", {}, t(`alert-${alert.kind}`, values(alert, plan))), h("span.todo", {}, t(`todo-${alert.kind}`)), h("span.small", {}, t("alert-since", { time: clock(alert.since, plan.time_zone) }))),
    seen ? h("span.small", {}, seen) : button({ onclick: () => acknowledge(alert) }, t("acknowledge")));
}

// Rings when there is something new, and again until all of it was seen. `hasSound` is who is in charge's wish.
export class Bell {
  constructor() {
    this.known = new Set();
    this.hasSound = localStorage.getItem("board-sound") !== "off";
    setInterval(() => this.#ring(), RING_MS);
  }

  hear(ids) {
    const isNew = ids.some((id) => !this.known.has(id));
    this.known = new Set(ids);
    if (isNew) this.#ring();
  }

  toggle() {
    this.hasSound = !this.hasSound;
    localStorage.setItem("board-sound", this.hasSound ? "on" : "off");
    if (this.hasSound) voice.say({ chime: true });
  }

  #ring() {
    if (this.hasSound && this.known.size) voice.say({ chime: true });
  }
}
