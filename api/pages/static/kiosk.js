// The kiosk: choose what you came for, see how long it takes, take a number. Stored first, printed after.
import { explain, hallPath, newKey, read, single, tell } from "./lib/api.js";
import { button, h, show, write } from "./lib/dom.js";
import { begin, places, planOf, root, staleMark, stopping, whyStopped } from "./lib/page.js";
import { Stream } from "./lib/stream.js";
import { clock, date, language, languageSwitch, likely, named, speak, t } from "./lib/words.js";

const IDLE_MS = 45_000;
const TAKEN_MS = 20_000;
const OWN = "kiosk-language";
const [hall] = places;

let plan, stream = null, board = null, estimates = {}, chosen = null, priority = null, taken = null, zone = null, idle = null;
const parts = {};

// The next visitor finds the first question, in the kiosk's own language.
async function restart() {
  [chosen, priority, taken, zone] = [null, null, null, null];
  const own = sessionStorage.getItem(OWN);
  if (language !== own) await speak(own).then(layout, () => stayAwake());
  draw();
}

// Told of what a person does alone: the stream never rests.
function stayAwake(after_ms = taken ? TAKEN_MS : IDLE_MS) {
  clearTimeout(idle);
  idle = setTimeout(restart, after_ms);
}

const take = single(async (key) => {
  try {
    const body = { service: chosen.id, channel: "kiosk", language };
    if (priority) body.priority = priority.id;
    taken = await tell(`${hallPath(hall)}/tickets`, body, key);
    draw();
    await printSlip();
  } catch (error) {
    parts.fault.hidden = false;
    write(parts.fault, explain(error));
  }
});

// Stored first, printed after: whatever the printer does, the number is taken, and can be printed again.
async function printSlip() {
  stayAwake();
  parts.unprinted.hidden = true;
  try {
    await document.fonts.ready;
    await parts.code?.decode().catch(() => {});
    print();
  } catch {
    parts.unprinted.hidden = false;
    stayAwake(IDLE_MS);
  }
}

function expected(service) {
  const waiting = board?.services[service.id]?.waiting ?? 0;
  return [stopping(board, service.id).length ? t("calls-suspended") : "", t("people-ahead", { count: waiting }), likely(estimates[service.id])].filter(Boolean).join(" · ");
}

const isTurnedAway = (service) => stopping(board, service.id).some((one) => one.turn_away);

function tile(service) {
  return button({ class: "tile", disabled: isTurnedAway(service), onclick: () => { chosen = service; draw(); } },
    h("strong", {}, named(service)), h("span.soft", {}, isTurnedAway(service) ? t("stopped-now") : expected(service)));
}

function services() {
  const zones = plan.zones.filter((one) => plan.services.some((service) => service.zone === one.id));
  if (zones.length > 1 && !zone) {
    return [h("h2", {}, t("where-to")), h("div.tiles", {}, zones.map((one) => button({ class: "tile", onclick: () => { zone = one; draw(); } },
      h("strong", {}, named(one)), h("span.soft", {}, plan.services.filter((service) => service.zone === one.id).slice(0, 3).map((service) => named(service)).join(" · ")))))];
  }
  const offered = plan.services.filter((service) => !zone || service.zone === zone.id);
  return [h("h2", {}, t("what-for")), h("div.tiles", {}, offered.map(tile)), zone ? back(() => { zone = null; draw(); }) : null];
}

const back = (go) => button({ class: "quiet", onclick: go }, t("back"));

function confirmation() {
  const key = newKey(); // one wish, one number, however often the button is pressed
  const classes = plan.priorities.slice(1);
  parts.fault = h("p.notice.bad", { role: "alert", hidden: true });
  const choose = (one) => () => { priority = priority === one ? null : one; draw(); };
  return [h("h2", {}, named(chosen)), h("p.large", {}, expected(chosen)),
    ...stopping(board, chosen.id).map((one) => h("p.notice", {}, whyStopped(plan, one))),
    bringing() ? h("p.notice.good", {}, t("bring", { what: bringing() })) : null,
    classes.length ? h("fieldset", {}, h("legend", {}, t("priority-question")), h("div.tiles", {}, classes.map((one) =>
      button({ class: "tile", "aria-pressed": String(priority === one), onclick: choose(one) }, h("strong", {}, named(one)), h("span.soft", {}, plan.inLanguage(one.condition) ?? t("priority-checked")))))) : null,
    h("div.foot", {}, parts.fault, button({ class: "primary big", onclick: () => take(key) }, t("take-number")), back(() => { chosen = null; draw(); }))];
}

const bringing = () => plan.inLanguage(chosen.bring);

function slip() {
  parts.code = h("img", { src: `/qr/t/${taken.id}.svg`, alt: t("qr-of-ticket"), class: "code" });
  parts.unprinted = h("p.notice.bad.no-print", { role: "alert", hidden: true }, t("not-printed"));
  return h("article.slip", {}, h("p.hall", {}, named(plan)), h("p.number.huge", {}, taken.number), h("p.what", {}, named(plan.serviceOf[taken.service])),
    h("p", {}, t("people-ahead", { count: taken.ahead ?? 0 })), parts.code, h("p.small", {}, t("scan-to-follow")),
    h("p.small", {}, `${date(taken.issued_at, plan.time_zone)} ${clock(taken.issued_at, plan.time_zone, true)}`));
}

const done = () => [h("h2.no-print", {}, t("your-number")), slip(), parts.unprinted,
  h("div.row.no-print", {}, button({ onclick: printSlip }, t("print-again")), button({ class: "primary", onclick: restart }, t("done")))];

function draw() {
  const focused = document.activeElement?.textContent;
  show(parts.screen, taken ? done() : chosen ? confirmation() : services());
  const same = Array.from(parts.screen.querySelectorAll("button")).find((button) => button.textContent === focused);
  (same ?? parts.screen.querySelector("h2"))?.focus({ preventScroll: true });
}

function layout() {
  const stale = staleMark(t("kiosk-offline"));
  parts.fresh = stale.fresh;
  if (stream) stale.fresh(stream.isFresh);
  parts.name = h("h1", {}, named(plan));
  parts.screen = h("div.body");
  show(root, stale.mark, h("header.head.no-print", {}, parts.name, languageSwitch()), parts.screen);
}

begin("kiosk", async () => {
  if (!sessionStorage.getItem(OWN) || location.search.includes("lang=")) sessionStorage.setItem(OWN, language);
  plan = await planOf(hall);
  layout();
  const renew = () => { if (!chosen && !taken) draw(); };
  stream = new Stream(`${hallPath(hall)}/stream`, {
    fresh: (isFresh) => parts.fresh(isFresh),
    planned: () => planOf(hall).then((changed) => { plan = changed; write(parts.name, named(plan)); renew(); }).catch(() => {}),
    snapshot: (now) => { board = now; renew(); }, event: (frame, now) => { board = now; if (frame.patch?.services || frame.patch?.suspended || frame.board) renew(); },
    estimate(frame) { estimates = frame.services ?? {}; renew(); },
  });
  read(`${hallPath(hall)}/board`).then((answer) => { estimates = answer.estimates ?? {}; board ??= answer.board; renew(); }).catch(() => {});
  draw();
  stayAwake();
  for (const kind of ["pointerdown", "click", "keydown"]) document.addEventListener(kind, () => stayAwake());
});
