// The clerk's console: one large button for what comes next, everything else small and by key.
import { answerOf, counterPath, explain, hallPath, newKey, read, single, tell, ticketPath } from "./lib/api.js";
import { ask, button, form, h, labelled, show, toast, write } from "./lib/dom.js";
import { begin, fill, places, planOf, stopping, tellStopped } from "./lib/page.js";
import { Stream } from "./lib/stream.js";
import { now_ms, since_s } from "./lib/time.js";
import { clock, named, span, t } from "./lib/words.js";

const UNDO_MS = 15_000;
const LINE_SHOWN = 6;
const SETTLE_MS = 700;
const EVENTS_MOST = 4; // of one command of a counter
const MINE_KEPT = 50;
const SEARCH_FROM = 3;
const [hall, counter] = places;
const here = counterPath(hall, counter);

let plan, board, me, ticket = null, legs = [], line = [], parked = [], undoUntil = 0, others = "", settled;
const mine = new Set();
const parts = {};

async function refresh() {
  const now = await read(here), held = now.ticket && ticketPath(now.ticket);
  const [one, before, waiting, away] = await Promise.all([held ? read(held) : null, held ? read(`${held}/legs`) : { items: [] },
    ...["waiting", "parked"].map((state) => read(`${hallPath(hall)}/tickets?state=${state}&limit=1000`))]);
  [me, ticket, legs] = [now, one, before.items]; // together: clocks tick meanwhile
  line = waiting.items.filter((one) => me.services.includes(one.service)).sort((a, b) => a.waiting_since.localeCompare(b.waiting_since));
  parked = away.items;
  draw();
}

// What this console does; the stream then shows everybody what came of it.
const act = single(async (path, body, undoable = false) => {
  try {
    const answer = await answerOf(path, body, newKey());
    if (answer.document?.seq) mine.add(answer.document.seq);
    if (mine.size > MINE_KEPT) mine.delete(mine.values().next().value);
    if (undoable) undoUntil = Date.now() + UNDO_MS;
    others = "";
    await refresh();
    if (answer.status === 204) toast(t(line.some((one) => stopping(board, one.service).length) ? "calls-suspended" : "nobody-waits"));
    return answer;
  } catch (error) {
    toast(explain(error), "bad");
    await refresh().catch(() => {});
    return null;
  }
});

const own = (verb) => ticketPath(ticket.id) + `/${verb}`;
const callNext = () => act(`${here}/call-next`, { finish_current: true }, true);

function primary() {
  if (parts.primary.ariaDisabled) return;
  if (me.state === "closed") return signOn();
  if (me.state === "paused") return act(`${here}/resume`);
  if (me.state === "called") return act(own("start"), undefined, true);
  return callNext();
}

// A second press may be meant for what stood on the button before: for a moment it does nothing. `disabled` would
// take the focus away.
function settle() {
  parts.primary.ariaDisabled = "true";
  clearTimeout(settled);
  settled = setTimeout(() => { parts.primary.ariaDisabled = null; }, SETTLE_MS);
}

async function signOn() {
  const clerk = parts.clerk.value.trim();
  if (!clerk) { parts.clerk.focus(); return; }
  localStorage.setItem("clerk", clerk);
  await act(`${here}/open`, { clerk });
}

async function pick(title, choices, label) {
  const search = h("input", { type: "search", placeholder: t("search"), "aria-label": t("search") });
  return ask(title, (close) => {
    const list = h("div.choices");
    const fill = () => show(list, choices.filter((one) => label(one).toLowerCase().includes(search.value.toLowerCase()))
      .map((one) => button({ onclick: () => close(one) }, label(one))));
    search.addEventListener("input", fill);
    fill();
    return choices.length > SEARCH_FROM ? [search, list] : list;
  });
}

const DO = {
  ...Object.fromEntries(["recall", "no-show", "requeue", "finish"].map((verb) => [verb, () => act(own(verb), undefined, true)])),
  undo: () => { undoUntil = 0; return act(`${here}/undo`); },
  help: () => act(`${here}/help`).then((answer) => answer && toast(t("help-called"))),
  close: () => act(`${here}/close`),
  async park() {
    const reason = await pick(t("park-why"), plan.park_reasons, String);
    if (reason) await act(own("park"), { reason }, true);
  },
  async transfer() {
    const service = await pick(t("transfer-to"), plan.services.filter((one) => one.id !== ticket.service), (one) => named(one));
    if (service) await act(own("transfer"), { service: service.id }, true);
  },
  async "hand-over"() {
    const able = plan.counters.filter((one) => one.id !== counter);
    const to = await pick(t("hand-over-to"), able, (one) => plan.counterName(one.id));
    if (to) await act(own("hand-over"), { to_counter: to.id }, true);
  },
  async pause() {
    if (me.pause_after) { await act(`${here}/resume`); return; }
    const after = me.ticket !== null;
    const reason = await pick(after ? t("pause-after-why") : t("pause-why"), plan.pause_reasons, String);
    if (reason) await act(`${here}/pause`, { reason, after_current: after });
  },
};
const KEYS = { r: "recall", n: "no-show", f: "finish", p: "park", t: "transfer", o: "hand-over", u: "undo", h: "help", b: "pause" };

function allowed() {
  const calling = me.state === "called", serving = me.state === "serving", open = me.state !== "closed";
  const waited_s = ticket?.called_at ? since_s(me.announced_at ?? ticket.called_at) : 0; // the lobby heard it later
  const passed = calling && ticket.recalls >= plan.no_show.recalls && waited_s >= plan.no_show.after_s;
  return {
    recall: calling, "no-show": passed, requeue: calling || serving, finish: serving, park: serving, transfer: calling || serving,
    "hand-over": serving, undo: Date.now() < undoUntil, help: open, pause: open && me.state !== "paused", close: open && !me.ticket,
  };
}

function layout() {
  parts.clerk = h("input", { value: localStorage.getItem("clerk") ?? "", autocomplete: "username", maxlength: 80 });
  parts.sign = form(signOn, labelled("your-name", parts.clerk));
  parts.state = h("span.tag");
  parts.who = h("p.soft.small");
  parts.others = h("p.notice", { role: "alert", hidden: true }, t("another-console"));
  parts.stopped = h("p.notice", { hidden: true });
  parts.name = h("h1");
  parts.number = h("p.number.now");
  parts.about = h("p.about");
  parts.history = h("ol.history");
  parts.time = h("p.number.time");
  parts.primary = button({ class: "primary big", hidden: true, onclick: primary });
  parts.tools = Object.fromEntries(Object.keys(DO).map((name) => {
    const key = Object.keys(KEYS).find((one) => KEYS[one] === name);
    return [name, button({ onclick: () => DO[name]() }, t(`do-${name}`), key ? h("kbd", { "aria-hidden": "true" }, key.toUpperCase()) : null)];
  }));
  parts.line = h("ol.line");
  parts.lineHead = h("p.soft.small");
  parts.parked = h("ul.line");
  parts.parkedCard = h("section.card.stack", { "aria-label": t("parked") }, h("h2", {}, t("parked")), parts.parked);
  parts.fresh = fill(h("div", {}, parts.name, parts.who), parts.state, parts.others, parts.stopped,
      h("section.card.stack", { "aria-label": t("current-visitor") }, parts.sign, h("div.spread", {}, parts.number, parts.time), parts.about, parts.history, parts.primary,
        h("div.tools", { onmousedown: (event) => event.preventDefault() }, Object.values(parts.tools))),
      h("section.card.stack", { "aria-label": t("waiting-for-me") }, h("div.spread", {}, h("h2", {}, t("waiting-for-me")), parts.lineHead), parts.line),
      parts.parkedCard);
}

const PRIMARY = { closed: "open-counter", paused: "go-on-calling", called: "came", serving: "finish-and-call", idle: "call-next" };

function draw() {
  const now = ticket;
  write(parts.name, plan.counterName(counter));
  write(parts.state, t(`counter-${me.state}`));
  parts.state.className = `tag ${{ paused: "warn", closed: "", idle: "good" }[me.state] ?? "good"}`;
  write(parts.who, [me.clerk, me.pause_after ? t("pausing-after", { reason: me.pause_after }) : me.pause_reason].filter(Boolean).join(" · "));
  parts.sign.hidden = me.state !== "closed";
  parts.others.hidden = !others;
  write(parts.number, now ? now.number : "—");
  write(parts.about, now ? aboutTicket(now) : me.state === "idle" ? t("nobody-here") : "");
  const next = t(PRIMARY[me.state]);
  if (parts.primary.textContent !== next) settle();
  write(parts.primary, next);
  parts.primary.hidden = false;
  const may = allowed();
  for (const [name, button] of Object.entries(parts.tools)) button.disabled = !may[name];
  parts.tools.pause.setAttribute("aria-pressed", String(Boolean(me.pause_after)));
  tellStopped(parts.stopped, plan, board?.suspended.filter((one) => !one.service || me.services.includes(one.service)) ?? []);
  drawHistory();
  drawLine();
  tick();
}

function aboutTicket(one) {
  const priority = one.priority !== plan.priorities[0].id ? named(plan.priorities.find((each) => each.id === one.priority)) : "";
  const words = [named(plan.serviceOf[one.service]), priority, one.language && one.language !== plan.languages[0] ? one.language : "",
    one.items > 1 ? t("items", { count: one.items }) : "", one.leg > 1 ? t("leg", { count: one.leg }) : "", t("waited", { time: span(one.waited_s) }),
    one.recalls ? t("recalled", { count: one.recalls }) : ""];
  return words.filter(Boolean).join(" · ");
}

// What became of the visitor before: where, with whom, how long waited, how it ended.
function drawHistory() {
  const before = legs.slice(0, -1);
  parts.history.hidden = before.length === 0;
  show(parts.history, before.map((one) => h("li", {}, h("span.tag", {}, clock(one.called_at ?? one.waiting_since, plan.time_zone)),
    [named(plan.serviceOf[one.service]), one.counter ? plan.counterName(one.counter) : "", one.clerk, one.waited_s === null ? "" : t("waited", { time: span(one.waited_s) }), one.outcome ? t(`outcome-${one.outcome}`) : ""].filter(Boolean).join(" · "))));
}

function drawLine() {
  write(parts.lineHead, line.length ? t("waiting-count", { count: line.length }) : t("nobody-waits"));
  show(parts.line, line.slice(0, LINE_SHOWN).map((one) => {
    const due = one.promise_s ? Date.parse(one.waiting_since) + one.promise_s * 1000 : null;
    const left_s = due ? (due - now_ms()) / 1000 : Infinity;
    return h("li", {}, h("span.number", {}, one.number), h("span.grow", {}, named(plan.serviceOf[one.service])),
      due ? h("span", { class: `tag ${left_s < 0 ? "bad" : left_s < 120 ? "warn" : ""}` }, left_s < 0 ? t("over-by", { time: span(-left_s) }) : t("keep-until", { time: clock(due, plan.time_zone) })) : null);
  }));
  parts.parkedCard.hidden = parked.length === 0;
  show(parts.parked, parked.map((one) => h("li", {}, h("span.number", {}, one.number), h("span.grow", {}, named(plan.serviceOf[one.service])),
    button({ onclick: () => act(`${ticketPath(one.id)}/return`) }, t("back-in-line")),
    me.state === "idle" ? button({ onclick: () => act(`${ticketPath(one.id)}/return`, { counter }) }, t("back-to-me")) : null)));
}

// What changes by time alone: clocks, the chance to undo, the no-show that becomes possible.
function tick() {
  if (!me) return;
  const since = me.state === "called" ? ticket?.called_at : me.state === "serving" ? ticket?.started_at : null;
  write(parts.time, since ? span(since_s(since)) : "");
  const may = allowed();
  parts.tools["no-show"].disabled = !may["no-show"];
  parts.tools.undo.disabled = !may.undo;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
  if (["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName)) return;
  const name = KEYS[event.key.toLowerCase()];
  if ([" ", "Enter"].includes(event.key)) { if (!event.target.closest("button")) { event.preventDefault(); primary(); } }
  else if (name && !parts.tools[name].disabled) { event.preventDefault(); DO[name](); }
}

begin("counter", async () => {
  plan = await planOf(hall);
  document.title = `${plan.counterName(counter)} · ${named(plan)}`;
  layout();
  await refresh();
  let soon = null;
  const look = () => { soon ??= setTimeout(() => { soon = null; refresh().catch(() => {}); }, 150); };
  new Stream(`${hallPath(hall)}/stream`, {
    fresh: parts.fresh,
    snapshot(now) { board = now; look(); },
    planned: () => planOf(hall).then((changed) => { plan = changed; look(); }).catch(() => {}),
    event(frame, now) {
      board = now;
      const mineOrNot = frame.counter === counter && ["counter_", "ticket_called", "ticket_started", "ticket_finished"].some((kind) => frame.kind.startsWith(kind));
      if (mineOrNot) setTimeout(() => { if (!Array.from(mine).some((seq) => seq >= frame.seq && seq - frame.seq < EVENTS_MOST)) { others = "yes"; parts.others.hidden = false; } }, 1500);
      look();
    },
  });
  setInterval(tick, 500);
  document.addEventListener("keydown", onKey);
});
