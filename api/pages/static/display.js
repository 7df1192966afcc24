// The lobby display: who is called now, who was called, how many wait. `?zone=ID` shows and speaks one zone alone.
import { Announcer } from "./lib/announcer.js";
import { Refused, counterPath, hallPath, tell } from "./lib/api.js";
import { button, h, show, write } from "./lib/dom.js";
import { begin, places, planOf, root, staleMark, tellStopped } from "./lib/page.js";
import { Stream } from "./lib/stream.js";
import { now_ms } from "./lib/time.js";
import { Voice } from "./lib/voice.js";
import { clock, date, minutes, named, t } from "./lib/words.js";

const RECENT = 4;
const [hall] = places;
const asked = new URLSearchParams(location.search);
const zone = asked.get("zone");
const name = asked.get("name") ?? zone ?? "lobby"; // under which the supervisor hears of it

let plan, announcer, estimates = {}, speaking = null;
const parts = {};
const voice = window.queueVoice ?? new Voice(); // a test brings a recorder

const isOurs = (counter) => !zone || plan.counterOf[counter]?.zone === zone;

function layout() {
  const stale = staleMark();
  parts.fresh = stale.fresh;
  parts.clock = h("p.number.clock");
  parts.date = h("p.soft");
  parts.now = h("div.now", { "aria-live": "polite" });
  parts.recent = h("ol.recent");
  parts.waiting = h("ul.waiting");
  parts.mute = h("span.tag.warn", { hidden: true }, t("voice-none"));
  parts.notice = h("p.notice", { hidden: true });
  const sound = button({ class: "quiet sound", onclick: () => { voice.say({ chime: true }); sound.remove(); } }, t("allow-sound"));
  show(root, stale.mark,
    h("header.head", {}, h("h1", {}, zone ? `${named(plan)} · ${named(plan.zoneOf[zone])}` : named(plan)), parts.mute, sound, h("div.when", {}, parts.clock, parts.date)),
    h("div.body", {}, parts.notice,
      h("section.called", { "aria-label": t("now-called") }, h("h2", {}, t("now-called")), parts.now),
      h("section.earlier", { "aria-label": t("called-before") }, h("h2", {}, t("called-before")), parts.recent),
      h("section.lines", { "aria-label": t("waiting") }, h("h2", {}, t("waiting")), parts.waiting)));
}

function draw(board) {
  const calls = board.recent.filter((one) => isOurs(one.counter));
  const [first, ...others] = calls;
  show(parts.now, first
    ? [h("p", { class: `number ticket ${speaking === first.number ? "pulse" : ""}` }, first.number), h("p.arrow", { "aria-hidden": "true" }, "→"), h("p.counter", {}, plan.counterName(first.counter))]
    : h("p.soft", {}, t("no-calls-yet")));
  show(parts.recent, others.slice(0, RECENT).map((one) => h("li", {}, h("span.number", {}, one.number), h("span", {}, plan.counterName(one.counter)))));
  drawLines(board);
  tellStopped(parts.notice, plan, board.suspended);
}

// Lines by zone: how many wait, and the longest of the expected waits, where there are any.
function drawLines(board) {
  const groups = new Map();
  for (const [id, service] of Object.entries(board.services)) {
    if (zone && service.zone !== zone) continue;
    const key = zone ? id : service.zone ?? id;
    const group = groups.get(key) ?? { name: zone ? named(plan.serviceOf[id]) : named(plan.zoneOf[service.zone] ?? plan.serviceOf[id]), waiting: 0, to_s: 0 };
    group.waiting += service.waiting;
    group.to_s = Math.max(group.to_s, service.waiting ? estimates[id]?.to_s ?? 0 : 0);
    groups.set(key, group);
  }
  show(parts.waiting, Array.from(groups.values(), (group) => h("li", {}, h("span.grow", {}, group.name),
    group.to_s ? h("span.soft", {}, t("about", { time: minutes(group.to_s) })) : null, h("span.number", {}, t("people", { count: group.waiting })))));
}

// Nobody is sent to a counter that no longer waits for them: served, transferred, taken back, or missed while offline.
function forget(board) {
  announcer.keep((call) => board.counters[call.counter]?.state === "called" && board.counters[call.counter].number === call.number);
}

function onEvent(frame, board) {
  if (["ticket_called", "ticket_recalled"].includes(frame.kind) && isOurs(frame.counter)) {
    announcer.add({ number: frame.number, counter: frame.counter, name: plan.counterName(frame.counter, "zh-CN"), nameEn: plan.counterName(frame.counter, "en") });
  }
  forget(board);
  draw(board);
}

// The supervisor hears with what it is spoken and how late; the seconds until a no-show count from now. Nobody waits
// for this: a call that is over meanwhile is refused. One report at a time, and behind it the newest alone, so that a
// node that does not answer costs no memory.
let reporting = false, next = null;
async function report(call, lag_ms) {
  if (reporting) { next = [call, lag_ms]; return; }
  reporting = true;
  await tellOf(call, lag_ms);
  reporting = false;
  if (next) { const newest = next; next = null; report(...newest); }
}

async function tellOf(call, lag_ms) {
  await voice.clips?.ready;
  const said = { number: call.number, display: name, voice: voice.kindFor?.(call) ?? "none", lag_s: Math.round(lag_ms) / 1000 };
  parts.mute.hidden = said.voice !== "none";
  await tell(`${counterPath(hall, call.counter)}/announced`, said).catch(() => {});
}

begin("display", async () => {
  plan = await planOf(hall);
  document.title = named(plan);
  if (zone && !plan.zoneOf[zone]) throw new Refused(404, { type: "unknown-zone" });
  layout();
  let stream = null;
  const mark = (number) => { speaking = number; if (stream?.board) draw(stream.board); };
  announcer = new Announcer({
    say: (part) => voice.say(part), languages: plan.languages, now_ms: () => performance.now(),
    begun: (call, lag_ms) => { mark(call.number); report(call, lag_ms); }, ended: () => mark(null),
  });
  window.queueAnnouncer = announcer;
  stream = new Stream(`${hallPath(hall)}/stream`, {
    fresh: parts.fresh, snapshot(board) { forget(board); draw(board); }, event: onEvent,
    planned: () => planOf(hall).then((changed) => { plan = changed; draw(stream.board); }).catch(() => {}),
    estimate(frame) { estimates = frame.services ?? {}; if (stream.board) drawLines(stream.board); },
  });
  const time = () => { write(parts.clock, clock(now_ms(), plan.time_zone)); write(parts.date, date(now_ms(), plan.time_zone)); };
  time();
  setInterval(time, 1000);
});
