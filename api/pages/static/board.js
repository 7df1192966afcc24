// The supervisor's board: the promise now, every counter, every line, and what can be done about it.
import { explain, hallPath, newKey, read, single, tell } from "./lib/api.js";
import { drawAdvice } from "./lib/advice.js";
import { chartSection } from "./lib/charts.js";
import { ask, button, form, h, labelled, show, toast, write } from "./lib/dom.js";
import { begin, fill, places, planOf, whyStopped } from "./lib/page.js";
import { Stream } from "./lib/stream.js";
import { now_ms, since_s } from "./lib/time.js";
import { Bell, alertNotice, standing } from "./lib/warnings.js";
import { clock, lasting, likely, named, span, t } from "./lib/words.js";

const LOOK_MS = 10_000;
const SOON_MS = 400;
const HALLS_MS = 30_000;
const ADVICE_MS = 60_000;
const LIKELY = 0.5;
const LATE_S = 60;
const [hall] = places;
const path = hallPath(hall);

let plan, board = null, promise = null, report = null, estimates = {}, halls = [];
const parts = {};
const bell = new Bell();
const seenHelp = new Set();
const plans = {}; // of other halls, for their names

const inDigits = (count) => t("number", { count });
const share = (value) => (value === null || value === undefined ? "–" : t("percent", { share: Math.round(value * 1000) / 10 }));

async function look() {
  [promise, report] = await Promise.all([read(`${path}/promise`), read(`${path}/promise-report`)]);
  bell.hear([...standing(promise.alerts).filter((one) => !one.acknowledged_at).map((one) => one.id), ...ringing().map(helpKey)]);
  draw();
}

// Every hall of the node at a glance; one that cannot be read is shown without figures.
async function lookAround() {
  const found = (await read("/v1/halls")).items;
  if (found.length < 2) return;
  const namesOf = async (id) => (plans[id] ??= await read(hallPath(id)).catch(() => null))?.names;
  halls = await Promise.all(found.map(async (one) => ({ ...one, names: await namesOf(one.id), promise: await read(`${hallPath(one.id)}/promise`).catch(() => null) })));
  drawHalls();
}

async function lookForAdvice() {
  drawAdvice(parts.advice, await read(`${path}/staffing`), plan.time_zone, answerAdvice);
}

const act = single(async (where, body) => {
  try {
    await tell(`${path}/${where}`, body, newKey());
    await look();
  } catch (error) {
    toast(explain(error), "bad");
  }
});

async function answerAdvice(id, body) {
  await act(`staffing/${id}/answer`, body);
  await lookForAdvice();
}

// Who has seen it: asked once, kept on this machine.
async function acknowledge(alert) {
  const known = localStorage.getItem("supervisor");
  const by = known ?? (await ask(t("who-are-you"), (close) => {
    const name = h("input", { maxlength: 80, autocomplete: "username", required: true });
    return form(() => close(name.value.trim()), labelled("your-name", name), h("button.primary", {}, t("acknowledge")));
  }));
  if (!by) return;
  localStorage.setItem("supervisor", by);
  await act(`alerts/${alert.id}/acknowledge`, { by });
}

const helpKey = (one) => `${one.counter} ${one.since}`;
const isWarnedOf = (one) => standing(promise.alerts).some((alert) => alert.kind === "help_unanswered" && alert.counter === one.counter);
const ringing = () => promise.help.filter((one) => !seenHelp.has(helpKey(one)) && !isWarnedOf(one));

async function suspend() {
  const wish = await ask(t("suspend-title"), (close) => {
    const what = h("select", {}, h("option", { value: "" }, t("whole-hall")), plan.services.map((one) => h("option", { value: one.id }, named(one))));
    const why = h("input", { required: true, maxlength: 200 });
    const away = h("input", { type: "checkbox", class: "check" });
    return form(() => close({ service: what.value || null, reason: why.value, turn_away: away.checked }), labelled("what", what), labelled("why", why), h("label.line-label", {}, away, t("turn-away")), h("button.danger", {}, t("suspend")));
  });
  if (wish) await act("suspend", wish);
}

// -- the figures

function figure(title, value, note, kind = "") {
  return h("div", { class: `card figure ${kind}` }, h("h3", {}, title), h("p.number", {}, value), h("p.soft.small", {}, note));
}

const periodFigure = (row) => figure(t(`period-${row.period}`), share(row.share),
  t("kept-of", { kept: row.kept, counted: row.counted, percent: row.percentile, time: span(row.promise_s) }), row.met === false ? "bad" : row.met ? "good" : "");

// How fast the budget of misses burns: of the rules of the plan the one that is nearest to its limit.
function burnFigure() {
  const told = promise.burn.filter((one) => one.long !== null);
  const worst = told.sort((a, b) => b.long / b.limit - a.long / a.limit)[0];
  if (!worst) return figure(t("burn"), "–", t("burn-none"));
  return figure(t("burn"), t("times", { factor: Math.round(worst.long * 10) / 10 }), t("burn-note", { limit: Math.round(worst.limit * 10) / 10, time: lasting(worst.long_s) }), worst.firing ? "bad" : worst.long > 1 ? "warn" : "good");
}

function figures() {
  const waiting = promise.waiting, expected = promise.expected_misses_30_min;
  const oldest = waiting.reduce((most, one) => Math.max(most, one.waited_s), 0);
  const away = report.turned_away.reduce((sum, one) => sum + one.count, 0);
  return [...report.rows.filter((row) => row.scope === "period").map(periodFigure),
    figure(t("missed"), inDigits(promise.totals.missed), t("still-open", { count: promise.totals.open }), promise.totals.missed ? "warn" : ""),
    figure(t("expected-misses"), expected === null ? "–" : inDigits(Math.round(expected * 10) / 10), expected === null ? t("expected-none") : t("expected-note"), expected >= 1 ? "warn" : ""),
    burnFigure(),
    figure(t("waiting"), inDigits(waiting.length), oldest ? t("oldest", { time: span(oldest) }) : t("nobody-waits")),
    figure(t("turned-away"), inDigits(away), t("turned-away-note"), away ? "warn" : "")];
}

const able = (service) => plan.counters.filter((one) => (one.services ? one.services.includes(service.id) : !one.zone || one.zone === service.zone));
const isWorking = (counter) => !["closed", "paused"].includes(board.counters[counter.id]?.state ?? "closed");

const expected = (service) => likely(estimates[service.id]) ?? "–";

function line(service) {
  const own = promise.waiting.filter((one) => one.service === service.id);
  const oldest = own.reduce((most, one) => (one.waited_s > (most?.waited_s ?? -1) ? one : most), null);
  const late = oldest?.promise_s && oldest.waited_s > oldest.promise_s;
  return { service, oldest, late, count: own.length, risky: own.filter((one) => one.chance_of_missing >= LIKELY).length, open: able(service).filter(isWorking).length };
}

const COLUMNS = ["service", "waiting", "longest", "newcomers-wait", "in-danger", "counters-open"];

function lines() {
  const rows = plan.services.map(line).sort((a, b) => (b.oldest?.waited_s ?? -1) - (a.oldest?.waited_s ?? -1));
  return h("table", {}, h("thead", {}, h("tr", {}, COLUMNS.map((name) => h("th", { scope: "col" }, t(name))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, named(row.service)), h("td.number", {}, inDigits(row.count)),
      h("td", {}, row.oldest ? h("span", { class: `tag number ${row.late ? "bad" : ""}` }, span(row.oldest.waited_s)) : "–"), h("td.soft", {}, expected(row.service)),
      h("td", {}, row.risky ? h("span.tag.number.warn", {}, inDigits(row.risky)) : "–"),
      h("td", { class: `number ${row.count && !row.open ? "none" : ""}` }, inDigits(row.open))))));
}

const KIND = { closed: "", paused: "warn", idle: "good", called: "busy", serving: "busy" };

function counters() {
  return h("ul.counters", {}, Object.entries(board.counters).map(([id, one]) => h("li", { class: `counter ${KIND[one.state]}` },
    h("a", { href: `/counter/${hall}/${id}` }, plan.counterName(id)), h("span", {}, one.number ? h("strong.number", {}, one.number) : t(`counter-${one.state}`)),
    h("span.soft.small", {}, [one.number ? t(`counter-${one.state}`) : one.pause_reason, span(since_s(one.since))].filter(Boolean).join(" · ")))));
}

function notices() {
  const stopped = board.suspended.map((one) => h("div.notice.bad.spread", {}, whyStopped(plan, one),
    button({ onclick: () => act("resume", one.service ? { service: one.service } : {}) }, t("resume"))));
  const mute = promise.displays.filter((one) => one.voice === "none").map((one) => h("div.notice", {}, t("display-mute", { name: one.display })));
  const calls = ringing().map((one) => h("div.notice.spread", { role: "alert" }, t("help-at", { counter: plan.counterName(one.counter), time: clock(one.since, plan.time_zone) }),
    button({ onclick: () => { seenHelp.add(helpKey(one)); draw(); } }, t("seen"))));
  const open = standing(promise.alerts).sort((a, b) => Boolean(a.acknowledged_at) - Boolean(b.acknowledged_at));
  return [...open.map((one) => alertNotice(one, plan, acknowledge)), ...calls, ...stopped, ...mute];
}

function displays() {
  return h("ul.row", {}, promise.displays.map((one) => h("li", { class: `tag ${one.voice === "none" ? "warn" : one.lag_s > LATE_S ? "bad" : "good"}` },
    t("display-said", { name: one.display, voice: t(`voice-${one.voice}`), lag: span(one.lag_s), worst: span(one.worst_lag_s), time: clock(one.at, plan.time_zone) }))));
}

function drawHalls() {
  parts.halls.hidden = halls.length < 2;
  show(parts.halls, h("h2", {}, t("halls")), h("ul.counters", {}, halls.map((one) => {
    const alerts = one.promise ? standing(one.promise.alerts).length : 0;
    return h("li", { class: `counter ${alerts ? "warn" : ""}` }, h("a", { href: `/board/${one.id}`, "aria-current": one.id === hall ? "page" : null }, named(one)),
      h("strong.number", {}, share(one.promise?.totals.share)),
      h("span.soft.small", {}, one.promise ? [t("waiting-count", { count: one.promise.waiting.length }), alerts ? t("alert-count", { count: alerts }) : ""].filter(Boolean).join(" · ") : "–"));
  })));
}

function draw() {
  if (!board || !report) return;
  show(parts.notices, notices());
  show(parts.figures, figures());
  show(parts.lines, h("h2", {}, t("lines")), lines());
  show(parts.counters, h("h2", {}, t("counters")), counters());
  parts.displays.hidden = promise.displays.length === 0;
  show(parts.displays, h("h2", {}, t("displays")), displays());
  write(parts.asOf, t("as-of", { time: clock(now_ms(), plan.time_zone, true) }));
}

function layout() {
  for (const name of ["notices", "advice", "lines", "counters", "displays", "halls"]) parts[name] = h("section", { class: name === "notices" ? "stack wide" : "card stack", "aria-label": t(name) });
  for (const name of ["advice", "displays", "halls"]) parts[name].classList.add("wide");
  parts.halls.hidden = true;
  parts.figures = h("section.figures.wide", { "aria-label": t("figures") });
  parts.asOf = h("p.soft.small");
  const sound = button({ "aria-pressed": String(bell.hasSound), onclick: () => { bell.toggle(); sound.setAttribute("aria-pressed", String(bell.hasSound)); } }, t("sound"));
  drawAdvice(parts.advice, null);
  return fill(h("div", {}, h("h1", {}, named(plan)), parts.asOf), [sound, h("a.button", { href: `/plan/${hall}` }, t("title-plan")), button({ class: "danger", onclick: suspend }, t("suspend"))],
    parts.notices, parts.figures, parts.advice, parts.lines, parts.counters, parts.displays, chartSection(path), parts.halls);
}

begin("board", async () => {
  plan = await planOf(hall);
  ({ estimates } = await read(`${path}/board`));
  document.title = `${t("title-board")} · ${named(plan)}`;
  const fresh = layout();
  let soon = null;
  const later = () => { soon ??= setTimeout(() => { soon = null; look().catch(() => {}); }, SOON_MS); };
  new Stream(`${path}/stream`, {
    fresh, snapshot(now) { board = now; later(); },
    event(_, now) { board = now; later(); },
    planned: () => planOf(hall).then((changed) => { plan = changed; later(); }).catch(() => {}),
    estimate(frame) { estimates = frame.services ?? {}; draw(); },
  });
  for (const [work, every_ms] of [[look, LOOK_MS], [lookAround, HALLS_MS], [lookForAdvice, ADVICE_MS]]) {
    setInterval(() => work().catch(() => {}), every_ms);
    if (work !== look) work().catch(() => {});
  }
});
