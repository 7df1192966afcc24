// The supervisor's board: the promise now, every counter, every line, and what can be done about it.
import { explain, hallPath, newKey, read, single, tell } from "./lib/api.js";
import { ask, h, show, toast, write } from "./lib/dom.js";
import { begin, places, planOf, root, staleMark } from "./lib/page.js";
import { Stream } from "./lib/stream.js";
import { now_ms, since_s } from "./lib/time.js";
import { clock, languageSwitch, named, span, t } from "./lib/words.js";

const LOOK_MS = 10_000;
const SOON_MS = 400;
const [hall] = places;
const path = hallPath(hall);

let plan, board = null, waiting = [], report = null, halls = [], helps = [];
const parts = {};

const share = (value) => (value === null || value === undefined ? "–" : t("percent", { share: Math.round(value * 1000) / 10 }));

async function look() {
  [waiting, report, halls] = await Promise.all([
    read(`${path}/tickets?state=waiting&limit=1000`).then((answer) => answer.items),
    read(`${path}/promise-report`),
    read("/v1/halls").then((answer) => answer.items),
  ]);
  draw();
}

const act = single(async (where, body) => {
  try {
    await tell(`${path}/${where}`, body, newKey());
    await look();
  } catch (error) {
    toast(explain(error), "bad");
  }
});

async function suspend() {
  const form = await ask(t("suspend-title"), (close) => {
    const what = h("select", {}, h("option", { value: "" }, t("whole-hall")), plan.services.map((one) => h("option", { value: one.id }, named(one))));
    const why = h("input", { required: true, maxlength: 200 });
    const away = h("input", { type: "checkbox", class: "check" });
    const submit = (event) => { event.preventDefault(); close({ service: what.value || null, reason: why.value, turn_away: away.checked }); };
    return h("form", { class: "stack", onsubmit: submit }, h("label", {}, t("what"), what), h("label", {}, t("why"), why), h("label", { class: "line-label" }, away, t("turn-away")), h("button", { class: "danger" }, t("suspend")));
  });
  if (form) await act("suspend", form);
}

// -- the figures

function figure(title, value, note, kind = "") {
  return h("div", { class: `card figure ${kind}` }, h("h3", {}, title), h("p", { class: "number" }, value), h("p", { class: "soft small" }, note));
}

function figures() {
  const rows = report.rows.filter((row) => row.scope === "period");
  const total = report.rows.find((row) => row.scope === "total");
  const oldest = waiting.reduce((most, one) => Math.max(most, one.waited_s), 0);
  const away = report.turned_away.reduce((sum, one) => sum + one.count, 0);
  const periods = rows.map((row) => figure(t(`period-${row.period}`), share(row.share), t("kept-of", { kept: row.kept, counted: row.counted, percent: row.percentile, time: span(row.promise_s) }), row.met === false ? "bad" : row.met ? "good" : ""));
  return [...periods, figure(t("waiting"), t("number", { count: waiting.length }), oldest ? t("oldest", { time: span(oldest) }) : t("nobody-waits")),
    figure(t("missed"), t("number", { count: total?.missed ?? 0 }), t("still-open", { count: total?.open ?? 0 }), total?.missed ? "warn" : ""),
    figure(t("turned-away"), t("number", { count: away }), t("turned-away-note"), away ? "warn" : "")];
}

function lines() {
  const rows = plan.services.map((service) => {
    const own = waiting.filter((one) => one.service === service.id);
    const oldest = own.reduce((most, one) => (one.waited_s > (most?.waited_s ?? -1) ? one : most), null);
    const late = oldest?.promise_s && oldest.waited_s > oldest.promise_s;
    const able = plan.counters.filter((one) => (one.services ?? null) ? one.services.includes(service.id) : !one.zone || one.zone === service.zone);
    const open = able.filter((one) => !["closed", "paused"].includes(board.counters[one.id]?.state ?? "closed")).length;
    return { service, count: own.length, oldest, late, open };
  }).sort((a, b) => (b.oldest?.waited_s ?? -1) - (a.oldest?.waited_s ?? -1));
  return h("table", {}, h("thead", {}, h("tr", {}, ["service", "waiting", "longest", "counters-open"].map((name) => h("th", { scope: "col" }, t(name))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, named(row.service)), h("td", { class: "number" }, t("number", { count: row.count })),
      h("td", {}, row.oldest ? h("span", { class: `tag number ${row.late ? "bad" : ""}` }, span(row.oldest.waited_s)) : "–"), h("td", { class: `number ${row.count && !row.open ? "none" : ""}` }, t("number", { count: row.open }))))));
}

const KIND = { closed: "", paused: "warn", idle: "good", called: "busy", serving: "busy" };

function counters() {
  return h("ul", { class: "counters" }, Object.entries(board.counters).map(([id, one]) => h("li", { class: `counter ${KIND[one.state]}` },
    h("a", { href: `/counter/${hall}/${id}` }, plan.counterName(id)), h("span", {}, one.number ? h("strong", { class: "number" }, one.number) : t(`counter-${one.state}`)),
    h("span", { class: "soft small" }, [one.pause_reason, span(since_s(one.since))].filter(Boolean).join(" · ")))));
}

function notices() {
  const stopped = board.suspended.map((one) => h("p", { class: "notice bad spread" }, one.service ? t("service-suspended", { service: named(plan.serviceOf[one.service]), reason: one.reason }) : t("hall-suspended", { reason: one.reason }),
    h("button", { type: "button", onclick: () => act("resume", one.service ? { service: one.service } : {}) }, t("resume"))));
  const calls = helps.map((one) => h("p", { class: "notice spread", role: "alert" }, t("help-at", { counter: plan.counterName(one.counter), time: clock(one.at, plan.time_zone) }),
    h("button", { type: "button", onclick: () => { helps = helps.filter((other) => other !== one); draw(); } }, t("seen"))));
  return [...calls, ...stopped];
}

function draw() {
  if (!board || !report) return;
  show(parts.notices, notices());
  show(parts.figures, figures());
  show(parts.lines, h("h2", {}, t("lines")), lines());
  show(parts.counters, h("h2", {}, t("counters")), counters());
  parts.halls.hidden = halls.length < 2;
  show(parts.halls, h("h2", {}, t("halls")), h("ul", { class: "row" }, halls.map((one) => h("li", {}, h("a", { class: "button", href: `/board/${one.id}`, "aria-current": one.id === hall ? "page" : null }, one.name)))));
  write(parts.asOf, t("as-of", { time: clock(now_ms(), plan.time_zone, true) }));
}

begin("board", async () => {
  plan = await planOf(hall);
  document.title = `${t("title-board")} · ${named(plan)}`;
  const stale = staleMark();
  for (const name of ["notices", "lines", "counters", "halls"]) parts[name] = h("section", { class: name === "notices" ? "stack wide" : "card stack", "aria-label": t(name) });
  parts.halls.classList.add("wide");
  parts.figures = h("section", { class: "figures wide", "aria-label": t("figures") });
  parts.asOf = h("p", { class: "soft small" });
  show(root, stale.mark, h("header", { class: "head" }, h("div", {}, h("h1", {}, named(plan)), parts.asOf), h("button", { type: "button", class: "danger", onclick: suspend }, t("suspend")), languageSwitch()),
    h("div", { class: "body" }, parts.notices, parts.figures, parts.lines, parts.counters, parts.halls));
  let soon = null;
  const later = () => { soon ??= setTimeout(() => { soon = null; look().catch(() => {}); }, SOON_MS); };
  new Stream(`${path}/stream`, {
    fresh: stale.fresh, snapshot(now) { board = now; later(); },
    event(frame, now) {
      board = now;
      if (frame.kind === "help_called") helps = [...helps, frame];
      if (frame.board) planOf(hall).then((changed) => { plan = changed; later(); }).catch(() => {});
      later();
    },
  });
  setInterval(() => look().catch(() => {}), LOOK_MS);
});
